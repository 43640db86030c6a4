/** The list of what was found, row by row: what people approve is what is entered. */
import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { type FileHandle, mkdir, open, rename } from 'node:fs/promises';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { z } from 'zod';
import { PermanentError } from '../../src/errors.js';
import { reportDirectory } from '../../src/home.js';

const value = z.union([z.string(), z.number(), z.boolean(), z.null()]);
const lineSchema = z.object({
  table: z.string(),
  key: z.string(),
  /** Why it is not carried over; null: it is sound. */
  refused: z.string().nullable(),
  row: z.record(z.string(), z.unknown()),
});
export type Line = z.output<typeof lineSchema>;
export type Value = z.output<typeof value>;

const outcomeSchema = z.object({
  table: z.string(),
  key: z.string(),
  /** null: it is in. */
  refused: z.string().nullable(),
});
export type Outcome = z.output<typeof outcomeSchema>;

const LIST = 'salvage.ndjson';
const OUTCOMES = 'salvage-outcomes.ndjson';

/** Writes the list beside the report of the run, for its owner's eyes: it holds the rows themselves. */
export async function writeList(
  runId: string,
  write: (add: (line: Line) => Promise<void>) => Promise<void>,
): Promise<{ readonly file: string; readonly sha256: string; readonly lines: number }> {
  const directory = reportDirectory(runId);
  await mkdir(directory, { recursive: true, mode: 0o700 });
  const file = join(directory, LIST);
  const hash = createHash('sha256');
  let lines = 0;
  const handle = await open(`${file}.new`, 'w', 0o600);
  try {
    await write(async (line) => {
      const text = `${JSON.stringify(line)}\n`;
      hash.update(text);
      lines += 1;
      await handle.write(text);
    });
    await handle.sync();
  } finally {
    await handle.close();
  }
  await rename(`${file}.new`, file);
  return { file, sha256: hash.digest('hex'), lines };
}

/** @throws PermanentError `SalvageListChanged` where it is not what was approved */
export async function requireUnchanged(file: string, sha256: string): Promise<void> {
  const hash = createHash('sha256');
  try {
    for await (const chunk of createReadStream(file)) hash.update(chunk as Buffer);
  } catch (error) {
    throw changed(file, error);
  }
  if (hash.digest('hex') !== sha256) throw changed(file);
}

function changed(file: string, cause?: unknown): PermanentError {
  return new PermanentError('SalvageListChanged', `${file} is not the list that was approved, or is gone.`, {
    next: 'Abort this run and begin salvage again: what was entered already is not entered twice.',
    ...(cause === undefined ? {} : { cause }),
  });
}

export async function* readList(file: string): AsyncGenerator<Line> {
  for await (const text of createInterface({ input: createReadStream(file) })) {
    if (text !== '') yield lineSchema.parse(JSON.parse(text));
  }
}

/** What became of the rows that were tried, kept as they are tried. */
export interface Outcomes {
  readonly file: string;
  readonly all: ReadonlyMap<string, Outcome>;
  add(outcome: Outcome): Promise<void>;
  close(): Promise<void>;
}

export function nameOf({ table, key }: Pick<Outcome, 'table' | 'key'>): string {
  return JSON.stringify([table, key]);
}

export async function openOutcomes(runId: string): Promise<Outcomes> {
  const file = join(reportDirectory(runId), OUTCOMES);
  const all = new Map<string, Outcome>();
  const handle: FileHandle = await open(file, 'a+', 0o600);
  for (const text of (await handle.readFile('utf8')).split('\n')) {
    const outcome = parsed(text);
    if (outcome !== undefined) all.set(nameOf(outcome), outcome);
  }
  // A line that was cut off by a crash must not swallow the next one.
  await handle.write('\n');
  return {
    file,
    all,
    async add(outcome) {
      await handle.write(`${JSON.stringify(outcome)}\n`);
      all.set(nameOf(outcome), outcome);
    },
    async close() {
      await handle.sync();
      await handle.close();
    },
  };
}

function parsed(text: string): Outcome | undefined {
  try {
    return outcomeSchema.parse(JSON.parse(text));
  } catch {
    return undefined;
  }
}

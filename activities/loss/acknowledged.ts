/** What users were told is done, read from outside the database: the only measure of loss that the database cannot fake. */
import { z } from 'zod';
import { messageOf, PermanentError, TransientError } from '../../src/errors.js';
import type { DataClass } from '../../src/runbook/schema.js';

type Source = NonNullable<DataClass['acknowledged']>;

const recordSchema = z.looseObject({ id: z.string().min(1), at: z.iso.datetime({ offset: true }) });

/** One acknowledged record: its identifier, when it was recorded, and whatever else the source says of it. */
export type Acknowledged = z.output<typeof recordSchema>;

/** The source sends as it reads; silence for this long is a fault. */
const SILENT_MS = 30_000;

/**
 * Reads acknowledged records, oldest first, one at a time: nothing is held in memory whole.
 *
 * @param since ISO 8601; records at or after it
 * @param until ISO 8601; records before it; to the newest where left out
 * @throws TransientError `AcknowledgementsUnreachable`; PermanentError `AcknowledgementsUnreadable` naming the line
 */
export async function* readAcknowledged(
  source: Source,
  range: { readonly since: string; readonly until?: string },
  signal: AbortSignal,
): AsyncGenerator<Acknowledged> {
  const url = new URL(source.url);
  url.searchParams.set('since', range.since);
  if (range.until !== undefined) url.searchParams.set('until', range.until);
  const silence = new AbortController();
  const watch = () =>
    setTimeout(() => silence.abort(new Error(`nothing for ${SILENT_MS / 1000} s`)), SILENT_MS);
  let timer = watch();
  let number = 0;
  try {
    const answer = await fetch(url, { signal: AbortSignal.any([signal, silence.signal]) });
    if (!answer.ok || answer.body === null) throw new Error(`it answers ${answer.status}`);
    for await (const line of linesOf(answer.body)) {
      number += 1;
      // The reader may take its time: only the source is timed.
      clearTimeout(timer);
      if (line.trim() !== '') yield parse(url, number, line);
      timer = watch();
    }
  } catch (error) {
    signal.throwIfAborted();
    throw error instanceof PermanentError ? error : unreachable(url, error);
  } finally {
    clearTimeout(timer);
  }
}

async function* linesOf(body: AsyncIterable<Uint8Array>): AsyncGenerator<string> {
  const decoder = new TextDecoder();
  let rest = '';
  for await (const chunk of body) {
    const lines = (rest + decoder.decode(chunk, { stream: true })).split('\n');
    rest = lines.pop() ?? '';
    yield* lines;
  }
  yield rest;
}

function parse(url: URL, number: number, line: string): Acknowledged {
  let data: unknown;
  try {
    data = JSON.parse(line);
  } catch {
    data = undefined;
  }
  const parsed = recordSchema.safeParse(data);
  if (parsed.success) return parsed.data;
  throw new PermanentError(
    'AcknowledgementsUnreadable',
    `Line ${number} of ${url.origin}${url.pathname} is no acknowledged record.`,
    {
      why: z.prettifyError(parsed.error),
      next: 'Have the source send one JSON object a line with id and at (ISO 8601), then retry the step.',
    },
  );
}

function unreachable(url: URL, cause: unknown): TransientError {
  return new TransientError(
    'AcknowledgementsUnreachable',
    `The record of acknowledged payments at ${url.origin}${url.pathname} cannot be read: ${messageOf(cause)}.`,
    {
      next: 'Bring the source back or correct its address in the runbook (objectives.dataClasses); the step tries again by itself for a while.',
      cause,
    },
  );
}

/**
 * What the store could not take, kept durably on this machine: one file of JSON lines a run, in order, each synced to disk
 * before it counts as kept.
 *
 * Several processes may share the directory. Draining renames the file first, so that nobody writes into what is being
 * read; who wrote into a file that was renamed under it writes once more. A line may so be kept twice, never lost: the
 * store knows what it has.
 */
import { mkdir, open, readdir, rename, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { fileNameOf } from '../home.js';

const LIVE = '.ndjson';

export class Spool<Item> {
  constructor(readonly directory: string) {}

  /** Keeps items behind those of the same run; they are on disk when this returns. */
  async add(runId: string, items: readonly Item[]): Promise<void> {
    await mkdir(this.directory, { recursive: true, mode: 0o700 });
    const path = this.livePath(runId);
    const lines = items.map((item) => `${JSON.stringify(item)}\n`).join('');
    for (;;) {
      const file = await open(path, 'a+', 0o600);
      let written: number;
      try {
        // A line that a crash cut short stands alone: it was never reported as kept.
        const start = (await endsOpen(file)) ? '\n' : '';
        await file.appendFile(`${start}${lines}`);
        await file.sync();
        written = (await file.stat()).ino;
      } finally {
        await file.close();
      }
      await syncDirectory(this.directory);
      if ((await inodeOf(path)) === written) return;
    }
  }

  /** Runs of which something waits, by the names of their files. */
  async waiting(): Promise<string[]> {
    const names = await this.files();
    return [...new Set(names.map((name) => name.slice(0, name.indexOf(LIVE))))].map(decodeURIComponent);
  }

  async isEmpty(runId: string): Promise<boolean> {
    return (await this.files(runId)).length === 0;
  }

  /** What waits for a run, oldest first; nothing is taken. An item may be in it twice. */
  async peek(runId: string): Promise<Item[]> {
    const found: Item[] = [];
    for (const name of await this.files(runId)) {
      for await (const items of readItems<Item>(join(this.directory, name))) found.push(...items);
    }
    return found;
  }

  /**
   * Hands everything that waits for a run to `take`, oldest first, and removes it once it was taken. When `take` throws,
   * what was not taken stays.
   *
   * @param take gets some items at a time; may get the same one again after a crash
   */
  async drain(runId: string, take: (items: readonly Item[]) => Promise<void>): Promise<void> {
    await this.takeAside(runId, take);
    const live = this.livePath(runId);
    await rename(live, `${live}.${Date.now()}-${process.pid}`).catch(ignoreMissing);
    await this.takeAside(runId, take);
  }

  private async takeAside(runId: string, take: (items: readonly Item[]) => Promise<void>): Promise<void> {
    for (const name of await this.files(runId)) {
      if (name.endsWith(LIVE)) continue;
      const path = join(this.directory, name);
      for await (const items of readItems<Item>(path)) await take(items);
      await rm(path, { force: true });
    }
  }

  private livePath(runId: string): string {
    return join(this.directory, `${fileNameOf(runId)}${LIVE}`);
  }

  /** Names in the order in which they were written; the live file last. */
  private async files(runId?: string): Promise<string[]> {
    const prefix = runId === undefined ? undefined : `${fileNameOf(runId)}${LIVE}`;
    const names = await readdir(this.directory).catch((error) => {
      ignoreMissing(error);
      return [];
    });
    return names
      .filter((name) => name.includes(LIVE))
      .filter((name) => prefix === undefined || name === prefix || name.startsWith(`${prefix}.`))
      .sort(
        (one, other) => Number(one.endsWith(LIVE)) - Number(other.endsWith(LIVE)) || (one < other ? -1 : 1),
      );
  }
}

const BATCH = 200;

async function* readItems<Item>(path: string): AsyncGenerator<Item[]> {
  const file = await open(path, 'r');
  let batch: Item[] = [];
  try {
    for await (const line of file.readLines()) {
      const item = parse<Item>(line);
      if (item === undefined) continue;
      batch.push(item);
      if (batch.length < BATCH) continue;
      yield batch;
      batch = [];
    }
  } finally {
    await file.close().catch(() => undefined);
  }
  if (batch.length > 0) yield batch;
}

/** undefined for a line that a crash cut short. */
function parse<Item>(line: string): Item | undefined {
  try {
    return JSON.parse(line);
  } catch {
    return undefined;
  }
}

async function endsOpen(file: Awaited<ReturnType<typeof open>>): Promise<boolean> {
  const { size } = await file.stat();
  if (size === 0) return false;
  const { buffer } = await file.read(Buffer.alloc(1), 0, 1, size - 1);
  return buffer[0] !== 0x0a;
}

async function inodeOf(path: string): Promise<number | undefined> {
  return stat(path).then(
    (found) => found.ino,
    () => undefined,
  );
}

/** A new file is only durable when its directory is. */
async function syncDirectory(path: string): Promise<void> {
  const directory = await open(path, 'r');
  try {
    await directory.sync();
  } finally {
    await directory.close();
  }
}

function ignoreMissing(error: unknown): void {
  if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
}

/**
 * A load without syncing leaves everything in memory until its end, and then waits for the disk. What it has written so far can go
 * there meanwhile: loading is the processors' work.
 */
import { open, readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';

const PAUSE_MS = 300;
/** A pass over very many files must not become the work itself. */
const PAUSE_OF_A_PASS = 5;
/** Little files are written in no time at the end. */
const LARGE_BYTES = 4 * 1024 * 1024;

/**
 * Has the files of a cluster's databases written to the disk, one at a time, while `work` goes on. It only makes a later sync
 * of all of it shorter, and never fails: what it could not write is written then.
 *
 * @param dataDirectory of a server on this machine
 */
export async function writingBack<T>(dataDirectory: string, work: () => Promise<T>): Promise<T> {
  const over = new AbortController();
  const writing = writeUntil(join(dataDirectory, 'base'), over.signal);
  try {
    return await work();
  } finally {
    over.abort();
    await writing;
  }
}

async function writeUntil(base: string, over: AbortSignal): Promise<void> {
  let since = 0;
  while (!over.aborted) {
    const begun = Date.now();
    for (const file of await changedSince(base, since)) {
      if (over.aborted) return;
      await writeDown(file);
    }
    // Whatever is written while a pass goes on is seen by the next one.
    since = begun;
    const pauseMs = Math.max(PAUSE_MS, PAUSE_OF_A_PASS * (Date.now() - begun));
    await wait(Math.min(pauseMs, 10_000), undefined, { signal: over }).catch(() => undefined);
  }
}

/** Large files of every database below `base` that were written to since that moment, milliseconds since 1970. */
export async function changedSince(base: string, sinceMs: number): Promise<readonly string[]> {
  const found: string[] = [];
  for (const database of await readdir(base).catch(() => [])) {
    for (const name of await readdir(join(base, database)).catch(() => [])) {
      const file = join(base, database, name);
      const seen = await stat(file).catch(() => undefined);
      if (seen?.isFile() && seen.size >= LARGE_BYTES && seen.mtimeMs >= sinceMs) found.push(file);
    }
  }
  return found;
}

/** A table that is dropped meanwhile is gone. */
async function writeDown(file: string): Promise<void> {
  const handle = await open(file, 'r').catch(() => undefined);
  if (handle === undefined) return;
  await handle.datasync().catch(() => undefined);
  await handle.close().catch(() => undefined);
}

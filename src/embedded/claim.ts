/** One embedded server a home: two on one database file would destroy it. */
import { mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { RefusedError } from '../errors.js';
import { isRunning, type ProcessMark, startMarkOf } from '../process-mark.js';
import { lastEmbedded } from './state.js';

/**
 * Claims the home for this process.
 *
 * @returns what gives it free again
 * @throws RefusedError `EmbeddedRuns` naming the process that has it, since when, and where it is reached
 */
export async function claimHome(home: string): Promise<() => Promise<void>> {
  await mkdir(home, { recursive: true, mode: 0o750 });
  const file = join(home, 'embedded.lock');
  const own: ProcessMark = { pid: process.pid, startMark: startMarkOf(process.pid) ?? '' };
  for (;;) {
    try {
      await writeFile(file, JSON.stringify(own), { flag: 'wx' });
      return () => rm(file, { force: true });
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
    }
    const holder = await holderOf(file);
    if (holder !== undefined && isRunning(holder)) throw await runsAlready(home, holder);
    await rm(file, { force: true });
  }
}

async function holderOf(file: string): Promise<ProcessMark | undefined> {
  try {
    return JSON.parse(await readFile(file, 'utf8')) as ProcessMark;
  } catch {
    return undefined;
  }
}

async function runsAlready(home: string, holder: ProcessMark): Promise<RefusedError> {
  const state = await lastEmbedded(home);
  const known = state?.serve.pid === holder.pid ? state : undefined;
  const where =
    known === undefined
      ? ' and is starting'
      : ` since ${known.startedAt}: Temporal at ${known.temporal.address}, its UI at ${known.temporal.uiUrl}`;
  return new RefusedError(
    'EmbeddedRuns',
    `muster serve runs already for ${home}, as process ${holder.pid}${where}. No second one was started.`,
    {
      next: 'Use it: other muster commands find it by themselves. For another one set another MUSTER_HOME.',
      details: { pid: holder.pid, ...(known === undefined ? {} : { address: known.temporal.address }) },
    },
  );
}

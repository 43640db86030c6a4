/** One embedded server a home: two on one database file would destroy it. */
import { mkdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { RefusedError } from '../errors.js';
import { claimFile, type ProcessMark } from '../process-mark.js';
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
  const holder = await claimFile(file);
  if (holder !== undefined) throw await runsAlready(home, holder);
  return () => rm(file, { force: true });
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

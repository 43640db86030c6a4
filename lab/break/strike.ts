/** Servers and their processes, struck from outside as a power cut does it. */
import { readdirSync, readFileSync } from 'node:fs';
import { activeSite, runningServer } from '../clusters.js';
import { LabError } from '../errors.js';
import { type Layout, layoutOf, type SiteName } from '../layout.js';
import { type ProcessMark, startMarkOf } from '../process.js';
import type { LabState } from '../state.js';
import { waitFor } from '../wait.js';

/**
 * The server that takes the writes.
 * @param what is to be lost, for the error
 * @throws LabError when none runs
 */
export async function runningPrimary(
  state: LabState,
  what: string,
): Promise<{ readonly layout: Layout; readonly site: SiteName; readonly server: ProcessMark }> {
  const layout = layoutOf(state.dir);
  const site = await activeSite(layout);
  const server = await runningServer(layout.sites[site].data);
  if (server !== undefined) return { layout, site, server };
  throw new LabError(
    `No server runs at ${site}: ${what} cannot be lost any more.`,
    'See whether the lab is up (muster lab status).',
  );
}

/** The postmaster first, so that it starts no others; its children of that moment after it. */
export function strikeServer({ pid }: ProcessMark, signal: NodeJS.Signals): number[] {
  const children = childrenOf(pid);
  send(pid, signal);
  const all = [...new Set([...children, ...childrenOf(pid)])];
  for (const child of all) send(child, signal);
  return [pid, ...all];
}

function childrenOf(pid: number): number[] {
  return readdirSync('/proc')
    .map(Number)
    .filter((each) => each > 0 && parentOf(each) === pid);
}

function parentOf(pid: number): number | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    return Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[1]);
  } catch {
    return undefined;
  }
}

export function send(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(pid, signal);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
  }
}

export function untilGone(pids: readonly number[]): Promise<void> {
  return waitFor({ what: 'what was killed to be gone', deadlineMs: 10_000, pollMs: 10 }, async () => {
    const left = pids.filter((pid) => startMarkOf(pid) !== undefined);
    if (left.length > 0) throw new Error(`${left.join(', ')} are still there`);
  });
}

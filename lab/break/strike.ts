/** Servers and their processes, struck from outside as a power cut does it. */
import { readdirSync, readFileSync } from 'node:fs';
import { type ProcessMark, startMarkOf } from '../process.js';
import { waitFor } from '../wait.js';

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

/** The primary's availability zone is lost: its server and the application there are gone, or nobody can reach them. */
import { readdirSync, readFileSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { activeSite, lostMark, runningServer } from '../clusters.js';
import { LabError } from '../errors.js';
import { layoutOf, type SiteName } from '../layout.js';
import { isRunning, type ProcessMark, startMarkOf } from '../process.js';
import { hasStandby } from '../standby.js';
import type { LabState } from '../state.js';
import { waitFor } from '../wait.js';

/** `dead`: every process is killed; `cut-off`: they live on and answer nobody, so nothing can be proven about them. */
export type ZoneFate = 'dead' | 'cut-off';

/** What the loss of the zone took. Times are this machine's clock, ISO 8601 UTC. */
export interface ZoneLoss {
  readonly at: string;
  readonly site: SiteName;
  readonly fate: ZoneFate;
  /** Processes of the primary's server, its postmaster first. */
  readonly serverPids: readonly number[];
  readonly applicationPid: number | null;
  /** Whether there is a streaming standby in another zone. */
  readonly standby: boolean;
}

/**
 * Takes the zone of the primary away, all at once and without any warning, as a power cut or a cut line does it.
 *
 * @param state a lab that is up
 * @throws LabError when no primary runs
 */
export async function breakZone(state: LabState, fate: ZoneFate = 'dead'): Promise<ZoneLoss> {
  const layout = layoutOf(state.dir);
  const site = await activeSite(layout);
  const server = await runningServer(layout.sites[site].data);
  if (server === undefined) {
    throw new LabError(
      `No server runs at ${site}: its zone cannot be lost any more.`,
      'See whether the lab is up (muster lab status).',
    );
  }
  const application = state.parts['payymo-app'];
  const lives = application !== undefined && isRunning(application);
  const standby = await hasStandby(layout);
  await writeFile(lostMark(layout, site), `${fate}\n`);
  const signal = fate === 'dead' ? 'SIGKILL' : 'SIGSTOP';
  const at = new Date().toISOString();
  const pids = strikeServer(server, signal);
  if (lives) send(application.pid, 'SIGKILL');
  if (fate === 'dead') await untilGone(pids);
  return { at, site, fate, serverPids: pids, applicationPid: lives ? application.pid : null, standby };
}

/** The postmaster first, so that it starts no others; its children of that moment after it. */
function strikeServer({ pid }: ProcessMark, signal: NodeJS.Signals): number[] {
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

function send(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(pid, signal);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
  }
}

function untilGone(pids: readonly number[]): Promise<void> {
  return waitFor(
    { what: 'the processes of the zone to be gone', deadlineMs: 10_000, pollMs: 10 },
    async () => {
      const left = pids.filter((pid) => startMarkOf(pid) !== undefined);
      if (left.length > 0) throw new Error(`${left.join(', ')} are still there`);
    },
  );
}

/** The primary's availability zone is lost: its server and the application there are gone, or nobody can reach them. */
import { writeFile } from 'node:fs/promises';
import { lostMark } from '../clusters.js';
import type { SiteName } from '../layout.js';
import { isRunning } from '../process.js';
import { hasStandby } from '../standby.js';
import type { LabState } from '../state.js';
import { runningPrimary, send, strikeServer, untilGone } from './strike.js';

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
  const { layout, site, server } = await runningPrimary(state, 'its zone');
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

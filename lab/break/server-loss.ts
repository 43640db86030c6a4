/** The primary's server is gone, its disk with it; everything else goes on and finds no database. */
import { rm, writeFile } from 'node:fs/promises';
import { lostMark } from '../clusters.js';
import type { SiteName } from '../layout.js';
import type { LabState } from '../state.js';
import { runningPrimary, strikeServer, untilGone } from './strike.js';

/** Times are this machine's clock, ISO 8601 UTC. */
export interface ServerLoss {
  readonly at: string;
  readonly site: SiteName;
  readonly serverPids: readonly number[];
  /** The folder that the cluster was in. */
  readonly dataDir: string;
}

/**
 * Kills the primary and deletes its data directory: what it had not archived exists nowhere any more.
 *
 * @param state a lab that is up
 * @throws LabError when no primary runs
 */
export async function breakServer(state: LabState): Promise<ServerLoss> {
  const { layout, site, server } = await runningPrimary(state, 'it');
  const { data: dataDir } = layout.sites[site];
  await writeFile(lostMark(layout, site), 'gone\n');
  const at = new Date().toISOString();
  const serverPids = strikeServer(server, 'SIGKILL');
  await untilGone(serverPids);
  await rm(dataDir, { recursive: true, force: true, maxRetries: 3 });
  return { at, site, serverPids, dataDir };
}

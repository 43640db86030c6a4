/** The region of the primary is lost, with everything that Payymo and its backups have there. */
import { rename, rm, writeFile } from 'node:fs/promises';
import { lostMark, regionLostMark, runningServer } from '../clusters.js';
import { LabError } from '../errors.js';
import { exists } from '../folders.js';
import { type Layout, REGION_OF, type RegionName, SITES, type SiteName } from '../layout.js';
import { isRunning } from '../process.js';
import type { LabState, PartState } from '../state.js';
import { runningPrimary, send, strikeServer, untilGone } from './strike.js';

/** What the loss of the region took. Times are this machine's clock, ISO 8601 UTC. */
export interface RegionLoss {
  readonly at: string;
  readonly region: RegionName;
  readonly sites: readonly SiteName[];
  /** Processes of all servers there. */
  readonly serverPids: readonly number[];
  readonly applicationPid: number | null;
  readonly storePid: number | null;
}

/** What lies on a disk of a lost region is out of everybody's sight. */
export async function takeOutOfSight(folder: string): Promise<void> {
  if (await exists(folder)) await rename(folder, `${folder}.lost-with-region`);
}

/** Kills the object store of a region and keeps it down. @returns its process; null where it was down already */
export async function loseStore(state: LabState, layout: Layout, region: RegionName): Promise<number | null> {
  await writeFile(regionLostMark(layout, region), 'lost\n');
  return kill(state.parts[`s3-${region}`]);
}

/**
 * The region is there again: its object store may run, with what it held. Servers are not: their disks stay out of sight.
 * `muster lab up` starts the store.
 */
export function regainStore(layout: Layout, region: RegionName): Promise<void> {
  return rm(regionLostMark(layout, region), { force: true });
}

/** @returns its number; null where it does not run */
export function kill(part: PartState | undefined): number | null {
  if (part === undefined || !isRunning(part)) return null;
  send(part.pid, 'SIGKILL');
  return part.pid;
}

/**
 * Takes the region of the primary away, all at once and without any warning: database, standby, application and object store.
 * Nobody sees their disks any more, and `muster lab up` starts nothing there.
 *
 * @param state a lab that is up
 * @throws LabError when no primary runs, or it is in the other region already
 */
export async function breakRegion(state: LabState): Promise<RegionLoss> {
  const { layout, site } = await runningPrimary(state, 'its region');
  const region = REGION_OF[site];
  if (region !== 'west') {
    throw new LabError(
      `The primary is in the ${region} already: with that region the vault of Muster would be lost as well.`,
      'Bring the primary back to the west first, or take the lab down and up again.',
    );
  }
  const sites = SITES.filter((name) => REGION_OF[name] === region);
  for (const name of sites) await writeFile(lostMark(layout, name), 'region\n');
  const servers = await Promise.all(sites.map((name) => runningServer(layout.sites[name].data)));
  const at = new Date().toISOString();
  const serverPids = servers.flatMap((server) =>
    server === undefined ? [] : strikeServer(server, 'SIGKILL'),
  );
  const applicationPid = kill(state.parts['payymo-app']);
  const storePid = await loseStore(state, layout, region);
  await untilGone([...serverPids, ...[applicationPid, storePid].filter((pid) => pid !== null)]);
  for (const name of sites) {
    await takeOutOfSight(layout.sites[name].data);
  }
  return { at, region, sites, serverPids, applicationPid, storePid };
}

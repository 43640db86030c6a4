/** The region of the primary is lost, with everything that Payymo and its backups have there. */
import { rename, writeFile } from 'node:fs/promises';
import { lostMark, regionLostMark, runningServer } from '../clusters.js';
import { LabError } from '../errors.js';
import { exists } from '../folders.js';
import { REGION_OF, type RegionName, SITES, type SiteName } from '../layout.js';
import { isRunning } from '../process.js';
import type { LabState } from '../state.js';
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

/** A cluster of a lost region, out of everybody's sight. */
const OUT_OF_SIGHT = '.lost-with-region';

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
  await writeFile(regionLostMark(layout, region), 'lost\n');
  const servers = await Promise.all(sites.map((name) => runningServer(layout.sites[name].data)));
  const others = [state.parts['payymo-app'], state.parts[`s3-${region}`]];
  const at = new Date().toISOString();
  const serverPids = servers.flatMap((server) =>
    server === undefined ? [] : strikeServer(server, 'SIGKILL'),
  );
  const [applicationPid = null, storePid = null] = others.map((part) => {
    if (part === undefined || !isRunning(part)) return null;
    send(part.pid, 'SIGKILL');
    return part.pid;
  });
  await untilGone([...serverPids, ...[applicationPid, storePid].filter((pid) => pid !== null)]);
  for (const name of sites) {
    const { data } = layout.sites[name];
    if (await exists(data)) await rename(data, `${data}${OUT_OF_SIGHT}`);
  }
  return { at, region, sites, serverPids, applicationPid, storePid };
}

import { readdir, readFile, readlink, realpath, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { leaseFileOf } from '../activities/provision/lease.js';
import { exists } from './folders.js';
import type { ClusterLayout, Layout, RegionName, SiteName } from './layout.js';
import { type ProcessMark, startMarkOf } from './process.js';
import { WORLD_NAMES, worldNamed } from './worlds/index.js';

/**
 * The server that runs on a data directory, whoever started it. Its pid file alone is not believed: the process must
 * have that very folder as its working directory, which PostgreSQL always has.
 */
export async function runningServer(dataDir: string): Promise<ProcessMark | undefined> {
  try {
    const pid = Number((await readFile(join(dataDir, 'postmaster.pid'), 'utf8')).split('\n')[0]);
    const startMark = startMarkOf(pid);
    if (!startMark || (await readlink(`/proc/${pid}/cwd`)) !== (await realpath(dataDir))) return undefined;
    return { pid, startMark };
  } catch {
    return undefined;
  }
}

/** Every PostgreSQL server on a data directory of the lab, also those that a recovery has started or put in quarantine. */
export async function serversOf(layout: Layout): Promise<ProcessMark[]> {
  const worlds = WORLD_NAMES.map((name) =>
    layout.worldOf(
      name,
      worldNamed(name).sites.map((site) => site.name),
    ),
  );
  const quarantines = [layout.quarantine, ...worlds.map(({ quarantine }) => quarantine)];
  const quarantined = await Promise.all(
    quarantines.map(async (folder) =>
      (await readdir(folder).catch(() => [])).map((name) => join(folder, name)),
    ),
  );
  const folders = [
    layout.store.data,
    ...[layout, ...worlds].flatMap(({ sites }) => Object.values(sites).map(({ data }) => data)),
    ...quarantined.flat().flatMap((folder) => [folder, join(folder, 'data')]),
  ];
  const found = await Promise.all(folders.map(runningServer));
  return found.filter((mark) => mark !== undefined);
}

/**
 * The site whose cluster takes writes: the one that was promoted last. The others are then fenced, in quarantine or standbys, and
 * nothing of the lab may ever start them as primaries again.
 */
export async function activeSite(layout: Layout): Promise<SiteName> {
  const promoted: { readonly site: SiteName; readonly timeline: number }[] = [];
  for (const site of ['west', 'standby', 'recovery', 'east'] as const) {
    const { data } = layout.sites[site];
    const there = (name: string) => exists(join(data, name));
    const takesWrites =
      (await there('global/pg_control')) &&
      !(await there('recovery.signal')) &&
      !(await there('standby.signal'));
    if (takesWrites) promoted.push({ site, timeline: await newestTimeline(data) });
  }
  return promoted.sort((one, other) => other.timeline - one.timeline)[0]?.site ?? 'west';
}

async function newestTimeline(data: string): Promise<number> {
  const names = await readdir(join(data, 'pg_wal')).catch(() => []);
  return Math.max(1, ...names.filter((name) => name.endsWith('.history')).map((name) => parseInt(name, 16)));
}

/**
 * Whether the zone of a site was lost to a disaster of the lab: nothing is started there again. A cluster that was copied there
 * since says that the site is back.
 */
export async function isLost(layout: Layout, site: SiteName): Promise<boolean> {
  const lost = await stat(lostMark(layout, site)).catch(() => undefined);
  if (lost === undefined) return false;
  const copied = await stat(join(layout.sites[site].data, 'backup_manifest')).catch(() => undefined);
  return copied === undefined || copied.mtimeMs < lost.mtimeMs;
}

/** The file that says so. */
export function lostMark(layout: Layout, site: SiteName): string {
  return join(layout.sites[site].base, 'zone-lost');
}

/** Whether a region was lost to a disaster of the lab. */
export function isRegionLost(layout: Layout, region: RegionName): Promise<boolean> {
  return exists(regionLostMark(layout, region));
}

/** The file that says so. */
export function regionLostMark(layout: Layout, region: RegionName): string {
  return join(layout.s3[region], 'region-lost');
}

/** Whether a recovery has begun at a site of recovered copies and has not promoted its copy. */
export async function recoveryUnderWay(layout: Layout): Promise<boolean> {
  const begun = async ({ data }: ClusterLayout) =>
    (await exists(leaseFileOf(data))) ||
    // A site that a way home has left is an ordinary standby.
    (!(await exists(join(data, 'standby.signal'))) && (await exists(join(data, 'PG_VERSION'))));
  const { recovery, east } = layout.sites;
  return ((await begun(recovery)) || (await begun(east))) && (await activeSite(layout)) === 'west';
}

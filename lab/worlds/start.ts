/** Starts the systems beside Payymo, or what of them is down. */
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { CreateBucketCommand, PutBucketVersioningCommand } from '@aws-sdk/client-s3';
import { leaseFileOf } from '../../activities/provision/lease.js';
import { isRegionLost, runningServer } from '../clusters.js';
import { exists } from '../folders.js';
import type { World } from '../keeper.js';
import { REGIONS, type RegionName } from '../layout.js';
import { type PartContext, regionStore } from '../parts/all.js';
import { ensurePart, type PartSpec } from '../parts/part.js';
import { ensureEvidenceBucket, lockBucket, withStore } from '../parts/s3.js';
import { isRunning } from '../process.js';
import type { PlaceName } from './definition.js';
import { ensureWorldFiles } from './files.js';
import { isWorld, type WorldName } from './index.js';
import { makeWorld } from './make.js';
import { type WorldInLab, worldAppPart, worldClientPart, worldIn, worldPostgresPart } from './parts.js';

/** The systems beside Payymo that a lab holds, in the order in which they came. */
export function worldsOf({ layout, state }: Pick<PartContext, 'layout' | 'state'>): WorldInLab[] {
  return state.systems.filter(isWorld).map((name) => worldIn({ layout, state }, name));
}

/** Makes the system where it is missing, else starts its primary again. */
export async function ensureWorldDatabase(
  world: World,
  context: PartContext,
  name: WorldName,
): Promise<void> {
  if (world.state.worlds[name] === undefined) return makeWorld(world, context, name);
  await startDatabase(world, context, worldIn({ layout: context.layout, state: world.state }, name));
}

/** The region of the site that the record leads to where it has to be made. */
export async function homeRegionOf(own: WorldInLab): Promise<RegionName> {
  const home = await homeOf(own);
  return own.definition.sites.find(({ name }) => name === home)?.region ?? own.definition.sites[0].region;
}

/**
 * The site that the record leads to where it has to be made: the first one with a cluster that was not lost and is no standby. Once a recovery
 * has begun, clusters are its own: none is started beside it, that could make a second primary.
 */
export async function homeOf({ layout, definition }: WorldInLab): Promise<PlaceName> {
  for (const { name } of definition.sites) {
    const cluster = layout.sites[name];
    if (
      cluster &&
      (await exists(join(cluster.data, 'PG_VERSION'))) &&
      !(await exists(join(cluster.data, 'standby.signal'))) &&
      !(await exists(lostMarkOf(cluster.base)))
    )
      return name;
  }
  return definition.sites[0].name;
}

/** The file that says that a disaster of the lab took this place away. */
export function lostMarkOf(base: string): string {
  return join(base, 'zone-lost');
}

/** Nothing is started again at a place that was marked so. */
export async function markLost(base: string, why: string): Promise<void> {
  await writeFile(lostMarkOf(base), `${why}\n`);
}

/** Whether a recovery has taken one of the other places. */
export async function recoveryHasBegun({ layout, definition }: WorldInLab): Promise<boolean> {
  const [, ...others] = definition.sites;
  const taken = await Promise.all(
    others.map(async ({ name }) => {
      const data = layout.sites[name]?.data ?? '';
      if (await exists(leaseFileOf(data))) return true;
      // An ordinary standby follows its primary.
      return (await exists(join(data, 'PG_VERSION'))) && !(await exists(join(data, 'standby.signal')));
    }),
  );
  return taken.some(Boolean);
}

async function startDatabase(world: World, context: PartContext, own: WorldInLab): Promise<void> {
  const home = await homeOf(own);
  const cluster = own.layout.sites[home];
  if (cluster === undefined) return;
  const known = world.known(`${own.name}-postgres-${home}`);
  if (!(known && isRunning(known))) {
    if (await runningServer(cluster.data)) return;
    if ((await recoveryHasBegun(own)) || !(await exists(join(cluster.data, 'PG_VERSION')))) {
      world.log(`${own.name}: a recovery has begun, or its server is lost; its servers are left as they are`);
      return;
    }
  }
  await ensurePart(await worldPostgresPart(context, own, home), world);
}

/** Application and client; while the database is being recovered it is enough that they respond. */
export async function startWorldService(world: World, context: PartContext, name: WorldName): Promise<void> {
  const own = worldIn({ layout: context.layout, state: world.state }, name);
  const known = world.known(`${name}-postgres-${await homeOf(own)}`);
  const well = known !== undefined && isRunning(known) && !(await recoveryHasBegun(own));
  const lab = { layout: context.layout, state: world.state };
  for (const spec of [worldAppPart(lab, own, await homeRegionOf(own)), worldClientPart(lab, own)]) {
    const asIs: PartSpec = { ...spec, answers: spec.responds ?? spec.answers };
    await ensurePart(well ? spec : asIs, world);
  }
}

/** The server that takes the system's writes runs, and no recovery has begun. */
export async function isAtHome(own: WorldInLab): Promise<boolean> {
  const cluster = own.layout.sites[await homeOf(own)];
  if (cluster === undefined || (await recoveryHasBegun(own))) return false;
  return (await runningServer(cluster.data)) !== undefined;
}

/**
 * The system's bucket in each region that is not lost: versioned, so that what is overwritten or deleted can be had again. Those of its
 * files come with it, and that of its evidence. In the other region what pgBackRest puts there is locked by the bucket; archives are
 * by whoever makes them.
 */
export async function ensureWorldBuckets(context: PartContext, own: WorldInLab): Promise<void> {
  const { bucket, backup } = own.state;
  const east = regionStore(context, 'east');
  await Promise.all([
    ensureWorldFiles(context, own),
    ensureEvidenceBucket(east, own.name),
    ...REGIONS.map((region) => ensureBackups(context, bucket, region)),
  ]);
  if (backup.driver === 'pgbackrest') await lockBucket(east, bucket);
}

async function ensureBackups(context: PartContext, bucket: string, region: RegionName): Promise<void> {
  if (await isRegionLost(context.layout, region)) return;
  await withStore(regionStore(context, region), async (store) => {
    try {
      await store.send(new CreateBucketCommand({ Bucket: bucket, ObjectLockEnabledForBucket: true }));
    } catch (error) {
      if ((error as { name?: string }).name !== 'BucketAlreadyOwnedByYou') throw error;
    }
    await store.send(
      new PutBucketVersioningCommand({ Bucket: bucket, VersioningConfiguration: { Status: 'Enabled' } }),
    );
  });
}

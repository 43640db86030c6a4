import { join } from 'node:path';
import { activeSite, isLost, isRegionLost, recoveryUnderWay, runningServer } from './clusters.js';
import { exists } from './folders.js';
import type { World } from './keeper.js';
import { REGION_OF, REGIONS, type RegionName, type SiteName } from './layout.js';
import {
  dnsSetup,
  ledgerPart,
  orchestratorPart,
  type PartContext,
  regionPart,
  regionStore,
  storePart,
} from './parts/all.js';
import { dnsPart, ensureZone, route53Part } from './parts/dns.js';
import { ensurePart, type PartSpec } from './parts/part.js';
import { appPart, clientPart } from './parts/payymo.js';
import { BACKUP_BUCKET, ensureEvidenceBucket, lockBucket } from './parts/s3.js';
import { prepareStore } from './parts/store-schema.js';
import { workerPart } from './parts/worker.js';
import { isRunning, stopProcess } from './process.js';
import { isWorld, type SystemName } from './worlds/index.js';
import {
  ensureWorldBuckets,
  ensureWorldDatabase,
  homeOf,
  startWorldService,
  worldsOf,
} from './worlds/start.js';

/**
 * Starts what does not run yet; what does not depend on each other, at once.
 *
 * @param more systems that are made where they do not live in the lab yet
 * @throws LabError of the first part that failed
 */
export async function startAll(
  world: World,
  withWorker: 'when-built' | 'none',
  context: PartContext,
  more: readonly SystemName[] = [],
): Promise<void> {
  const now = (): PartContext => ({ ...context, state: world.state });
  const ensure = (spec: PartSpec) => ensurePart(spec, world);
  const active = await activeSite(context.layout);
  const worker = withWorker === 'none' ? undefined : workerPart(context);
  const withPayymo = world.state.systems.includes('payymo');
  const wanted = [...new Set([...world.state.systems, ...more])].filter(isWorld);
  const regions = Promise.all(REGIONS.map((region) => startRegion(world, context, region)));
  const primary = withPayymo ? startLedger(world, context, active) : undefined;
  const databases = Promise.all(wanted.map((name) => ensureWorldDatabase(world, context, name)));
  const names = startNames(world, context, withPayymo ? active : undefined, databases);
  const muster = [
    orchestratorPart(context).then(ensure),
    ensure(storePart(context)).then(() => prepareStore(context)),
  ];
  await together([
    ...muster,
    regions,
    primary,
    databases,
    names,
    Promise.all([primary, names]).then(async ([ledger]) => {
      if (await isRegionLost(context.layout, REGION_OF[active])) return;
      // While the ledger is being recovered Payymo cannot be well: that it responds is enough.
      const asIs = (spec: PartSpec): PartSpec => ({ ...spec, answers: spec.responds ?? spec.answers });
      if (ledger === undefined) return;
      for (const spec of [appPart(context, REGION_OF[active]), clientPart(context)]) {
        await ensure(ledger === 'runs' ? spec : asIs(spec));
      }
    }),
    ...wanted.map((name) =>
      Promise.all([databases, names]).then(() => startWorldService(world, context, name)),
    ),
    Promise.all([regions, databases]).then(() =>
      Promise.all(worldsOf(now()).map((own) => ensureWorldBuckets(context, own))),
    ),
    regions.then(async () => {
      if (!withPayymo) return;
      const store = regionStore(context, 'east');
      await ensureEvidenceBucket(store, 'payymo');
      await lockBucket(store, BACKUP_BUCKET);
    }),
    Promise.all(muster).then(async () => worker && ensure(worker)),
  ]);
}

async function startRegion(world: World, context: PartContext, region: RegionName): Promise<void> {
  if (!(await isRegionLost(context.layout, region)))
    await ensurePart(await regionPart(context, region), world);
  else world.log(`s3-${region}: the region is lost, its store is left as it is`);
}

/**
 * Starts the cluster that takes writes, unless it runs. Once a recovery has begun the clusters are its own: starting one
 * beside it could make a second primary.
 */
async function startLedger(
  world: World,
  context: PartContext,
  site: SiteName,
): Promise<'runs' | 'left-alone'> {
  const { layout } = context;
  const { data } = layout.sites[site];
  const known = world.known(`postgres-${site}`);
  if (await isLost(layout, site)) {
    world.log(`ledger: the zone of ${site} is lost, its server is left as it is`);
    return 'left-alone';
  }
  const underWay = await recoveryUnderWay(layout);
  if (!(known && isRunning(known))) {
    if (await runningServer(data)) return underWay ? 'left-alone' : 'runs';
    if (underWay || !(await exists(join(data, 'PG_VERSION')))) {
      world.log('ledger: a recovery has begun, its servers are left as they are');
      return 'left-alone';
    }
  }
  await ensurePart(ledgerPart(context, site), world);
  return underWay ? 'left-alone' : 'runs';
}

/** Every zone is in the API before the server that answers from it is started: it looks for all of them then. */
async function startNames(
  world: World,
  context: PartContext,
  ledger: SiteName | undefined,
  databases: Promise<unknown>,
): Promise<void> {
  const setup = dnsSetup(context);
  await ensurePart(await route53Part(setup), world);
  if (ledger !== undefined) {
    const { dns } = world.state;
    const { zoneId } = await ensureZone(setup, dns, context.state.ledger.sites[ledger].address);
    if (zoneId !== dns.zoneId) await world.update({ dns: { ...dns, zoneId } });
  }
  await databases;
  for (const own of worldsOf({ layout: context.layout, state: world.state })) {
    const { dns, sites } = own.state;
    const { zoneId } = await ensureZone(setup, dns, sites[await homeOf(own)]?.address ?? '');
    if (zoneId !== dns.zoneId) await world.addWorld(own.name, { ...own.state, dns: { ...dns, zoneId } });
  }
  const zones = worldsOf({ layout: context.layout, state: world.state }).map(({ state }) => state.dns);
  const { part, changed } = await dnsPart(setup, ledger === undefined ? zones : [world.state.dns, ...zones]);
  const known = world.known('dns');
  if (changed && known !== undefined) await stopProcess(known, part.stopSignal);
  await ensurePart(part, world);
}

/** Waits for all of them, also when one fails, so that nothing is still being started when what was started is stopped. */
async function together(tasks: readonly (Promise<unknown> | undefined)[]): Promise<void> {
  const failed = (await Promise.allSettled(tasks)).filter(({ status }) => status === 'rejected');
  if (failed.length > 0) throw (failed[0] as PromiseRejectedResult).reason;
}

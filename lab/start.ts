import { join } from 'node:path';
import { activeSite, isLost, recoveryUnderWay, runningServer } from './clusters.js';
import { exists } from './folders.js';
import type { World } from './keeper.js';
import type { SiteName } from './layout.js';
import {
  dnsSetup,
  ledgerPart,
  orchestratorPart,
  type PartContext,
  regionPart,
  storePart,
} from './parts/all.js';
import { dnsPart, ensureZone, route53Part } from './parts/dns.js';
import { ensurePart, type PartSpec } from './parts/part.js';
import { appPart, clientPart } from './parts/payymo.js';
import { prepareStore } from './parts/store-schema.js';
import { workerPart } from './parts/worker.js';
import { isRunning } from './process.js';

/** Starts what does not run yet; what does not depend on each other, at once. @throws LabError of the first part that failed */
export async function startAll(
  world: World,
  withWorker: 'when-built' | 'none',
  context: PartContext,
): Promise<void> {
  const ensure = (spec: PartSpec) => ensurePart(spec, world);
  const active = await activeSite(context.layout);
  const worker = withWorker === 'none' ? undefined : workerPart(context);
  const primary = startLedger(world, context, active);
  const names = startNames(world, context, active);
  const muster = [
    orchestratorPart(context).then(ensure),
    ensure(storePart(context)).then(() => prepareStore(context)),
  ];
  await together([
    ...muster,
    regionPart(context, 'west').then(ensure),
    regionPart(context, 'east').then(ensure),
    primary,
    names,
    Promise.all([primary, names]).then(async ([ledger]) => {
      // While the ledger is being recovered Payymo cannot be well: that it responds is enough.
      const asIs = (spec: PartSpec): PartSpec => ({ ...spec, answers: spec.responds ?? spec.answers });
      for (const spec of [appPart(context), clientPart(context)]) {
        await ensure(ledger === 'runs' ? spec : asIs(spec));
      }
    }),
    Promise.all(muster).then(async () => worker && ensure(worker)),
  ]);
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

async function startNames(world: World, context: PartContext, active: SiteName): Promise<void> {
  const setup = dnsSetup(context);
  await ensurePart(await route53Part(setup), world);
  const { zoneId } = await ensureZone(setup, context.state.ledger.sites[active].address);
  if (zoneId !== world.state.dns.zoneId) await world.update({ dns: { ...world.state.dns, zoneId } });
  await ensurePart(await dnsPart(setup, zoneId), world);
}

/** Waits for all of them, also when one fails, so that nothing is still being started when what was started is stopped. */
async function together(tasks: readonly Promise<unknown>[]): Promise<void> {
  const failed = (await Promise.allSettled(tasks)).filter(({ status }) => status === 'rejected');
  if (failed.length > 0) throw (failed[0] as PromiseRejectedResult).reason;
}

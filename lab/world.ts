import { join } from 'node:path';
import { databaseAccount } from './account.js';
import { activeSite, runningServer } from './clusters.js';
import { World } from './keeper.js';
import { layoutOf } from './layout.js';
import { whileLocked } from './lock.js';
import {
  dnsSetup,
  ledgerPart,
  orchestratorPart,
  type PartContext,
  regionPart,
  storePart,
} from './parts/all.js';
import { dnsPart, ensureZone, route53Part } from './parts/dns.js';
import { findPrograms } from './parts/lookup.js';
import { ensurePart, type PartSpec } from './parts/part.js';
import { appPart, clientPart } from './parts/payymo.js';
import { workerPart } from './parts/worker.js';
import type { SeedSize } from './payymo/generate.js';
import { prepareLab } from './prepare.js';
import { ownerRunbook, writeLabRunbook } from './runbook.js';
import { readSecrets } from './secrets.js';
import { type LabState, readState } from './state.js';

/** How large the ledger of an ordinary lab is. */
export const DEFAULT_SIZE: SeedSize = { transactions: 300_000, sizeBytes: 0 };
export const DEFAULT_PAYMENTS_PER_SECOND = 10;

export interface UpOptions {
  /** The lab's folder, absolute. */
  readonly dir: string;
  readonly size?: Partial<SeedSize>;
  readonly paymentsPerSecond?: number;
  /** `none`: without Muster's own worker, for who brings one or needs none. */
  readonly worker?: 'when-built' | 'none';
  /** Receives progress, one line at a time. */
  readonly log: (line: string) => void;
}

/**
 * Brings the lab up: makes it where there is none, keeps every part that runs and answers, starts the others again.
 * What this call has started is stopped again when it fails.
 *
 * @throws LabError naming the part that failed, with the last lines of its log.
 */
export async function upLab(options: UpOptions): Promise<LabState> {
  const layout = layoutOf(options.dir);
  return whileLocked(layout, async () => {
    const programs = findPrograms();
    const account = databaseAccount();
    const size = { ...DEFAULT_SIZE, ...options.size };
    const found = await readState(layout);
    const state =
      found ??
      (await prepareLab(layout, {
        size,
        paymentsPerSecond: options.paymentsPerSecond ?? DEFAULT_PAYMENTS_PER_SECOND,
        programs,
        account,
        log: options.log,
      }));
    if (found && (found.seed.transactions !== size.transactions || found.seed.sizeBytes !== size.sizeBytes)) {
      options.log(`the lab that stands keeps its ledger of ${found.seed.transactions} transactions`);
    }
    const world = new World(layout, state, options.log);
    try {
      await startAll(world, options.worker ?? 'when-built', {
        layout,
        state,
        secrets: await readSecrets(layout.secrets),
        programs,
        account,
      });
    } catch (error) {
      await world.stopStarted();
      throw error;
    }
    await writeLabRunbook(world.state, ownerRunbook(), join(layout.runbooks, 'payymo.yaml'));
    return world.state;
  });
}

async function startAll(
  world: World,
  withWorker: 'when-built' | 'none',
  context: PartContext,
): Promise<void> {
  const ensure = (spec: PartSpec) => ensurePart(spec, world);
  const { layout } = context;
  const active = await activeSite(layout);
  const database = async () => {
    const adopted = !world.known(`postgres-${active}`) && (await runningServer(layout.sites[active].data));
    if (!adopted) await ensure(ledgerPart(context, active));
  };
  const names = async () => {
    const setup = dnsSetup(context);
    await ensure(await route53Part(setup));
    const { zoneId } = await ensureZone(setup, context.state.ledger.sites[active].address);
    if (zoneId !== world.state.dns.zoneId) await world.update({ dns: { ...world.state.dns, zoneId } });
    await ensure(await dnsPart(setup, zoneId));
  };
  const worker = withWorker === 'none' ? undefined : workerPart(context);
  const primary = database();
  const resolving = names();
  const muster = [orchestratorPart(context).then(ensure), ensure(storePart(context))];
  await together([
    ...muster,
    regionPart(context, 'west').then(ensure),
    regionPart(context, 'east').then(ensure),
    primary,
    resolving,
    Promise.all([primary, resolving]).then(async () => {
      await ensure(appPart(context));
      await ensure(clientPart(context));
    }),
    Promise.all(muster).then(async () => worker && ensure(worker)),
  ]);
}

/** Waits for all of them, also when one fails, so that nothing is still being started when what was started is stopped. */
async function together(tasks: readonly Promise<unknown>[]): Promise<void> {
  const failed = (await Promise.allSettled(tasks)).filter(({ status }) => status === 'rejected');
  if (failed.length > 0) throw (failed[0] as PromiseRejectedResult).reason;
}

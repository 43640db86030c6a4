import { join } from 'node:path';
import { databaseAccount } from './account.js';
import { LabError } from './errors.js';
import { Makeshift, undoneWhenInterrupted } from './interrupt.js';
import { World } from './keeper.js';
import { layoutOf } from './layout.js';
import { releaseLock, whileLocked } from './lock.js';
import type { PartContext } from './parts/all.js';
import { findPrograms } from './parts/lookup.js';
import { ensurePart } from './parts/part.js';
import type { SeedSize } from './payymo/generate.js';
import { writeLabRunbook } from './payymo/runbook.js';
import { prepareLab } from './prepare.js';
import { ownerRunbook } from './runbook.js';
import { readSecrets } from './secrets.js';
import { hasStandby, keepStandby, raiseStandby, welcomeStandbys } from './standby.js';
import { startAll } from './start.js';
import { type LabState, readState } from './state.js';
import { takeFirstArchive } from './worlds/archive.js';
import type { SystemName } from './worlds/index.js';
import { worldPostgresPart } from './worlds/parts.js';
import { raiseWorldStandby, takeFirstBackup, worldHasStandby } from './worlds/physical.js';
import { writeWorldRunbook } from './worlds/runbook.js';
import { homeOf, isAtHome, worldsOf } from './worlds/start.js';

/** How large the ledger of an ordinary lab is. */
export const DEFAULT_SIZE: SeedSize = { transactions: 300_000, sizeBytes: 0 };
export const DEFAULT_PAYMENTS_PER_SECOND = 10;

export interface UpOptions {
  /** The lab's folder, absolute. */
  readonly dir: string;
  /** That shall live in the lab. Left out: those that do; in a new lab Payymo. */
  readonly systems?: readonly SystemName[];
  readonly size?: Partial<SeedSize>;
  readonly paymentsPerSecond?: number;
  /** `none`: without Muster's own worker, for who brings one or needs none. */
  readonly worker?: 'when-built' | 'none';
  /** `raised`: with a streaming standby of the ledger in the other zone. A standby that is there is kept anyhow. */
  readonly standby?: 'raised' | 'as-is';
  /** Receives progress, one line at a time. */
  readonly log: (line: string) => void;
}

/**
 * Brings the lab up: makes it where there is none, keeps every part that runs and answers, starts the others again.
 * What this call has started is stopped again when it fails or is interrupted.
 *
 * @throws LabError naming the part that failed, with the last lines of its log.
 */
export async function upLab(options: UpOptions): Promise<LabState> {
  const layout = layoutOf(options.dir);
  const makeshift = new Makeshift();
  let world: World | undefined;
  const undo = async () => {
    await Promise.all([makeshift.clear(), world?.stopStarted()]);
    await releaseLock(layout);
  };
  return whileLocked(layout, () =>
    undoneWhenInterrupted(undo, async () => {
      const common = { programs: findPrograms(), account: databaseAccount() };
      const size = { ...DEFAULT_SIZE, ...options.size };
      const found = await readState(layout);
      const systems = options.systems ?? found?.systems ?? ['payymo'];
      if (found && systems.includes('payymo') && !found.systems.includes('payymo'))
        throw withoutPayymo(found);
      if (
        found?.systems.includes('payymo') &&
        (found.seed.transactions !== size.transactions || found.seed.sizeBytes !== size.sizeBytes)
      ) {
        options.log(`the lab that stands keeps its ledger of ${found.seed.transactions} transactions`);
      }
      const paymentsPerSecond = options.paymentsPerSecond ?? DEFAULT_PAYMENTS_PER_SECOND;
      const making = { ...common, systems, size, paymentsPerSecond, makeshift, log: options.log };
      const state = found ?? (await prepareLab(layout, making));
      world = new World(layout, state, options.log);
      const context: PartContext = { ...common, layout, state, secrets: await readSecrets(layout.secrets) };
      try {
        await startAll(world, options.worker ?? 'when-built', context, systems);
        const now: PartContext = { ...context, state: world.state };
        await writeRunbooks(now);
        await protectWorlds(world, now);
        await standbys(world, now, options.standby ?? 'as-is');
      } catch (error) {
        await world.stopStarted();
        throw error;
      }
      return world.state;
    }),
  );
}

async function writeRunbooks({ layout, state }: PartContext): Promise<void> {
  if (state.systems.includes('payymo'))
    await writeLabRunbook(state, ownerRunbook(), join(layout.runbooks, 'payymo.yaml'));
  for (const own of worldsOf({ layout, state }))
    await writeWorldRunbook(state, own, layout.secrets, join(layout.runbooks, `${own.name}.yaml`));
}

/** Raises the standbys of those systems that have a place for one, or keeps those that there are. */
async function standbys(world: World, context: PartContext, wanted: 'raised' | 'as-is'): Promise<void> {
  const { layout, state } = context;
  const others = worldsOf({ layout, state }).filter((own) => own.layout.sites.standby !== undefined);
  if (wanted === 'raised' && !state.systems.includes('payymo') && others.length === 0) {
    throw new LabError(
      'No system of this lab has a place for a standby.',
      'Leave --standby out, or name a system that has one.',
    );
  }
  if (state.systems.includes('payymo')) {
    await welcomeStandbys(context);
    if (wanted === 'raised') await raiseStandby(world, context);
    else if (await hasStandby(layout)) await keepStandby(world, context);
  }
  for (const own of others) {
    const home = await homeOf(own);
    if (!(await isAtHome(own))) continue;
    if (wanted === 'raised') await raiseWorldStandby(world, context, own, home);
    else if (await worldHasStandby(own))
      await ensurePart(await worldPostgresPart(context, own, 'standby'), world);
  }
}

/** A system that is recovered has its copies already; one that was just made gets the first. */
async function protectWorlds(world: World, context: PartContext): Promise<void> {
  const { layout, state } = context;
  await Promise.all(
    worldsOf({ layout, state }).map(async (own) => {
      if (!(await isAtHome(own))) return;
      const { backup, dumps } = own.state;
      const taken = [
        backup.driver === 'pgbackrest' ? await takeFirstBackup(context, own) : undefined,
        backup.driver === 'archive' || dumps !== undefined
          ? await takeFirstArchive(join(layout.runbooks, `${own.name}.yaml`))
          : undefined,
      ];
      for (const what of taken) if (what !== undefined) world.log(`${own.name}: ${what}`);
    }),
  );
}

function withoutPayymo({ dir }: LabState): LabError {
  return new LabError(
    `The lab in ${dir} was made without Payymo, which cannot be added.`,
    'Take it down (muster lab down), then bring up all systems that are wanted together.',
  );
}

import { join } from 'node:path';
import { databaseAccount } from './account.js';
import { Makeshift, undoneWhenInterrupted } from './interrupt.js';
import { World } from './keeper.js';
import { layoutOf } from './layout.js';
import { releaseLock, whileLocked } from './lock.js';
import type { PartContext } from './parts/all.js';
import { findPrograms } from './parts/lookup.js';
import type { SeedSize } from './payymo/generate.js';
import { prepareLab } from './prepare.js';
import { ownerRunbook, writeLabRunbook } from './runbook.js';
import { readSecrets } from './secrets.js';
import { hasStandby, keepStandby, raiseStandby } from './standby.js';
import { startAll } from './start.js';
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
      if (
        found &&
        (found.seed.transactions !== size.transactions || found.seed.sizeBytes !== size.sizeBytes)
      ) {
        options.log(`the lab that stands keeps its ledger of ${found.seed.transactions} transactions`);
      }
      const paymentsPerSecond = options.paymentsPerSecond ?? DEFAULT_PAYMENTS_PER_SECOND;
      const making = { ...common, size, paymentsPerSecond, makeshift, log: options.log };
      const state = found ?? (await prepareLab(layout, making));
      world = new World(layout, state, options.log);
      const context: PartContext = { ...common, layout, state, secrets: await readSecrets(layout.secrets) };
      try {
        await startAll(world, options.worker ?? 'when-built', context);
        const now: PartContext = { ...context, state: world.state };
        if (options.standby === 'raised') await raiseStandby(world, now);
        else if (await hasStandby(layout)) await keepStandby(world, now);
      } catch (error) {
        await world.stopStarted();
        throw error;
      }
      await writeLabRunbook(world.state, ownerRunbook(), join(layout.runbooks, 'payymo.yaml'));
      return world.state;
    }),
  );
}

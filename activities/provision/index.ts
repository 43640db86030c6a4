import type { Logger } from '../../src/log.js';
import type { Bucket } from '../../src/runbook/schema.js';
import { activitySignal } from '../context.js';
import type { MusterActivities } from '../contract.js';
import { readPromotion, withVault } from '../vault/index.js';
import { destroyDirectory, provisionDirectory } from './local-directory.js';

export { leaseFileOf, readLease, requireLease } from './lease.js';

export interface ProvisionDeps {
  readonly log: Logger;
  /** Tells whether a run took the right to promote; the vault unless a test says otherwise. */
  readonly promotionOf?: (
    vault: Bucket,
    system: string,
    runId: string,
  ) => Promise<{ readonly promotedAt: string } | undefined>;
}

/** Makes and removes targets. */
export function provisionActivities(
  deps: ProvisionDeps,
): Pick<MusterActivities, 'provisionTarget' | 'destroyTarget'> {
  const promotionOf = deps.promotionOf ?? promotionInVault;
  return {
    async provisionTarget({ at, target, point }) {
      const provisioned = await provisionDirectory(at, target, point);
      deps.log.info(
        { run: at.runId, step: at.step, directory: provisioned.dataDirectory },
        'target provisioned',
      );
      return provisioned;
    },
    async destroyTarget({ at, target, vault }) {
      const outcome = await destroyDirectory(at, target, () => promotionOf(vault, at.system, at.runId));
      deps.log.info({ run: at.runId, step: at.step }, outcome.summary);
      return outcome;
    },
  };
}

async function promotionInVault(
  bucket: Bucket,
  system: string,
  runId: string,
): Promise<{ readonly promotedAt: string } | undefined> {
  const record = await withVault(bucket, activitySignal(), (vault) => readPromotion(vault, system, runId));
  return record === undefined ? undefined : { promotedAt: record.done?.promotedAt ?? record.at };
}

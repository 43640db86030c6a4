import type { Bucket } from '../../src/runbook/schema.js';
import { activitySignal } from '../context.js';
import type { MusterActivities } from '../contract.js';
import { readPromotion, withVault } from '../vault/index.js';
import { destroyDirectory, provisionDirectory } from './local-directory.js';

export { leaseFileOf, readLease, requireLease } from './lease.js';

export interface ProvisionDeps {
  /** Tells whether a run took the right to promote; asks the vault where it is left out. */
  readonly promotionOf?: (
    vault: Bucket,
    system: string,
    runId: string,
  ) => Promise<{ readonly promotedAt: string } | undefined>;
}

/** Makes and removes targets. */
export function provisionActivities(
  deps: ProvisionDeps = {},
): Pick<MusterActivities, 'provisionTarget' | 'destroyTarget'> {
  const promotionOf = deps.promotionOf ?? promotionInVault;
  return {
    provisionTarget: ({ at, target, point }) => provisionDirectory(at, target, point),
    destroyTarget: ({ at, target, vault }) =>
      destroyDirectory(at, target, () => promotionOf(vault, at.system, at.runId)),
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

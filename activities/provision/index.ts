import type { Bucket } from '../../src/runbook/schema.js';
import { activitySignal } from '../context.js';
import type { MusterActivities, StepRef } from '../contract.js';
import { readPromotion, requireActing, withVault } from '../vault/index.js';
import { infrastructureActivities } from './infrastructure.js';
import { destroyDirectory, provisionDirectory, provisionRoom } from './local-directory.js';

export { leaseFileOf, readLease, requireLease } from './lease.js';

export interface ProvisionDeps {
  /** Tells whether a run took the right to promote; asks the vault where it is left out. */
  readonly promotionOf?: (
    vault: Bucket,
    system: string,
    runId: string,
  ) => Promise<{ readonly promotedAt: string } | undefined>;
}

/** Indexes are built in files of their own while the table stands already. */
const LOAD_GROWTH = 1.5;

/** Makes and removes targets. */
export function provisionActivities(
  deps: ProvisionDeps = {},
): Pick<
  MusterActivities,
  'provisionTarget' | 'provisionForArchive' | 'destroyTarget' | 'planInfrastructure' | 'makeInfrastructure'
> {
  const { promotionOf } = deps;
  return {
    ...infrastructureActivities(),
    provisionTarget: ({ at, target, point }) =>
      point.archive === undefined
        ? provisionDirectory(at, target, point)
        : provisionRoom(at, target, roomToLoad(point.backup.databaseBytes)),
    provisionForArchive: ({ at, target, databaseBytes }) =>
      provisionRoom(at, target, roomToLoad(databaseBytes)),
    destroyTarget: ({ at, target, vault }) =>
      destroyDirectory(at, target, () =>
        promotionOf === undefined ? promotionInVault(vault, at) : promotionOf(vault, at.system, at.runId),
      ),
  };
}

function roomToLoad(databaseBytes: number): number {
  return Math.ceil(databaseBytes * LOAD_GROWTH);
}

async function promotionInVault(
  bucket: Bucket,
  at: StepRef,
): Promise<{ readonly promotedAt: string } | undefined> {
  const record = await withVault(bucket, activitySignal(), async (vault) => {
    await requireActing(vault, at);
    return readPromotion(vault, at.system, at.runId);
  });
  return record === undefined ? undefined : { promotedAt: record.done?.promotedAt ?? record.at };
}

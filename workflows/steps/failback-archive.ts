/** The planned way home where there is no WAL to follow: writes are stopped, the last state is dumped and loaded at home. */
import { takeArchiveCommands } from '../../activities/archive/commands.js';
import type {
  ArchiveTaken,
  FenceProof,
  PrimaryFound,
  ProvisionedTarget,
  RecoveryPoint,
  RestoreResult,
  Summarised,
} from '../../activities/contract.js';
import { closeCommands, releaseCommands } from '../../activities/failback/commands.js';
import { newestCommands } from '../../activities/point/commands.js';
import { provisionCommands } from '../../activities/provision/commands.js';
import { restoreCommands } from '../../activities/restore/commands.js';
import type { ArchiveBackup } from '../../src/runbook/schema.js';
import type { StepHandle } from '../engine/plan.js';
import type { PlanBuilder } from '../engine/plan-builder.js';
import { type DatabaseRecovery, minutes } from './parts.js';

/** `damaged` is the primary that is left, `target` is home. */
type Parts = Pick<DatabaseRecovery<ArchiveBackup>, 'damaged' | 'target' | 'backup' | 'vault' | 'dataClasses'>;

export function provisionHome<Params>(
  plan: PlanBuilder<Params>,
  { primary }: { readonly primary: StepHandle<PrimaryFound> },
  { target: home, vault }: Parts,
): StepHandle<ProvisionedTarget> {
  return plan.step({
    name: 'provision-target',
    title: `Make room at ${home.site}`,
    effect: 'sandbox',
    budgetMs: 10 * minutes,
    needs: { primary },
    commands: provisionCommands({ target: home }),
    do: ({ at, quick }, { primary: { databaseBytes } }) =>
      quick.provisionForArchive({ at, target: home, databaseBytes }),
    undo: {
      title: `destroy the copy at ${home.site}`,
      do: ({ at, quick }) => quick.destroyTarget({ at, target: home, vault }),
    },
  });
}

/** The interruption begins: users can still read. */
export function closePrimary<Params>(
  plan: PlanBuilder<Params>,
  {
    primary,
    waited,
  }: { readonly primary: StepHandle<PrimaryFound>; readonly waited: StepHandle<Summarised> },
  { damaged: from, vault, dataClasses }: Parts,
): StepHandle<FenceProof> {
  return plan.step({
    name: 'fence-primary',
    title: `Let ${from.site} answer and take no writes, with proof`,
    kind: 'fence',
    effect: 'production',
    budgetMs: 5 * minutes,
    needs: { primary },
    after: [waited],
    commands: closeCommands({ primary: from }),
    do: ({ at, careful }, { primary: { systemIdentifier, timeline, time } }) =>
      careful.closeForDump({
        at,
        primary: from,
        vault,
        found: { systemIdentifier, timeline, time },
        dataClasses,
      }),
    undo: {
      title: `start ${from.site} again as the primary`,
      do: ({ at, careful }) => careful.reopenPrimary({ at, primary: from, vault }),
    },
  });
}

/** Of what takes no writes any more: nothing comes after it. */
export function takeLastArchive<Params>(
  plan: PlanBuilder<Params>,
  { fence }: { readonly fence: StepHandle<FenceProof> },
  { damaged: from, backup }: Parts,
): StepHandle<ArchiveTaken> {
  return plan.step({
    name: 'take-last-archive',
    title: `Dump ${from.site} as it is left`,
    effect: 'production',
    budgetMs: 30 * minutes,
    needs: {},
    after: [fence],
    commands: takeArchiveCommands({ target: from, backup }),
    // Whether it can be restored is seen by restoring it.
    do: ({ at, long }) =>
      long.takeArchive({ at, source: from, backup: { ...backup, check: 'read' }, label: labelNow(backup) }),
  });
}

/** As the archives call it: `20261121T030000Z-full`. Asked once: an attempt that is repeated goes on with the same one. */
function labelNow({ content }: ArchiveBackup): string {
  const now = new Date(Date.now()).toISOString();
  return `${now.replace(/[-:]|\.\d+/g, '')}-${content}`;
}

export function findLastArchive<Params>(
  plan: PlanBuilder<Params>,
  { taken }: { readonly taken: StepHandle<ArchiveTaken> },
  { damaged: from, target: home, backup, dataClasses }: Parts,
): StepHandle<RecoveryPoint> {
  return plan.step({
    name: 'find-last-archive',
    title: 'See that the newest archive that can be used is that one',
    effect: 'none',
    budgetMs: 2 * minutes,
    needs: { taken },
    commands: newestCommands({ target: home, backup }),
    do: ({ at, quick }, { taken }) =>
      quick.findLastArchive({ at, primary: from, home, backup, taken, dataClasses }),
  });
}

export function loadAtHome<Params>(
  plan: PlanBuilder<Params>,
  {
    point,
    provisioned,
  }: { readonly point: StepHandle<RecoveryPoint>; readonly provisioned: StepHandle<ProvisionedTarget> },
  { target: home, backup }: Parts,
): StepHandle<RestoreResult> {
  return plan.step({
    name: 'restore',
    title: `Load the archive into a new cluster at ${home.site} and close it to writes`,
    effect: 'sandbox',
    budgetMs: 30 * minutes,
    needs: { point, provisioned },
    commands: restoreCommands({ target: home, backup }),
    do: ({ at, long }, { point, provisioned }) =>
      long.restoreDatabase({ at, target: home, provisioned, backup, point }),
  });
}

/** What the recoveries of before wrote beside the clusters would keep the next one out. */
export function releaseSites<Params>(
  plan: PlanBuilder<Params>,
  { validation }: { readonly validation: StepHandle<unknown> },
  { damaged: left, target: home }: Parts,
): void {
  plan.step({
    name: 'release-sites',
    title: `Let ${left.site} be free for the next recovery`,
    effect: 'production',
    budgetMs: 1 * minutes,
    needs: {},
    after: [validation],
    commands: releaseCommands({ left, home }),
    skipping: `before ${left.site} can be a target again, its lease has to be removed by hand`,
    do: ({ at, quick }) => quick.releaseSites({ at, left, home }),
  });
}

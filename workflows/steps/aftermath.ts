/** After the service is back: what was lost is counted, the new primary is protected, the other copies are looked at. */

import { backupCommands } from '../../activities/backup/commands.js';
import type {
  FenceProof,
  PrimaryFound,
  RecoveryPoint,
  ReplacedPrimary,
  RepositoryResult,
} from '../../activities/contract.js';
import { lossCommands } from '../../activities/loss/commands.js';
import { verifyCommands } from '../../activities/verify/commands.js';
import type { StepContext, StepHandle } from '../engine/plan.js';
import type { PlanBuilder } from '../engine/plan-builder.js';
import { type DatabaseRecovery, minutes, type Place } from './parts.js';

interface Known {
  readonly place: StepHandle<Place>;
  readonly point: StepHandle<RecoveryPoint>;
}

/**
 * RPO from the records that were acknowledged and are missing, never from the label of the backup.
 *
 * @param known.primary where the system was moved before: what that move lost is not counted again
 */
export function measureLoss<Params>(
  plan: PlanBuilder<Params>,
  {
    place,
    point,
    fence,
    validation,
    primary,
  }: Pick<Known, 'place'> & {
    readonly point: StepHandle<ReplacedPrimary>;
    readonly fence: StepHandle<FenceProof>;
    readonly validation: StepHandle<unknown>;
    readonly primary?: StepHandle<PrimaryFound>;
  },
  { target, targetAt, dataClasses }: Pick<DatabaseRecovery, 'target' | 'targetAt' | 'dataClasses'>,
): void {
  const step = {
    name: 'measure-loss',
    title: 'Measure what was lost, record by record',
    effect: 'none',
    budgetMs: 10 * minutes,
    after: [validation],
    commands: lossCommands({ target, dataClasses }),
    skipping: 'the report cannot say what was lost',
  } as const;
  const needs = { place, point, fence };
  const measure = (
    { at, long }: StepContext<Params>,
    known: { readonly place: Place; readonly point: ReplacedPrimary; readonly fence: FenceProof },
    since?: string,
  ) =>
    long.measureLoss({
      ...{ at, target: targetAt(known.place), point: known.point, fence: known.fence, dataClasses },
      ...(since === undefined ? {} : { since }),
    });
  if (primary === undefined) plan.step({ ...step, needs, do: measure });
  else {
    plan.step({
      ...step,
      needs: { ...needs, primary },
      do: (context, { primary, ...known }) => measure(context, known, primary.promotedAt ?? undefined),
    });
  }
}

export function protectAgain<Params>(
  plan: PlanBuilder<Params>,
  { place, promotion }: Pick<Known, 'place'> & { readonly promotion: StepHandle<unknown> },
  { target, targetAt, backup }: Pick<DatabaseRecovery, 'target' | 'targetAt' | 'backup'>,
): void {
  plan.step({
    name: 'protect-again',
    title: 'Take a fresh backup of the new primary',
    effect: 'production',
    budgetMs: 60 * minutes,
    needs: { place },
    after: [promotion],
    commands: backupCommands({ target, backup }),
    skipping: 'the new primary has no backup of its own until somebody takes one',
    do: ({ at, long }, { place }) => long.protectAgain({ at, target: targetAt(place), backup }),
  });
}

/** Holds nothing up: what is wrong with a copy that was not needed is told. */
export function verifyOtherCopies<Params>(
  plan: PlanBuilder<Params>,
  {
    place,
    point,
    repository,
    restored,
  }: Known & { readonly repository: StepHandle<RepositoryResult>; readonly restored: StepHandle<unknown> },
  { target, targetAt, backup }: Pick<DatabaseRecovery, 'target' | 'targetAt' | 'backup'>,
): void {
  plan.step({
    name: 'verify-other-copies',
    title: 'Look at the copies that the recovery did not need',
    effect: 'none',
    budgetMs: 30 * minutes,
    needs: { place, point, repository },
    after: [restored],
    commands: verifyCommands({ rung: 1, target, backup }),
    skipping: 'nobody knows whether the copies that were not needed are sound',
    do: ({ at, long }, { place, point, repository: { lookedAt } }) =>
      long.verifyOtherCopies({ at, target: targetAt(place), backup, point, lookedAt }),
  });
}

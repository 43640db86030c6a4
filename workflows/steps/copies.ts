/** When the usual copies are bad: every copy is looked at, tried in isolation in the order of least loss, and the choice explained. */
import type {
  CopiesSurvey,
  CopyChoice,
  CopyFound,
  FenceProof,
  Promotion,
  ProvisionedTarget,
} from '../../activities/contract.js';
import { surveyCommands, tryCommands } from '../../activities/copies/commands.js';
import { promoteCommands } from '../../activities/promote/commands.js';
import { provisionCommands } from '../../activities/provision/commands.js';
import type { ArchiveBackup } from '../../src/runbook/schema.js';
import type { ChangeableHandle, GateOutcome, StepHandle } from '../engine/plan.js';
import type { PlanBuilder } from '../engine/plan-builder.js';
import { type DatabaseRecovery, minutes, type Place } from './parts.js';

type Parts = DatabaseRecovery & {
  readonly standby: DatabaseRecovery['damaged'] | null;
  readonly archives: Readonly<Record<string, ArchiveBackup>>;
};

export function surveyCopies<Params>(plan: PlanBuilder<Params>, parts: Parts): StepHandle<CopiesSurvey> {
  const { damaged, standby, target, backup, dataClasses, archives } = parts;
  return plan.step({
    name: 'survey-copies',
    title: 'Look at every copy there is: how new, and whether it can be read',
    effect: 'none',
    budgetMs: 45 * minutes,
    needs: {},
    commands: surveyCommands(parts),
    do: ({ at, long }) => long.surveyCopies({ at, damaged, standby, target, backup, dataClasses, archives }),
  });
}

/** People may name another copy at the gate: it is tried first then. */
export function chooseCopy<Params>(
  plan: PlanBuilder<Params>,
  { survey }: { readonly survey: StepHandle<CopiesSurvey> },
): { readonly choice: StepHandle<CopyChoice>; readonly changeable: ChangeableHandle } {
  const choice = plan.step({
    name: 'choose-copy',
    title: 'Choose which copy is tried first',
    effect: 'none',
    budgetMs: 1 * minutes,
    needs: { survey },
    do: async () => ({ first: null, summary: 'in the order of least loss' }),
  });
  const changeable = plan.changeable({
    name: 'copy',
    step: choice,
    needs: { survey },
    allowed: 'a copy of the table, by its name',
    check: (id) => (id.trim() === '' ? 'A copy is named as the table names it.' : undefined),
    madeBefore: 'kept',
    do: ({ at, quick }, { survey }, id) => quick.chooseCopy({ at, survey, id }),
  });
  return { choice, changeable };
}

/** Every rung is climbed on every copy that is tried; the step ends with the first one that passes them all. */
export function tryCopies<Params>(
  plan: PlanBuilder<Params>,
  { survey, choice }: { readonly survey: StepHandle<CopiesSurvey>; readonly choice: StepHandle<CopyChoice> },
  parts: Parts,
): { readonly place: StepHandle<Place>; readonly found: StepHandle<CopyFound> } {
  const { damaged, standby, target, backup, archives, dataClasses, verification, application, vault } = parts;
  const provisioned: StepHandle<ProvisionedTarget> = plan.step({
    name: 'provision-target',
    title: 'Make room for the copies that are tried',
    effect: 'sandbox',
    budgetMs: 10 * minutes,
    needs: { survey },
    commands: provisionCommands({ target }),
    do: ({ at, quick }, { survey }) =>
      quick.provisionForArchive({ at, target, databaseBytes: survey.databaseBytes }),
    undo: {
      title: 'destroy the copy that this run made',
      do: ({ at, quick }) => quick.destroyTarget({ at, target, vault }),
    },
  });
  const found = plan.step({
    name: 'try-copies',
    title: 'Rungs 1 to 8, on one copy after the other until one climbs them all',
    kind: 'verification',
    effect: 'sandbox',
    budgetMs: 90 * minutes,
    needs: { survey, choice, provisioned },
    commands: tryCommands(parts),
    do: ({ at, long }, { survey, choice: { first }, provisioned }) =>
      long.tryCopies({
        at,
        survey,
        first,
        provisioned,
        damaged,
        standby,
        target,
        backup,
        archives,
        dataClasses,
        invariants: verification.invariants,
        jobs: verification.jobs,
        application,
      }),
  });
  return { place: provisioned, found };
}

/** The point of no return. The activity refuses unless every rung has passed and the fence holds. */
export function promoteFound<Params>(
  plan: PlanBuilder<Params>,
  {
    found,
    fence,
    approved,
  }: {
    readonly found: StepHandle<CopyFound>;
    readonly fence: StepHandle<FenceProof>;
    readonly approved: StepHandle<GateOutcome>;
  },
  { component, target, damaged, vault, backup }: Parts,
): StepHandle<Promotion> {
  return plan.step({
    name: 'promote',
    title: 'Promote the copy that is sound',
    kind: 'promotion',
    effect: 'production',
    pointOfNoReturn: true,
    restores: [component],
    budgetMs: 5 * minutes,
    needs: { found, fence },
    after: [approved],
    commands: promoteCommands({ target, vault, backup }),
    do: ({ at, careful }, { found, fence }) => {
      const { systemIdentifier, timeline, time, lsn, cluster, checks } = found;
      const point = { systemIdentifier, timeline, time };
      const restored = { lsn, ...(cluster === undefined ? {} : { cluster }) };
      return careful.promote({ at, target, damaged, vault, point, restored, fence, checks });
    },
  });
}

/** A streaming standby takes the place of the primary: looked at, caught up, verified, promoted, and replaced. */
import type {
  ApplicationStarted,
  DatabaseAt,
  FenceProof,
  Promotion,
  ReplacedPrimary,
  RungResult,
  StandbyBuilt,
  StandbyCaughtUp,
  StandbyState,
} from '../../activities/contract.js';
import { deployCommands } from '../../activities/deploy/commands.js';
import { promoteCommands } from '../../activities/promote/commands.js';
import {
  buildCommands,
  catchUpCommands,
  checkCommands,
  verifyStandbyCommands,
} from '../../activities/standby/commands.js';
import type { PgbackrestBackup } from '../../src/runbook/schema.js';
import type { GateOutcome, StepHandle } from '../engine/plan.js';
import type { PlanBuilder } from '../engine/plan-builder.js';
import type { ContentsRungs } from './ladder.js';
import { type DatabaseRecovery, minutes } from './parts.js';

/** Whether it can take over, how far behind it is, and what is lost if it does. */
export function checkStandby<Params>(
  plan: PlanBuilder<Params>,
  {
    target,
    damaged,
    backup,
    dataClasses,
  }: Pick<DatabaseRecovery<PgbackrestBackup>, 'target' | 'damaged' | 'backup' | 'dataClasses'>,
): StepHandle<StandbyState> {
  return plan.step({
    name: 'check-standby',
    title: `Look at the standby at ${target.site}: how far it is, and what it lacks`,
    effect: 'none',
    budgetMs: 2 * minutes,
    needs: {},
    commands: checkCommands({ standby: target }),
    do: ({ at, quick }) => quick.checkStandby({ at, standby: target, primary: damaged, backup, dataClasses }),
  });
}

/** In its new place the application waits for its database; nothing of it is lost by being early. */
export function startApplication<Params>(
  plan: PlanBuilder<Params>,
  { approved }: { readonly approved: StepHandle<GateOutcome> },
  { application, target }: Pick<DatabaseRecovery, 'application' | 'target'>,
): StepHandle<ApplicationStarted> {
  return plan.step({
    name: 'start-application',
    title: 'See that the application runs, or bring it up elsewhere',
    effect: 'production',
    budgetMs: 10 * minutes,
    needs: {},
    after: [approved],
    commands: deployCommands({ application, site: target.site }),
    do: ({ at, long }) => long.startApplication({ at, application, site: target.site }),
  });
}

/** Nothing that was archived is lost, and nothing moves the standby from then on. */
export function catchUp<Params>(
  plan: PlanBuilder<Params>,
  {
    standby,
    fence,
  }: { readonly standby: StepHandle<ReplacedPrimary>; readonly fence: StepHandle<FenceProof> },
  {
    target,
    damaged,
    backup,
    vault,
    dataClasses,
  }: Pick<DatabaseRecovery<PgbackrestBackup>, 'target' | 'damaged' | 'backup' | 'vault' | 'dataClasses'>,
): StepHandle<StandbyCaughtUp> {
  return plan.step({
    name: 'catch-up',
    title: `Cut the standby off from ${damaged.site}, replay all that is left, and pause there`,
    effect: 'production',
    budgetMs: 10 * minutes,
    needs: { standby, fence },
    commands: catchUpCommands({ standby: target, backup }),
    do: ({ at, long }, { standby, fence }) => {
      const { systemIdentifier, timeline, time } = standby;
      const state = { systemIdentifier, timeline, time };
      return long.catchUpStandby({
        at,
        standby: target,
        backup,
        state,
        vault,
        token: fence.token,
        dataClasses,
      });
    },
    undo: {
      title: `let the standby follow ${damaged.site} again`,
      do: ({ at, careful }) => careful.followAgain({ at, standby: target, vault }),
    },
  });
}

/** Rungs 1 to 4; the others look at what it holds and are the same for every copy. */
export function verifyStandby<Params>(
  plan: PlanBuilder<Params>,
  { caughtUp }: { readonly caughtUp: StepHandle<StandbyCaughtUp> },
  { target, backup }: Pick<DatabaseRecovery<PgbackrestBackup>, 'target' | 'backup'>,
): StepHandle<RungResult> {
  return plan.step({
    name: 'verify-standby',
    title: 'Rungs 1 to 4: archive, control data, page checksums, position',
    kind: 'verification',
    effect: 'none',
    budgetMs: 20 * minutes,
    needs: { caughtUp },
    commands: verifyStandbyCommands({ standby: target, backup }),
    do: ({ at, long }, { caughtUp }) => long.verifyStandby({ at, standby: target, backup, caughtUp }),
  });
}

/** The point of no return. The activity refuses unless every rung has passed and the fence holds. */
export function promoteStandby<Params>(
  plan: PlanBuilder<Params>,
  {
    caughtUp,
    fence,
    rungs,
    approved,
  }: {
    readonly caughtUp: StepHandle<StandbyCaughtUp>;
    readonly fence: StepHandle<FenceProof>;
    readonly rungs: ContentsRungs & { readonly files: StepHandle<RungResult> };
    readonly approved: StepHandle<GateOutcome>;
  },
  { component, target, damaged, vault }: Pick<DatabaseRecovery, 'component' | 'target' | 'damaged' | 'vault'>,
): StepHandle<Promotion> {
  return plan.step({
    name: 'promote',
    title: 'Promote the standby',
    kind: 'promotion',
    effect: 'production',
    pointOfNoReturn: true,
    restores: [component],
    budgetMs: 5 * minutes,
    needs: { caughtUp, fence, ...rungs },
    after: [approved],
    commands: promoteCommands({ target, vault }),
    do: ({ at, careful }, { caughtUp, fence, ...results }) => {
      const { systemIdentifier, timeline, time, lsn } = caughtUp;
      return careful.promote({
        at,
        target,
        damaged,
        vault,
        point: { systemIdentifier, timeline, time },
        restored: { lsn },
        fence,
        checks: Object.values(results).flatMap((result) => result.checks),
      });
    },
  });
}

/** Until it follows, the loss of one more zone is the loss of what is not archived. */
export function buildStandby<Params>(
  plan: PlanBuilder<Params>,
  { promotion }: { readonly promotion: StepHandle<unknown> },
  {
    target,
    backup,
    newStandby: { at: newStandby, slot },
  }: Pick<DatabaseRecovery<PgbackrestBackup>, 'target' | 'backup'> & {
    readonly newStandby: { readonly at: DatabaseAt; readonly slot: string };
  },
): StepHandle<StandbyBuilt> {
  return plan.step({
    name: 'build-standby',
    title: `Build a new standby at ${newStandby.site}`,
    effect: 'production',
    budgetMs: 60 * minutes,
    needs: {},
    after: [promotion],
    commands: buildCommands({ primary: target, target: newStandby, slot }),
    skipping: 'the new primary has no standby until somebody builds one',
    do: ({ at, long }) => long.buildStandby({ at, primary: target, target: newStandby, backup, slot }),
  });
}

/** Where a hot standby or a backup can take over: both are looked at, people decide, and one copy is promoted. */
import type {
  CopyPicked,
  FenceProof,
  Promotion,
  RecoveryPoint,
  RestoreResult,
  RungResult,
  StandbyCaughtUp,
  WaysOpen,
} from '../../activities/contract.js';
import { promoteCommands } from '../../activities/promote/commands.js';
import { checkCommands } from '../../activities/standby/commands.js';
import { verifyCommands } from '../../activities/verify/commands.js';
import type { PgbackrestBackup } from '../../src/runbook/schema.js';
import type { ChangeableHandle, GateOutcome, StepHandle } from '../engine/plan.js';
import type { PlanBuilder } from '../engine/plan-builder.js';
import { refusedFailure } from '../engine/refused.js';
import { siteProblem } from '../parts.js';
import type { Rungs } from './ladder.js';
import { type DatabaseRecovery, minutes, type Place } from './parts.js';

/** `target` is the standby; `targets` are all places, the standby first. */
type Parts = DatabaseRecovery<PgbackrestBackup>;

/** Whether the standby is current, and how far the newest backup leads: what people decide by. */
export function lookAtWays<Params>(
  plan: PlanBuilder<Params>,
  { target, damaged, backup, dataClasses }: Pick<Parts, 'target' | 'damaged' | 'backup' | 'dataClasses'>,
  { from, maxLagMs }: { readonly from: DatabaseRecovery['target']; readonly maxLagMs: number },
): StepHandle<WaysOpen> {
  return plan.step({
    name: 'look-at-ways',
    title: `See whether the standby at ${target.site} is current, and how far the newest backup leads`,
    effect: 'none',
    budgetMs: 5 * minutes,
    needs: {},
    commands: checkCommands({ standby: target }),
    // A store that does not answer is waited for longer than a quick look may take.
    do: ({ at, long }) =>
      long.lookAtWays({ at, standby: target, primary: damaged, from, backup, dataClasses, maxLagMs }),
  });
}

/** The standby where it is fit, else a backup; people may choose the other at the gate, or when a step of one fails. */
export function chooseWay<Params>(
  plan: PlanBuilder<Params>,
  { ways }: { readonly ways: StepHandle<WaysOpen> },
  { target: { site: standby }, targets }: Pick<Parts, 'target' | 'targets'>,
): { readonly place: StepHandle<Place>; readonly another: ChangeableHandle } {
  const restoring = targets.filter((site) => site !== standby).join(', ');
  const told = (site: string) =>
    site === standby ? `${site}: the standby takes over` : `${site}: a backup is restored there`;
  const place = plan.step({
    name: 'choose-target',
    title: 'Choose who takes over: the standby where it is fit, else a backup',
    effect: 'none',
    budgetMs: 1 * minutes,
    needs: { ways },
    do: async (_context, { ways: { proposed } }) => ({ site: proposed, summary: told(proposed) }),
  });
  const another = plan.changeable({
    name: 'target',
    step: place,
    needs: { ways },
    allowed: `${standby} (the standby takes over) or ${restoring} (a backup is restored there)`,
    check: (site) => siteProblem(site, targets),
    madeBefore: 'undone',
    do: async (_context, { ways }, site) => {
      if (site === standby && ways.standby.state === null) {
        throw refusedFailure(`The standby at ${site} cannot take over: ${ways.standby.unfit.join('; ')}.`);
      }
      if (site !== standby && ways.restore.point === null) {
        throw refusedFailure(`No backup can be restored: ${ways.restore.problem ?? 'none is left'}.`);
      }
      return { site, summary: told(site) };
    },
  });
  return { place, another };
}

/** Where a backup is restored: the point that was found beside the standby. */
export function takePoint<Params>(
  plan: PlanBuilder<Params>,
  { ways }: { readonly ways: StepHandle<WaysOpen> },
): StepHandle<RecoveryPoint> {
  return plan.step({
    name: 'propose-point',
    title: 'Take the newest state that the backups lead to',
    effect: 'none',
    budgetMs: 1 * minutes,
    needs: { ways },
    do: async (_context, { ways: { restore } }) => {
      // Without one this way is neither proposed nor accepted.
      if (restore.point === null) throw new Error(restore.problem ?? 'there is no backup');
      return restore.point;
    },
  });
}

/** Rungs 5 to 8 at once: users wait meanwhile. */
export function verifyStandbyContents<Params>(
  plan: PlanBuilder<Params>,
  {
    caughtUp,
    files,
  }: { readonly caughtUp: StepHandle<StandbyCaughtUp>; readonly files: StepHandle<unknown> },
  {
    target,
    backup,
    verification: { jobs, invariants },
    dataClasses,
    application,
  }: Pick<Parts, 'target' | 'backup' | 'verification' | 'dataClasses' | 'application'>,
): StepHandle<RungResult> {
  return plan.step({
    name: 'verify-standby-contents',
    title: 'Rungs 5 to 8 on the standby: structure, every row, rules, application',
    kind: 'verification',
    effect: 'sandbox',
    budgetMs: 30 * minutes,
    needs: { caughtUp },
    after: [files],
    commands: [5, 6, 7, 8].flatMap((rung) => verifyCommands({ rung, target, backup })),
    do: async ({ at, long }, { caughtUp: point }) => {
      // What one of them finds is told once all have ended: none goes on beside a second attempt.
      const climbed = await Promise.allSettled([
        long.verifyStructure({ at, target, jobs }),
        long.verifyDump({ at, target, jobs }),
        long.verifyInvariants({ at, target, invariants, dataClasses, point }),
        long.verifyApplication({ at, target, application }),
      ]);
      const results = climbed.map((rung) => {
        if (rung.status === 'rejected') throw rung.reason;
        return rung.value;
      });
      return {
        checks: results.flatMap(({ checks }) => checks),
        summary: results.map(({ summary }) => summary).join('; '),
      };
    },
  });
}

/** From here on there is one copy, whichever way it came about. */
export function pickCopy<Params>(
  plan: PlanBuilder<Params>,
  {
    place,
    caughtUp,
    point,
    restored,
  }: {
    readonly place: StepHandle<Place>;
    readonly caughtUp: StepHandle<StandbyCaughtUp>;
    readonly point: StepHandle<RecoveryPoint>;
    readonly restored: StepHandle<RestoreResult>;
  },
  { target: { site: standby } }: Pick<Parts, 'target'>,
): StepHandle<CopyPicked> {
  return plan.step({
    name: 'pick-copy',
    title: 'Name the copy that is promoted, and where it stands',
    effect: 'none',
    budgetMs: 1 * minutes,
    needs: { place, caughtUp, point, restored },
    do: async (_context, { place: { site }, caughtUp, point, restored }) => {
      if (site === standby) {
        const { systemIdentifier, timeline, time, lsn, loses, lossUnknown } = caughtUp;
        const summary = `the standby at ${site}, ${caughtUp.summary}`;
        return { site, systemIdentifier, timeline, time, lsn, loses, lossUnknown, summary };
      }
      const { systemIdentifier, timeline, time, loses } = point;
      const { lsn } = restored;
      const summary = `the backup restored at ${site}, up to ${point.through?.at ?? time}`;
      return { site, systemIdentifier, timeline, time, lsn, loses, lossUnknown: [], summary };
    },
  });
}

/** The point of no return. The activity refuses unless every rung has passed and the fence holds. */
export function promotePicked<Params>(
  plan: PlanBuilder<Params>,
  {
    copy,
    fence,
    rungs,
    approved,
  }: {
    readonly copy: StepHandle<CopyPicked>;
    readonly fence: StepHandle<FenceProof>;
    readonly rungs: Rungs & StandbyRungs;
    readonly approved: StepHandle<GateOutcome>;
  },
  {
    component,
    target,
    targetAt,
    damaged,
    vault,
  }: Pick<Parts, 'component' | 'target' | 'targetAt' | 'damaged' | 'vault'>,
): StepHandle<Promotion> {
  return plan.step({
    name: 'promote',
    title: 'Promote the copy that was picked',
    kind: 'promotion',
    effect: 'production',
    pointOfNoReturn: true,
    restores: [component],
    budgetMs: 5 * minutes,
    needs: { copy, fence, ...rungs },
    after: [approved],
    commands: promoteCommands({ target, vault }),
    do: ({ at, careful }, { copy, fence, ...results }) => {
      const { systemIdentifier, timeline, time, lsn } = copy;
      return careful.promote({
        at,
        target: targetAt(copy),
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

/** All rungs of a standby: 1 to 4, and 5 to 8. */
export type StandbyRungs = Readonly<Record<'standbyFiles' | 'standbyContents', StepHandle<RungResult>>>;

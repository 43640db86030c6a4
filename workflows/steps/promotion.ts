/** Promotion: people see what was verified and decide, then the copy takes the writes, once. */
import type { FenceProof, Promotion, Quarantine } from '../../activities/contract.js';
import { promoteCommands } from '../../activities/promote/commands.js';
import type { GatePolicy } from '../../src/runbook/schema.js';
import { showChecks, showFence, showPoint } from '../engine/facts.js';
import type { GateOutcome, StepHandle } from '../engine/plan.js';
import type { PlanBuilder } from '../engine/plan-builder.js';
import type { Restored, Rungs } from './ladder.js';
import { type DatabaseRecovery, minutes } from './parts.js';

interface Ready extends Restored {
  readonly fence: StepHandle<FenceProof>;
  readonly rungs: Rungs;
}

/** Asks with everything that was found: the point and what it loses, the fence, the quarantine and every rung. */
export function askToPromote<Params>(
  plan: PlanBuilder<Params>,
  {
    point,
    restored,
    fence,
    quarantine,
    rungs,
  }: Omit<Ready, 'place'> & { readonly quarantine: StepHandle<Quarantine> },
  policy: GatePolicy,
  { dataClasses }: Pick<DatabaseRecovery, 'dataClasses'>,
): StepHandle<GateOutcome> {
  return plan.gate({
    name: 'promote',
    question: 'Promote the recovered copy? After this there is no way back.',
    policy,
    needs: { point, restored, fence, quarantine, ...rungs },
    show: ({ point, restored, fence, quarantine, ...results }) => [
      ...showPoint(point, dataClasses),
      ...showFence(fence),
      { label: 'quarantine', value: quarantine.summary },
      { label: 'restored', value: restored.summary },
      ...showChecks(Object.values(results).flatMap((result) => result.checks)),
    ],
    approving: 'promotes the copy: it takes the writes from then on',
    denying: 'nothing is promoted; the gate stays open for a later approval or an abort',
  });
}

/** The point of no return. The activity refuses unless every rung has passed and the fence holds. */
export function promoteCopy<Params>(
  plan: PlanBuilder<Params>,
  {
    place,
    point,
    restored,
    fence,
    rungs,
    approved,
    silent,
  }: Ready & {
    readonly approved: StepHandle<GateOutcome>;
    /** Where the fence alone leaves the old primary answering: what makes it silent. */
    readonly silent?: StepHandle<unknown>;
  },
  {
    component,
    target,
    targetAt,
    damaged,
    vault,
    backup,
  }: Pick<DatabaseRecovery, 'component' | 'target' | 'targetAt' | 'damaged' | 'vault' | 'backup'>,
): StepHandle<Promotion> {
  return plan.step({
    name: 'promote',
    title: 'Promote the recovered copy',
    kind: 'promotion',
    effect: 'production',
    pointOfNoReturn: true,
    restores: [component],
    budgetMs: 5 * minutes,
    needs: { place, point, restored, fence, ...rungs },
    after: [approved, ...(silent === undefined ? [] : [silent])],
    commands: promoteCommands({ target, vault, backup }),
    do: ({ at, careful }, { place, point, restored, fence, ...results }) =>
      careful.promote({
        at,
        target: targetAt(place),
        damaged,
        vault,
        point,
        restored,
        fence,
        checks: Object.values(results).flatMap((result) => result.checks),
      }),
  });
}

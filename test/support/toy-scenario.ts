/**
 * The smallest scenario that uses every word of the engine: a revisable proposal, work that goes on while a gate waits, a
 * fence, verification, a second gate, the point of no return, cutover.
 */
import type { GatePolicy } from '../../src/runbook/schema.js';
import type { Scenario } from '../../workflows/engine/plan.js';
import { PlanBuilder } from '../../workflows/engine/plan-builder.js';
import { momentProblem } from '../../workflows/parts.js';

export interface ToyParams {
  readonly point: string;
}

/** What gates do where a test does not say otherwise. */
export const patient: GatePolicy = {
  roles: ['lead'],
  approvals: 1,
  from: 'any',
  requester: 'counts',
  secondFactor: 'none',
  expires: 3_600_000,
  atExpiry: 'remind',
  escalateTo: [],
};

/** What the fake activity `toy` is told; it answers with a summary. */
export interface ToyCall {
  readonly step: string;
  readonly saw: string;
}

export const toyScenario: Scenario<ToyParams> = {
  name: 'toy',
  title: 'A small scenario',
  buildPlan: (runbook) => {
    const plan = new PlanBuilder<ToyParams>(
      {
        scenario: 'toy',
        system: runbook.system,
        title: 'A small scenario',
        component: 'database',
        rtoMs: 3_600_000,
        components: { database: { rtoMs: 3_600_000 } },
      },
      runbook.scenarios.corruption?.budgets ?? {},
    );
    const call = (context: unknown, step: string, saw: string) =>
      (context as { quick: { toy: (input: ToyCall) => Promise<{ summary: string }> } }).quick.toy({
        step,
        saw,
      });

    const proposal = plan.step({
      name: 'propose',
      title: 'Propose',
      effect: 'none',
      budgetMs: 60_000,
      needs: {},
      do: (context) => call(context, 'propose', context.params.point),
    });
    const another = plan.changeable({
      name: 'point',
      step: proposal,
      needs: {},
      allowed: 'a moment, ISO 8601 with a zone',
      check: momentProblem,
      madeBefore: 'kept',
      do: (context, _needs, point) => call(context, 'propose', point),
    });
    const gate = plan.gate({
      name: 'point',
      question: 'This point?',
      policy: runbook.scenarios.corruption?.gates.point ?? patient,
      needs: { proposal },
      show: ({ proposal }) => [{ label: 'proposal', value: proposal.summary }],
      approving: 'fences',
      denying: 'nothing happens',
      changes: [another],
    });
    const built = plan.step({
      name: 'build',
      title: 'Build',
      effect: 'sandbox',
      budgetMs: 60_000,
      needs: { proposal },
      do: (context, { proposal }) => call(context, 'build', proposal.summary),
      undo: { title: 'tear down', do: (context) => call(context, 'undo-build', '') },
    });
    const verified = plan.step({
      name: 'verify',
      title: 'Verify',
      kind: 'verification',
      effect: 'sandbox',
      budgetMs: 60_000,
      needs: { built },
      do: (context, { built }) => call(context, 'verify', built.summary),
    });
    const fence = plan.step({
      name: 'fence',
      title: 'Fence',
      kind: 'fence',
      effect: 'production',
      budgetMs: 60_000,
      needs: { proposal },
      after: [gate],
      do: (context, { proposal }) => call(context, 'fence', proposal.summary),
      withoutProof: (context, _needs, { by, reason }) =>
        call(context, 'fence-without-proof', `${by.join(' and ')}: ${reason}`),
      undo: { title: 'lift the fence', do: (context) => call(context, 'undo-fence', '') },
    });
    const promoteGate = plan.gate({
      name: 'promote',
      question: 'Promote?',
      policy: runbook.scenarios.corruption?.gates.promote ?? patient,
      needs: { verified, fence },
      show: ({ verified }) => [{ label: 'verified', value: verified.summary }],
      approving: 'promotes',
      denying: 'nothing happens',
    });
    const promotion = plan.step({
      name: 'promote',
      title: 'Promote',
      kind: 'promotion',
      effect: 'production',
      pointOfNoReturn: true,
      restores: ['database'],
      budgetMs: 60_000,
      needs: { verified, fence },
      after: [promoteGate],
      do: (context, { verified }) => call(context, 'promote', verified.summary),
    });
    const cutover = plan.step({
      name: 'cutover',
      title: 'Cut over',
      kind: 'cutover',
      effect: 'production',
      budgetMs: 60_000,
      needs: { promotion },
      do: (context) => call(context, 'cutover', ''),
    });
    plan.step({
      name: 'protect',
      title: 'Protect again',
      effect: 'none',
      budgetMs: 60_000,
      needs: {},
      after: [cutover],
      skipping: 'there is no fresh backup',
      do: (context) => call(context, 'protect', ''),
    });
    return plan.build(cutover);
  },
};

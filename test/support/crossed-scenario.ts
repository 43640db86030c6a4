/**
 * A plan in which a step takes what may still change together with what has nothing to do with it, and in which a second
 * gate asks about what may still change.
 */
import type { Scenario } from '../../workflows/engine/plan.js';
import { PlanBuilder } from '../../workflows/engine/plan-builder.js';
import { momentProblem } from '../../workflows/parts.js';
import { patient, type ToyCall, type ToyParams } from './toy-scenario.js';

export const crossedScenario: Scenario<ToyParams> = {
  name: 'crossed',
  title: 'Crossed needs',
  buildPlan: (runbook) => {
    const plan = new PlanBuilder<ToyParams>(
      {
        scenario: 'crossed',
        system: runbook.system,
        title: 'Crossed needs',
        component: 'database',
        rtoMs: 3_600_000,
        components: { database: { rtoMs: 3_600_000 } },
      },
      {},
    );
    const call = (context: unknown, step: string, saw: string) =>
      (context as { quick: { toy: (input: ToyCall) => Promise<{ summary: string }> } }).quick.toy({
        step,
        saw,
      });
    const common = { effect: 'sandbox', budgetMs: 60_000 } as const;

    const proposal = plan.step({
      ...common,
      name: 'propose',
      title: 'Propose',
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
    const point = plan.gate({
      name: 'point',
      question: 'This point?',
      policy: runbook.scenarios.corruption?.gates.point ?? patient,
      needs: { proposal },
      show: ({ proposal }) => [{ label: 'proposal', value: proposal.summary }],
      approving: 'goes on',
      denying: 'nothing happens',
      changes: [another],
    });
    const built = plan.step({
      ...common,
      name: 'build',
      title: 'Build',
      needs: { proposal },
      do: (context, { proposal }) => call(context, 'build', proposal.summary),
    });
    const slow = plan.step({
      ...common,
      name: 'slow',
      title: 'Slow, and built on the proposal',
      needs: { proposal },
      do: (context, { proposal }) => call(context, 'slow', proposal.summary),
    });
    const apart = plan.step({
      ...common,
      name: 'apart',
      title: 'Has nothing to do with the proposal',
      needs: {},
      do: (context) => call(context, 'apart', ''),
    });
    const joined = plan.step({
      ...common,
      name: 'join',
      title: 'Takes both',
      needs: { built, apart },
      do: (context, { built }) => call(context, 'join', built.summary),
    });
    const reviewed = plan.gate({
      name: 'review',
      question: 'Is what was built good?',
      policy: patient,
      needs: { built },
      show: ({ built }) => [{ label: 'built', value: built.summary }],
      approving: 'goes on',
      denying: 'nothing happens',
    });
    const end = plan.step({
      ...common,
      name: 'end',
      title: 'End',
      needs: {},
      after: [point, slow, joined, reviewed],
      do: (context) => call(context, 'end', ''),
    });
    return plan.build(end);
  },
};

import type { Summarised } from '../activities/contract.js';
import type { Scenario, StepHandle } from '../workflows/engine/plan.js';
import { PlanBuilder } from '../workflows/engine/plan-builder.js';

export const CHAIN_LENGTH = 60;

/** Steps that do nothing, each needing the one before: what they take is what the engine costs. */
export const chainScenario: Scenario<Record<string, never>> = {
  name: 'chain',
  title: 'A chain of steps that do nothing',
  buildPlan: (runbook) => {
    const plan = new PlanBuilder<Record<string, never>>(
      {
        scenario: 'chain',
        system: runbook.system,
        title: 'A chain of steps that do nothing',
        component: 'none',
        rtoMs: 3_600_000,
        components: {},
      },
      {},
    );
    let before: StepHandle<Summarised> | undefined;
    for (let index = 1; index <= CHAIN_LENGTH; index += 1) {
      before = plan.step<Record<string, StepHandle<Summarised>>, Summarised>({
        name: `nothing-${index}`,
        title: 'Do nothing',
        effect: 'none',
        budgetMs: 60_000,
        needs: before === undefined ? {} : { before },
        do: ({ at, quick }) => quick.nothing({ at }),
      });
    }
    return plan.build(before as StepHandle<Summarised>);
  },
};

/**
 * After a recovery to an earlier point: what was written after it, on the primary that was replaced, is judged by the runbook's
 * rule; what is sound is entered anew through the application, the rest is listed. The service is up meanwhile.
 */

import { assessCommands } from '../activities/assess/commands.js';
import { lossCommands } from '../activities/loss/commands.js';
import { carryOverCommands, findSalvageCommands } from '../activities/salvage/commands.js';
import type { NoParams } from '../src/model/run.js';
import type { Runbook } from '../src/runbook/schema.js';
import { showSalvage } from './engine/facts.js';
import type { Plan, Scenario } from './engine/plan.js';
import { PlanBuilder } from './engine/plan-builder.js';
import { salvageParts } from './parts.js';
import { headOf, minutes } from './steps/parts.js';

export const salvageScenario: Scenario<NoParams> = {
  name: 'salvage',
  title: 'After a recovery: carry over what was written after its point and is sound',
  buildPlan,
};

function buildPlan(runbook: Runbook): Plan<NoParams> {
  const { section, sites, siteAt, backup, quarantined, application } = salvageParts(runbook);
  const { tables } = section;
  const { invariants } = runbook.verification;
  const { dataClasses } = runbook.objectives;
  const [usual] = sites;

  const plan = new PlanBuilder<NoParams>(
    headOf(runbook, salvageScenario, { component: section.component, restores: [] }),
    section.budgets,
  );

  const found = plan.step({
    name: 'find-salvage',
    title:
      'Look in a private copy of the replaced primary what was written after the point, and judge each row',
    effect: 'sandbox',
    budgetMs: 60 * minutes,
    needs: {},
    commands: findSalvageCommands({ sites, backup, quarantined, tables }),
    do: ({ at, long }) => long.findSalvage({ at, sites, backup, quarantined, tables }),
    undo: {
      title: 'remove the private copy; the list stays',
      do: ({ at, quick }) => quick.endSalvage({ at, sites }),
    },
  });

  const approved = plan.gate({
    name: 'salvage',
    question: 'Carry these rows over into the live database?',
    policy: section.gates.salvage,
    needs: { found },
    show: ({ found }) => showSalvage(found),
    approving: `enters the sound rows anew, one by one, through the application; it cannot be undone`,
    denying: 'nothing is entered; the gate stays open for a later approval or an abort, and the list stays',
  });

  const carried = plan.step({
    name: 'carry-over',
    title: 'Enter the sound rows through the application, in their order',
    effect: 'production',
    budgetMs: 60 * minutes,
    needs: { found },
    after: [approved],
    commands: carryOverCommands({ application, tables }),
    do: ({ at, long }, { found }) => long.carryOver({ at, found, tables, application }),
  });

  plan.step({
    name: 'check-rules',
    title: 'See that every rule of the runbook holds in the live database',
    effect: 'none',
    budgetMs: 10 * minutes,
    needs: { found },
    after: [carried],
    commands: usual === undefined ? [] : assessCommands({ damaged: usual, invariants }),
    do: ({ at, long }, { found }) =>
      long.assessDamage({ at, damaged: siteAt(found.site), invariants, dataClasses }),
  });

  plan.step({
    name: 'measure-loss',
    title: 'Measure what is still lost, record by record',
    effect: 'none',
    budgetMs: 10 * minutes,
    needs: { found },
    after: [carried],
    commands: usual === undefined ? [] : lossCommands({ target: usual, dataClasses }),
    skipping: 'the report cannot say what is still lost',
    do: ({ at, long }, { found }) =>
      long.measureLoss({ at, target: siteAt(found.site), point: found, fence: { census: {} }, dataClasses }),
  });

  return plan.build(carried);
}

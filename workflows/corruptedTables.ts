/**
 * Rows of some tables are wrong, and the rest of the database is good: those tables come back from a private copy at a point before
 * the damage, while everything else stays live. Nothing is fenced and nothing is promoted.
 */

import { assessCommands } from '../activities/assess/commands.js';
import { pointCommands } from '../activities/point/commands.js';
import { replaceTablesCommands, takeTablesCommands } from '../activities/tables/commands.js';
import type { TablesParams } from '../src/model/run.js';
import type { Runbook } from '../src/runbook/schema.js';
import { showPoint, showTables } from './engine/facts.js';
import type { Plan, Scenario } from './engine/plan.js';
import { PlanBuilder } from './engine/plan-builder.js';
import { corruptedTablesParts, momentProblem } from './parts.js';
import { headOf, minutes } from './steps/parts.js';

export const corruptedTablesScenario: Scenario<TablesParams> = {
  name: 'corruptedTables',
  title: 'Corrupted tables: chosen ones back to a good moment, the rest stays live',
  buildPlan,
};

function buildPlan(runbook: Runbook): Plan<TablesParams> {
  const { section, live, target, backup } = corruptedTablesParts(runbook);
  const { tables } = section;
  const { invariants } = runbook.verification;
  const { dataClasses } = runbook.objectives;

  const plan = new PlanBuilder<TablesParams>(
    headOf(runbook, corruptedTablesScenario, { component: section.component, restores: [] }),
    section.budgets,
  );

  // Nobody loses what is outside of the chosen tables: what a point would lose as a whole is not counted.
  const point = plan.step({
    name: 'propose-point',
    title: 'Find the newest recovery point before the damage',
    effect: 'sandbox',
    budgetMs: 15 * minutes,
    needs: {},
    commands: pointCommands({ damaged: live, backup }),
    do: ({ at, quick, long, params: { before } }) =>
      before === undefined
        ? long.searchPoint({ at, damaged: live, target, backup, invariants, dataClasses: {} })
        : quick.proposePoint({ at, damaged: live, backup, before, dataClasses: {} }),
    undo: {
      title: 'remove what a search for the point has left',
      do: ({ at, quick }) => quick.endSearch({ at, target }),
    },
  });

  const anotherPoint = plan.changeable({
    name: 'point',
    step: point,
    needs: {},
    allowed: 'a moment, ISO 8601 with a zone',
    check: momentProblem,
    madeBefore: 'kept',
    do: ({ at, quick }, _needs, before) =>
      quick.proposePoint({ at, damaged: live, backup, before, dataClasses: {} }),
  });

  const taken = plan.step({
    name: 'take-tables',
    title: 'Take the tables from a private copy at the point and compare them with the live ones',
    effect: 'sandbox',
    budgetMs: 60 * minutes,
    needs: { point },
    commands: takeTablesCommands({ target, backup, tables }),
    do: ({ at, long, params }, { point }) =>
      long.takeTables({ at, live, target, backup, point, chosen: params.tables, tables, invariants }),
    undo: {
      title: 'remove the private copy',
      do: ({ at, quick }) => quick.endTables({ at, target }),
    },
  });

  const approved = plan.gate({
    name: 'tables',
    question: 'Put these rows back into the live database?',
    policy: section.gates.tables,
    needs: { point, taken },
    show: ({ point, taken }) => [...showTables(taken), ...showPoint(point, dataClasses)],
    approving: 'locks these tables for writers while the rows are replaced; the old rows are kept',
    denying: 'nothing is changed; the gate stays open for another point or an abort',
    changes: [anotherPoint],
  });

  const replaced = plan.step({
    name: 'replace-tables',
    title: 'Replace the rows in one transaction, and commit only if every rule holds',
    effect: 'production',
    budgetMs: 30 * minutes,
    needs: { taken },
    after: [approved],
    commands: replaceTablesCommands({ live, tables }),
    do: ({ at, long }, { taken }) => long.replaceTables({ at, live, taken, tables, invariants }),
    undo: {
      title: 'put the old rows back, but for those changed since',
      do: ({ at, careful }, { taken }) => careful.returnTables({ at, live, taken }),
    },
  });

  const checked = plan.step({
    name: 'check-rules',
    title: 'See that every rule of the runbook holds in the live database',
    effect: 'none',
    budgetMs: 10 * minutes,
    needs: {},
    after: [replaced],
    commands: assessCommands({ damaged: live, invariants }),
    do: ({ at, long }) => long.assessDamage({ at, damaged: live, invariants, dataClasses }),
  });

  return plan.build(checked);
}

import type { Runbook } from '../schema.js';
import type { Problems } from './report.js';
import { checkGates } from './scenarios.js';

/** What bringing chosen tables back takes from other sections is there. */
export function checkCorruptedTables(runbook: Runbook, problems: Problems): void {
  const chosen = runbook.scenarios.corruptedTables;
  if (chosen === undefined) return;
  const section = ['scenarios', 'corruptedTables'] as const;
  const { component, backup, live, target, tables, gates, budgets } = chosen;
  const known = (part: Readonly<Record<string, unknown>>) => Object.keys(part);
  const components = known(runbook.objectives.components);
  problems.mustBeOneOf(
    [...section, 'component'],
    component,
    components,
    'a component of objectives.components',
  );
  problems.mustBeOneOf([...section, 'backup'], backup, known(runbook.backups), 'a backup of backups');
  for (const [field, site] of [
    ['live', live],
    ['target', target],
  ] as const) {
    problems.mustBeOneOf([...section, field], site, known(runbook.sites), 'a site of sites');
    if (runbook.sites[site] !== undefined && runbook.sites[site].postgres === undefined) {
      problems.add(
        ['sites', site, 'postgres'],
        'the PostgreSQL server of this site: corruptedTables needs it',
      );
    }
  }
  tables.forEach(({ table }, index) => {
    const path = [...section, 'tables', index, 'table'];
    if (tables.findIndex((other) => other.table === table) < index) {
      problems.add(path, 'a table that is not named before', table);
    }
    if (!/^[^.]+\.[^.]+$/.test(table)) problems.add(path, 'schema.table', table);
  });
  for (const [step, budget] of Object.entries(budgets)) {
    if (budget === 0) problems.add([...section, 'budgets', step], 'a duration above zero');
  }
  checkGates(runbook, section, gates, problems);
}

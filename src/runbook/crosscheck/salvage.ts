import type { Runbook, SalvageSection } from '../schema.js';
import type { Problems } from './report.js';
import { checkGates } from './scenarios.js';

/** What a salvage takes from other sections is there. */
export function checkSalvage(runbook: Runbook, problems: Problems): void {
  const salvage = runbook.scenarios.salvage;
  if (salvage === undefined) return;
  const section = ['scenarios', 'salvage'] as const;
  const { component, backup, at, application, tables, gates, budgets } = salvage;
  const components = Object.keys(runbook.objectives.components);
  problems.mustBeOneOf(
    [...section, 'component'],
    component,
    components,
    'a component of objectives.components',
  );
  problems.mustBeOneOf([...section, 'backup'], backup, Object.keys(runbook.backups), 'a backup of backups');
  checkQuarantine(runbook, salvage, problems);
  at.forEach((site, index) => {
    const path = [...section, 'at', index];
    problems.mustBeOneOf(path, site, Object.keys(runbook.sites), 'a site of sites');
    if (runbook.sites[site] !== undefined && runbook.sites[site].postgres === undefined) {
      problems.add(['sites', site, 'postgres'], 'the PostgreSQL server of this site: salvage needs it');
    }
  });
  const applications = Object.keys(runbook.applications);
  problems.mustBeOneOf(
    [...section, 'application'],
    application,
    applications,
    'an application of applications',
  );
  tables.forEach(({ table, sql }, index) => {
    const path = [...section, 'tables', index];
    if (tables.findIndex((other) => other.table === table) < index) {
      problems.add([...path, 'table'], 'a table that is not named before', table);
    }
    if (!/\$1\b/.test(sql)) {
      problems.add([...path, 'sql'], 'a query with $1, the moment from which on rows are looked at');
    }
  });
  for (const [step, budget] of Object.entries(budgets)) {
    if (budget === 0) problems.add([...section, 'budgets', step], 'a duration above zero');
  }
  checkGates(runbook, section, gates, problems);
}

/** Dumps have no log: what was written last is in the quarantine of the damaged primary. */
function checkQuarantine(runbook: Runbook, { backup, damaged }: SalvageSection, problems: Problems): void {
  const path = ['scenarios', 'salvage', 'damaged'] as const;
  if (damaged === undefined) {
    if (runbook.backups[backup]?.driver !== 'archive') return;
    problems.add(
      path,
      `the site whose quarantine holds what was written last: ${backup} is made of dumps, which have no log`,
    );
    return;
  }
  problems.mustBeOneOf(path, damaged, Object.keys(runbook.sites), 'a site of sites');
  const site = runbook.sites[damaged];
  if (site === undefined) return;
  for (const field of ['postgres', 'quarantineDirectory'] as const) {
    if (site[field] === undefined) problems.add(['sites', damaged, field], 'what salvage looks into');
  }
}

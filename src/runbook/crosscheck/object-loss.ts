import type { Runbook } from '../schema.js';
import type { Problems } from './report.js';
import { checkBudgets, checkGates, checkRestored } from './scenarios.js';

/** Everything that a recovery of files takes from other sections is there and fits together. */
export function checkObjectLoss(runbook: Runbook, problems: Problems): void {
  const loss = runbook.scenarios.objectLoss;
  if (loss === undefined) return;
  const section = ['scenarios', 'objectLoss'] as const;
  checkRestored(runbook, section, loss, problems);
  checkBudgets(section, loss.budgets, problems);
  checkGates(runbook, section, loss.gates, problems);
  problems.mustBeOneOf([...section, 'store'], loss.store, Object.keys(runbook.objects), 'a store of objects');
  const store = runbook.objects[loss.store];
  if (store !== undefined && store.references === undefined) {
    problems.add(
      ['objects', loss.store, 'references'],
      'the rows that name the files: objectLoss holds both against each other at its end',
    );
  }
  if (store !== undefined && !loss.restores.includes(store.component)) {
    problems.add(
      [...section, 'restores'],
      `${store.component}, the component of ${loss.store}, among others`,
    );
  }
  const sites = Object.keys(runbook.sites);
  problems.mustBeOneOf([...section, 'database'], loss.database, sites, 'a site of sites');
  const site = runbook.sites[loss.database];
  if (site !== undefined && site.postgres === undefined) {
    problems.add(
      ['sites', loss.database, 'postgres'],
      'the PostgreSQL server of this site: objectLoss reads the rows there',
    );
  }
}

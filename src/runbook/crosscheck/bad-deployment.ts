import type { Runbook } from '../schema.js';
import type { Problems } from './report.js';
import { checkBudgets, checkGates, checkRestored } from './scenarios.js';

/** Everything that going back to another release takes from other sections is there and fits together. */
export function checkBadDeployment(runbook: Runbook, problems: Problems): void {
  const bad = runbook.scenarios.badDeployment;
  if (bad === undefined) return;
  const section = ['scenarios', 'badDeployment'] as const;
  checkRestored(runbook, section, bad, problems);
  checkBudgets(section, bad.budgets, problems);
  checkGates(runbook, section, bad.gates, problems);
  const applications = Object.keys(runbook.applications);
  problems.mustBeOneOf(
    [...section, 'application'],
    bad.application,
    applications,
    'an application of applications',
  );
  const application = runbook.applications[bad.application];
  if (application !== undefined && application.deploy === undefined) {
    problems.add(
      ['applications', bad.application, 'deploy'],
      'how a release of it is deployed: badDeployment puts another one into service',
    );
  }
  if (application !== undefined && application.functions.length === 0) {
    problems.add(
      ['applications', bad.application, 'functions'],
      'at least one function, to tell a good release from a bad one',
      'none',
    );
  }
  const sites = Object.keys(runbook.sites);
  problems.mustBeOneOf([...section, 'database'], bad.database, sites, 'a site of sites');
  const site = runbook.sites[bad.database];
  if (site !== undefined && site.postgres === undefined) {
    problems.add(
      ['sites', bad.database, 'postgres'],
      'the PostgreSQL server of this site: badDeployment reads the record of releases there',
    );
  }
  if (bad.migrateDown !== undefined && bad.releases.migrations === undefined) {
    problems.add(
      [...section, 'releases', 'migrations'],
      'the query that gives the migrations: without it none is ever taken back',
    );
  }
}

import type { FailbackSection, Runbook } from '../schema.js';
import type { Problems } from './report.js';
import { checkDatabaseSection } from './scenarios.js';

const section = ['scenarios', 'failback'] as const;

/** Everything that the way home takes from other sections is there and fits together. */
export function checkFailback(runbook: Runbook, problems: Problems): void {
  const failback = runbook.scenarios.failback;
  if (failback === undefined) return;
  checkDatabaseSection(runbook, 'failback', failback, problems);
  if (runbook.backups[failback.backup]?.driver === 'archive') {
    problems.add(
      [...section, 'backup'],
      'a backup whose driver is pgbackrest: a standby takes over with WAL, which archives have none of',
      `${failback.backup}, whose driver is archive`,
    );
  }
  checkPlaces(runbook, failback, problems);
  if (failback.gates.switchover.atExpiry === 'proceed') {
    problems.add(
      [...section, 'gates', 'switchover', 'atExpiry'],
      'remind, escalate, deny: nothing is promoted because nobody answered',
    );
  }
}

function checkPlaces(runbook: Runbook, { home, from, record }: FailbackSection, problems: Problems): void {
  const sites = Object.keys(runbook.sites);
  const values = runbook.dns[record]?.values;
  for (const [field, name] of [
    ['home', home],
    ['from', from],
  ] as const) {
    problems.mustBeOneOf([...section, field], name, sites, 'a site of sites');
    if (!sites.includes(name)) continue;
    const postgres = runbook.sites[name]?.postgres;
    if (postgres === undefined) {
      problems.add(['sites', name, 'postgres'], 'the PostgreSQL server of this site: failback needs it');
    } else if (postgres.replication === undefined) {
      problems.add(
        ['sites', name, 'postgres', 'replication'],
        `the login that a standby follows ${name} with: failback needs it on both sides`,
      );
    }
    if (values !== undefined && values[name] === undefined) {
      problems.add(['dns', record, 'values', name], `the values that lead to ${name}`);
    }
  }
  const [there, here] = [runbook.sites[home], runbook.sites[from]];
  if (there !== undefined && there.role !== 'primary') {
    problems.add([...section, 'home'], `the site with the role primary; ${home} has the role ${there.role}`);
  }
  if (home === from) {
    problems.add([...section, 'from'], `another site than ${home}, where the system goes`);
    return;
  }
  const shared = values?.[from]?.find((value) => values[home]?.includes(value));
  if (shared !== undefined) {
    problems.add(['dns', record, 'values', from], `other values than those of ${home}`, shared);
  }
  if (here?.postgres && there?.postgres && here.postgres.database !== there.postgres.database) {
    problems.add(
      ['sites', from, 'postgres', 'database'],
      `${there.postgres.database}: a standby has the databases of its primary`,
    );
  }
}

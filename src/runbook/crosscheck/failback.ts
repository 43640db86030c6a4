import type { FailbackSection, Runbook } from '../schema.js';
import type { FieldPath } from '../source.js';
import type { Problems } from './report.js';
import { checkDatabaseSection } from './scenarios.js';

const section = ['scenarios', 'failback'] as const;

/** Everything that the way home takes from other sections is there and fits together. */
export function checkFailback(runbook: Runbook, problems: Problems): void {
  const failback = runbook.scenarios.failback;
  if (failback === undefined) return;
  checkDatabaseSection(runbook, 'failback', failback, problems);
  const byArchive = runbook.backups[failback.backup]?.driver === 'archive';
  if (!byArchive && failback.slot === undefined) {
    problems.add([...section, 'slot'], 'the replication slot that the standby at home follows with');
  }
  const way = byArchive ? 'archive' : 'standby';
  checkPlaces(runbook, failback, way, problems);
  if (failback.gates.switchover.atExpiry === 'proceed') {
    problems.add(
      [...section, 'gates', 'switchover', 'atExpiry'],
      'remind, escalate, deny: nothing is promoted because nobody answered',
    );
  }
}

function checkPlaces(
  runbook: Runbook,
  { home, from, otherFrom, record }: FailbackSection,
  way: 'archive' | 'standby',
  problems: Problems,
): void {
  const sites = Object.keys(runbook.sites);
  const values = runbook.dns[record]?.values;
  const left = [
    [['from'], from] as const,
    ...otherFrom.map((name, index) => [['otherFrom', index], name] as const),
  ];
  for (const [path, name] of [[['home'], home] as const, ...left]) {
    problems.mustBeOneOf([...section, ...path], name, sites, 'a site of sites');
    if (!sites.includes(name)) continue;
    const postgres = runbook.sites[name]?.postgres;
    if (postgres === undefined) {
      problems.add(['sites', name, 'postgres'], 'the PostgreSQL server of this site: failback needs it');
    } else if (way === 'standby' && postgres.replication === undefined) {
      problems.add(
        ['sites', name, 'postgres', 'replication'],
        `the login that a standby follows ${name} with: failback needs it on both sides`,
      );
    }
    if (values !== undefined && values[name] === undefined) {
      problems.add(['dns', record, 'values', name], `the values that lead to ${name}`);
    }
    if (way === 'archive' && name !== home && runbook.sites[name]?.quarantineDirectory === undefined) {
      problems.add(
        ['sites', name, 'quarantineDirectory'],
        'where the cluster that is left is kept: failback needs it',
      );
    }
  }
  const there = runbook.sites[home];
  if (there !== undefined && there.role !== 'primary') {
    problems.add([...section, 'home'], `the site with the role primary; ${home} has the role ${there.role}`);
  }
  left.forEach(([path, name], index) => {
    if (left.findIndex(([, one]) => one === name) < index) {
      problems.add([...section, ...path], `a site that is not named before: ${name} is`);
    } else checkLeft(runbook, { home, from: name, record }, [...section, ...path], problems);
  });
}

function checkLeft(
  runbook: Runbook,
  { home, from, record }: Pick<FailbackSection, 'home' | 'from' | 'record'>,
  path: FieldPath,
  problems: Problems,
): void {
  if (home === from) {
    problems.add(path, `another site than ${home}, where the system goes`);
    return;
  }
  const [there, here] = [runbook.sites[home], runbook.sites[from]];
  const values = runbook.dns[record]?.values;
  const shared = values?.[from]?.find((value) => values[home]?.includes(value));
  if (shared !== undefined) {
    problems.add(['dns', record, 'values', from], `other values than those of ${home}`, shared);
  }
  if (here?.postgres && there?.postgres && here.postgres.database !== there.postgres.database) {
    problems.add(
      ['sites', from, 'postgres', 'database'],
      `${there.postgres.database}: a copy has the databases of its original`,
    );
  }
}

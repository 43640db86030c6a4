import type { AzLossSection, Runbook } from '../schema.js';
import { liesIn } from './copies.js';
import type { Problems } from './report.js';
import { checkDatabaseSection } from './scenarios.js';

const section = ['scenarios', 'azLoss'] as const;

/** Everything that a failover to the standby takes from other sections is there and fits together. */
export function checkAzLoss(runbook: Runbook, problems: Problems): void {
  const azLoss = runbook.scenarios.azLoss;
  if (azLoss === undefined) return;
  checkDatabaseSection(runbook, 'azLoss', azLoss, problems);
  if (runbook.backups[azLoss.backup]?.driver === 'archive') {
    problems.add(
      [...section, 'backup'],
      'a backup whose driver is pgbackrest: a standby catches up from WAL, which archives have none of',
      `${azLoss.backup}, whose driver is archive`,
    );
  }
  checkPlaces(runbook, azLoss, problems);
  checkStandby(runbook, azLoss, problems);
  checkNewStandby(runbook, azLoss, problems);
}

function checkPlaces(runbook: Runbook, azLoss: AzLossSection, problems: Problems): void {
  const sites = Object.keys(runbook.sites);
  const named: readonly (readonly [path: readonly string[], name: string])[] = [
    [['lost'], azLoss.lost],
    [['standby'], azLoss.standby],
    ...(azLoss.newStandby === undefined ? [] : [[['newStandby', 'site'], azLoss.newStandby.site] as const]),
  ];
  for (const [field, name] of named) {
    problems.mustBeOneOf([...section, ...field], name, sites, 'a site of sites');
    if (runbook.sites[name] !== undefined && runbook.sites[name].postgres === undefined) {
      problems.add(['sites', name, 'postgres'], 'the PostgreSQL server of this site: azLoss needs it');
    }
  }
  const values = runbook.dns[azLoss.record]?.values;
  for (const name of values === undefined ? [] : [azLoss.lost, azLoss.standby]) {
    if (sites.includes(name) && values?.[name] === undefined) {
      problems.add(['dns', azLoss.record, 'values', name], `the values that lead to ${name}`);
    }
  }
  const shared = values?.[azLoss.standby]?.find((value) => values[azLoss.lost]?.includes(value));
  if (azLoss.lost !== azLoss.standby && shared !== undefined) {
    problems.add(
      ['dns', azLoss.record, 'values', azLoss.standby],
      `other values than those of ${azLoss.lost}`,
      shared,
    );
  }
}

function checkStandby(runbook: Runbook, { lost, standby }: AzLossSection, problems: Problems): void {
  const [from, to] = [runbook.sites[lost], runbook.sites[standby]];
  if (from !== undefined && from.role !== 'primary') {
    problems.add([...section, 'lost'], `the primary; ${lost} has the role ${from.role}`);
  }
  if (from !== undefined && from.quarantineDirectory === undefined) {
    problems.add(['sites', lost, 'quarantineDirectory'], 'where the old cluster is kept: azLoss needs it');
  }
  if (to !== undefined && to.role !== 'standby') {
    problems.add([...section, 'standby'], `a site with the role standby; ${standby} has the role ${to.role}`);
  }
  if (
    from !== undefined &&
    to !== undefined &&
    lost !== standby &&
    liesIn(to.failureDomain, from.failureDomain)
  ) {
    problems.add(
      ['sites', standby, 'failureDomain'],
      `a failure domain outside of ${from.failureDomain}, which ${lost} is lost with`,
    );
  }
  if (from?.postgres && to?.postgres && from.postgres.database !== to.postgres.database) {
    problems.add(
      ['sites', standby, 'postgres', 'database'],
      `${from.postgres.database}: a standby has the databases of its primary`,
    );
  }
}

function checkNewStandby(
  runbook: Runbook,
  { lost, standby, newStandby }: AzLossSection,
  problems: Problems,
): void {
  if (newStandby === undefined) return;
  const { site } = newStandby;
  if (site === lost || site === standby) {
    problems.add(
      [...section, 'newStandby', 'site'],
      `a free site: ${lost} is lost, and ${standby} is the primary by then`,
    );
  }
  const primary = runbook.sites[standby]?.postgres;
  if (primary !== undefined && primary.replication === undefined) {
    problems.add(
      ['sites', standby, 'postgres', 'replication'],
      `the login that a standby follows ${standby} with: newStandby needs it`,
    );
  }
}

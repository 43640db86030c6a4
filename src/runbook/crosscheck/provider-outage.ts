import { providerOf } from '../regions.js';
import type { ProviderOutageSection, Runbook } from '../schema.js';
import { checkElsewhere } from './elsewhere.js';
import type { Problems } from './report.js';
import { checkDatabaseSection, checkPlaces } from './scenarios.js';

const scenario = 'providerOutage';
const section = ['scenarios', scenario] as const;

/** Everything that a recovery at another provider needs is with another one; a standby there can take over. */
export function checkProviderOutage(runbook: Runbook, problems: Problems): void {
  const outage = runbook.scenarios.providerOutage;
  if (outage === undefined) return;
  checkDatabaseSection(runbook, scenario, outage, problems);
  checkPlaces(runbook, { ...outage, scenario, field: 'lost', old: outage.lost }, problems);
  if (outage.standby !== undefined) checkStandby(runbook, outage, outage.standby, problems);
  const from = runbook.sites[outage.lost];
  if (from === undefined) return;
  const provider = providerOf(from);
  if (provider === undefined) {
    problems.add(
      ['sites', outage.lost, 'failureDomain'],
      `one that begins with the provider, for instance provider-one/${from.failureDomain}: providerOutage goes on without it`,
    );
    return;
  }
  const { target, otherTargets, standby } = outage;
  const sites = [
    ...(standby === undefined ? [] : [[['standby', 'site'], standby.site] as const]),
    [['target'], target] as const,
    ...otherTargets.map((name, index) => [['otherTargets', index], name] as const),
  ];
  checkElsewhere(runbook, { ...outage, scenario, lost: provider, sites }, problems);
}

function checkStandby(
  runbook: Runbook,
  { lost, target, otherTargets, backup, record }: ProviderOutageSection,
  { site: name, maxLag }: NonNullable<ProviderOutageSection['standby']>,
  problems: Problems,
): void {
  const path = [...section, 'standby', 'site'] as const;
  problems.mustBeOneOf(path, name, Object.keys(runbook.sites), 'a site of sites');
  if (maxLag === 0) problems.add([...section, 'standby', 'maxLag'], 'a duration above zero');
  if ([lost, target, ...otherTargets].includes(name)) {
    problems.add(path, `a site of its own: ${lost} is lost, and a backup is restored at ${target}`, name);
  }
  if (runbook.backups[backup]?.driver === 'archive') {
    problems.add(
      [...section, 'backup'],
      'a backup whose driver is pgbackrest: a standby catches up from WAL, which archives have none of',
      `${backup}, whose driver is archive`,
    );
  }
  const [from, to] = [runbook.sites[lost], runbook.sites[name]];
  if (to === undefined) return;
  if (to.role !== 'standby') {
    problems.add(path, `a site with the role standby; ${name} has the role ${to.role}`);
  }
  if (to.postgres === undefined) {
    problems.add(['sites', name, 'postgres'], 'the PostgreSQL server of this site: providerOutage needs it');
  }
  if (from?.postgres && to.postgres && from.postgres.database !== to.postgres.database) {
    problems.add(
      ['sites', name, 'postgres', 'database'],
      `${from.postgres.database}: a standby has the databases of its primary`,
    );
  }
  const values = runbook.dns[record]?.values;
  if (values !== undefined && values[name] === undefined) {
    problems.add(['dns', record, 'values', name], `the values that lead to ${name}`);
  }
  const shared = values?.[name]?.find((value) => values[lost]?.includes(value));
  if (shared !== undefined) {
    problems.add(['dns', record, 'values', name], `other values than those of ${lost}`, shared);
  }
}

import { lostWith } from '../regions.js';
import type { RegionalLossSection, Runbook } from '../schema.js';
import { copiesOf, liesIn, primaryDomain } from './copies.js';
import type { Problems } from './report.js';
import { checkDatabaseSection, checkPlaces } from './scenarios.js';

const section = ['scenarios', 'regionalLoss'] as const;

/** Everything that a recovery in another region needs is outside of the lost one. */
export function checkRegionalLoss(runbook: Runbook, problems: Problems): void {
  const loss = runbook.scenarios.regionalLoss;
  if (loss === undefined) return;
  checkDatabaseSection(runbook, 'regionalLoss', loss, problems);
  checkPlaces(runbook, { ...loss, scenario: 'regionalLoss', field: 'lost', old: loss.lost }, problems);
  const region = runbook.sites[loss.lost]?.region;
  if (region !== undefined) checkElsewhere(runbook, loss, region, problems);
  if (loss.infrastructure !== undefined) {
    const known = Object.keys(runbook.infrastructure);
    problems.mustBeOneOf([...section, 'infrastructure'], loss.infrastructure, known, 'one of infrastructure');
  }
  if (runbook.applications[loss.application]?.deploy === undefined) {
    problems.add(
      ['applications', loss.application, 'deploy'],
      'how the application is put into service at another site: regionalLoss needs it',
    );
  }
}

function checkElsewhere(
  runbook: Runbook,
  { target, otherTargets, backup, files }: RegionalLossSection,
  region: string,
  problems: Problems,
): void {
  const elsewhere = `outside of ${region}, which is lost`;
  const targets = [
    [['target'], target] as const,
    ...otherTargets.map((name, i) => [['otherTargets', i], name] as const),
  ];
  for (const [path, name] of targets) {
    const site = runbook.sites[name];
    if (site !== undefined && lostWith(region, site)) {
      problems.add([...section, ...path], `a site ${elsewhere}`, `${name}, in ${site.region}`);
    }
  }
  for (const part of ['vault', 'anchor'] as const) {
    const bucket = runbook[part];
    if (bucket !== undefined && lostWith(region, bucket)) {
      problems.add([part, 'failureDomain'], `a failure domain ${elsewhere}: regionalLoss needs the ${part}`);
    }
  }
  const held = runbook.backups[backup];
  const { field, copies } = held === undefined ? { field: '', copies: [] } : copiesOf(held);
  // Copies that all lie beside the primary are refused whatever the scenario.
  const beside = copies.every((copy) => liesIn(copy.failureDomain, primaryDomain(runbook) ?? region));
  if (copies.length > 0 && !beside && copies.every((copy) => lostWith(region, copy))) {
    problems.add(['backups', backup, field], `a copy ${elsewhere}`, 'none there');
  }
  files.forEach((name, index) => {
    const known = Object.keys(runbook.objects);
    problems.mustBeOneOf([...section, 'files', index], name, known, 'a store of objects');
    const store = runbook.objects[name];
    if (store === undefined) return;
    if (store.secondary === undefined || lostWith(region, store.secondary)) {
      problems.add(['objects', name, 'secondary'], `a bucket ${elsewhere}: regionalLoss goes on with it`);
    }
    if (store.references === undefined) {
      problems.add(
        ['objects', name, 'references'],
        'the rows that name the files: regionalLoss holds them against the bucket',
      );
    }
  });
}

import { lostWith } from '../regions.js';
import type { Runbook } from '../schema.js';
import { copiesOf, liesIn, primaryDomain } from './copies.js';
import type { Problems } from './report.js';

/** A recovery that goes on somewhere else altogether. */
interface Elsewhere {
  readonly scenario: 'regionalLoss' | 'providerOutage';
  /** The region or the provider that is lost. */
  readonly lost: string;
  /** Sites that it goes on in, with the field of the section that names each. */
  readonly sites: readonly (readonly [path: readonly (string | number)[], site: string])[];
  readonly backup: string;
  readonly files: readonly string[];
  readonly infrastructure?: string | undefined;
  readonly application: string;
}

/** Everything that the recovery needs lies outside of what is lost: sites, vault, anchor, a copy of the backup, files. */
export function checkElsewhere(
  runbook: Runbook,
  { scenario, lost, sites, backup, files, infrastructure, application }: Elsewhere,
  problems: Problems,
): void {
  const section = ['scenarios', scenario] as const;
  const elsewhere = `outside of ${lost}, which is lost`;
  for (const [path, name] of sites) {
    const site = runbook.sites[name];
    if (site !== undefined && lostWith(lost, site)) {
      const place = site.region === lost ? site.region : site.failureDomain;
      problems.add([...section, ...path], `a site ${elsewhere}`, `${name}, in ${place}`);
    }
  }
  for (const part of ['vault', 'anchor'] as const) {
    const bucket = runbook[part];
    if (bucket !== undefined && lostWith(lost, bucket)) {
      problems.add([part, 'failureDomain'], `a failure domain ${elsewhere}: ${scenario} needs the ${part}`);
    }
  }
  const held = runbook.backups[backup];
  const { field, copies } = held === undefined ? { field: '', copies: [] } : copiesOf(held);
  // Copies that all lie beside the primary are refused whatever the scenario.
  const beside = copies.every((copy) => liesIn(copy.failureDomain, primaryDomain(runbook) ?? lost));
  if (copies.length > 0 && !beside && copies.every((copy) => lostWith(lost, copy))) {
    problems.add(['backups', backup, field], `a copy ${elsewhere}`, 'none there');
  }
  files.forEach((name, index) => {
    const known = Object.keys(runbook.objects);
    problems.mustBeOneOf([...section, 'files', index], name, known, 'a store of objects');
    const store = runbook.objects[name];
    if (store === undefined) return;
    if (store.secondary === undefined || lostWith(lost, store.secondary)) {
      problems.add(['objects', name, 'secondary'], `a bucket ${elsewhere}: ${scenario} goes on with it`);
    }
    if (store.references === undefined) {
      problems.add(
        ['objects', name, 'references'],
        `the rows that name the files: ${scenario} holds them against the bucket`,
      );
    }
  });
  if (infrastructure !== undefined) {
    const known = Object.keys(runbook.infrastructure);
    problems.mustBeOneOf([...section, 'infrastructure'], infrastructure, known, 'one of infrastructure');
  }
  if (runbook.applications[application]?.deploy === undefined) {
    problems.add(
      ['applications', application, 'deploy'],
      `how the application is put into service at another site: ${scenario} needs it`,
    );
  }
}

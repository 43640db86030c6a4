/** Looks at everything of a system that the runbook names, all at once. Changes nothing anywhere. */
import type { Finding, Symptoms } from '../../src/diagnosis/symptoms.js';
import type { PostgresSite, Runbook } from '../../src/runbook/schema.js';
import { lookAtArchives, lookAtRepository } from './copies.js';
import { lookAtPrimary, lookAtStandby } from './databases.js';
import type { Look } from './look.js';
import {
  lookAtAnchor,
  lookAtApplication,
  lookAtBucket,
  lookAtRecord,
  lookAtVault,
  type VaultSeen,
} from './outside.js';

export interface LookedAround {
  readonly symptoms: Symptoms;
  /** In the order in which people read them. */
  readonly findings: readonly Finding[];
}

/** @throws Error when the runbook has no site with a database */
export async function lookAround(runbook: Runbook): Promise<LookedAround> {
  const { system, backups, dns, applications, objects } = runbook;
  const vault = lookAtVault(system, runbook.vault);
  // Where the primary is now is in the vault; everything else is looked at meanwhile.
  const anchor = runbook.anchor === undefined ? [] : [lookAtAnchor(runbook.anchor)];
  const records = Object.entries(dns).map(([name, record]) => lookAtRecord(name, record));
  const apps = Object.entries(applications).map(([name, one]) => lookAtApplication(name, one));
  const copies = copiesOf(runbook, backups);
  const answered = await vault;
  const { site, home } = primarySite(runbook, answered.symptom);
  const at = databaseOf(runbook, site);
  const { region, failureDomain } = runbook.sites[site] ?? { region: '', failureDomain: '' };
  const primary = lookAtPrimary(
    { site, postgres: at, home, region, failureDomain },
    runbook.verification.invariants,
  );
  const standbys = Object.entries(runbook.sites).flatMap(([name, one]) =>
    one.role === 'standby' && one.postgres !== undefined && name !== site
      ? [lookAtStandby({ site: name, postgres: one.postgres }, one.failureDomain)]
      : [],
  );
  const buckets = Object.entries(objects).flatMap(([name, store]) => [
    lookAtBucket(name, store, 'primary', at),
    ...(store.secondary === undefined ? [] : [lookAtBucket(name, store, 'secondary', undefined)]),
  ]);
  const [seen, standby, copy, bucket, record, app, anchored] = await Promise.all([
    primary,
    all(standbys),
    all(copies),
    all(buckets),
    all(records),
    all(apps),
    all(anchor),
  ]);
  const { state, underWay } = answered.symptom;
  return {
    symptoms: {
      primary: seen.symptom,
      standbys: standby.map(({ symptom }) => symptom),
      copies: copy.map(({ symptom }) => symptom),
      buckets: bucket.map(({ symptom }) => symptom),
      records: record.map(({ symptom }) => symptom),
      applications: app.map(({ symptom }) => symptom),
      vault: state,
      ...(underWay === undefined ? {} : { underWay }),
    },
    findings: [seen, ...standby, ...copy, ...bucket, ...record, ...app, answered, ...anchored].map(
      ({ finding }) => finding,
    ),
  };
}

function all<T>(looks: readonly Promise<Look<T>>[]): Promise<Look<T>[]> {
  return Promise.all(looks);
}

/** Where the system was promoted last; its home where it never was. */
function primarySite(
  { sites }: Runbook,
  { site }: VaultSeen,
): { readonly site: string; readonly home: string } {
  const home = Object.keys(sites).find((name) => sites[name]?.role === 'primary') ?? '';
  return { site: site !== undefined && sites[site] !== undefined ? site : home, home };
}

function databaseOf({ sites, system }: Runbook, site: string): PostgresSite {
  const found = sites[site]?.postgres;
  if (found === undefined) throw new Error(`Runbook ${system} has no sites.${site}.postgres`);
  return found;
}

/** Read from a site that is not the primary: each has keys and a configuration of its own, and the primary may be gone. */
function copiesOf({ system, sites }: Runbook, backups: Runbook['backups']) {
  const from =
    Object.values(sites).find(({ role, postgres }) => role === 'recovery' && postgres !== undefined) ??
    Object.values(sites).find(({ postgres }) => postgres !== undefined);
  return Object.values(backups).flatMap((backup) => {
    if (backup.driver === 'archive') return backup.copies.map((copy) => lookAtArchives(system, backup, copy));
    const { postgres } = from ?? {};
    if (postgres === undefined) return [];
    return backup.repositories.map((repository) => lookAtRepository(postgres, backup, repository));
  });
}

/** What the section of a scenario in a runbook refers to, looked up. The loader has checked the references already. */
import type { DatabaseAt, Quarantine, Renewal } from '../activities/contract.js';
import type { Quarantined } from '../activities/salvage/contract.js';
import { pgbackrestOf, trustedOf } from '../src/runbook/backups.js';
import { copiesOf } from '../src/runbook/crosscheck/copies.js';
import { leftOf, providerOf } from '../src/runbook/regions.js';
import type {
  ArchiveBackup,
  BreachSection,
  CorruptionSection,
  FailbackSection,
  PgbackrestBackup,
  RegionalLossSection,
  Runbook,
} from '../src/runbook/schema.js';
import { withSecondaryInUse } from './steps/objects.js';
import type { DatabaseRecovery } from './steps/parts.js';

export function corruptionParts(runbook: Runbook) {
  const section = required(runbook.scenarios.corruption, runbook, 'scenarios.corruption');
  const { damaged, target, otherTargets } = section;
  const places = { old: damaged, what: 'damaged', target, otherTargets } as const;
  return { section, parts: databaseParts(runbook, section, places) };
}

/** The same for a primary whose server is gone. */
export function infrastructureFailureParts(runbook: Runbook) {
  const path = 'scenarios.infrastructureFailure';
  const section = required(runbook.scenarios.infrastructureFailure, runbook, path);
  const { lost, target, otherTargets } = section;
  return {
    section,
    parts: databaseParts(runbook, section, { old: lost, what: 'lost', target, otherTargets }),
  };
}

/** The same for the loss of the primary's zone. */
export function azLossParts(runbook: Runbook) {
  const section = required(runbook.scenarios.azLoss, runbook, 'scenarios.azLoss');
  const { lost, standby } = section;
  const places = { old: lost, what: 'lost', target: standby, otherTargets: [] } as const;
  const newStandby = section.newStandby && {
    slot: section.newStandby.slot,
    at: databaseAt(runbook, section.newStandby.site),
  };
  // A standby catches up from WAL, which an archive of pg_dump has none of; the loader refuses such a runbook.
  const backup = required(pgbackrestOf(runbook, section.backup), runbook, `backups.${section.backup}`);
  return { section, parts: { ...databaseParts(runbook, section, places), backup }, newStandby };
}

/** The same for the loss of the primary's region: nothing that lies in it is among the parts. */
export function regionalLossParts(runbook: Runbook) {
  const section = required(runbook.scenarios.regionalLoss, runbook, 'scenarios.regionalLoss');
  const { region } = required(runbook.sites[section.lost], runbook, `sites.${section.lost}`);
  return { section, region, ...partsElsewhere(runbook, section, region) };
}

/** The same for an outage of the primary's provider: nothing that lies with that one is among the parts. */
export function providerOutageParts(runbook: Runbook) {
  const path = 'scenarios.providerOutage';
  const section = required(runbook.scenarios.providerOutage, runbook, path);
  const { lost, standby } = section;
  const site = required(runbook.sites[lost], runbook, `sites.${lost}`);
  const provider = required(providerOf(site), runbook, `provider of ${lost}`);
  const elsewhere = partsElsewhere(runbook, section, provider);
  return {
    section,
    provider,
    ...elsewhere,
    hotStandby: standby && hotStandbyOf(runbook, standby, elsewhere),
  };
}

/** The standby at another provider, and what it takes over with. */
function hotStandbyOf(
  runbook: Runbook,
  { site, maxLag }: NonNullable<NonNullable<Runbook['scenarios']['providerOutage']>['standby']>,
  { parts }: Pick<ReturnType<typeof partsElsewhere>, 'parts'>,
) {
  // A standby catches up from WAL, which an archive of pg_dump has none of; the loader refuses such a runbook.
  if (parts.backup.driver !== 'pgbackrest')
    throw new Error(`Runbook ${runbook.system} has no WAL for ${site}`);
  const { backup } = parts;
  const at = databaseAt(runbook, site);
  return {
    at,
    maxLagMs: maxLag,
    // Where the standby takes over, it is what the steps of a standby are about; backups are restored at `parts.target`.
    parts: { ...parts, backup, target: at, targets: [site, ...parts.targets] },
  };
}

/** What is left of a recovery's parts when a region, or a provider, is lost. */
function partsElsewhere(
  runbook: Runbook,
  section: Named & Pick<RegionalLossSection, 'lost' | 'target' | 'otherTargets' | 'files' | 'infrastructure'>,
  without: string,
) {
  const { lost, target, otherTargets, files } = section;
  const stores = files.map((name) =>
    withSecondaryInUse({ name, store: required(runbook.objects[name], runbook, `objects.${name}`) }),
  );
  const ofFiles = stores.map(({ store }) => store.component);
  const parts = databaseParts(runbook, section, { old: lost, what: 'lost', target, otherTargets });
  const backup = leftOf(without, parts.backup);
  const infrastructure =
    section.infrastructure === undefined
      ? undefined
      : required(
          runbook.infrastructure[section.infrastructure],
          runbook,
          `infrastructure.${section.infrastructure}`,
        );
  return {
    // Files are back when their own steps are done.
    parts: { ...parts, backup, restores: parts.restores.filter((name) => !ofFiles.includes(name)) },
    copiesLeft: copiesOf(backup).copies.length,
    stores,
    infrastructure,
  };
}

/** What the section of a recovery of files refers to. */
export function objectLossParts(runbook: Runbook) {
  const section = required(runbook.scenarios.objectLoss, runbook, 'scenarios.objectLoss');
  return {
    section,
    store: required(runbook.objects[section.store], runbook, `objects.${section.store}`),
    database: databaseAt(runbook, section.database),
  };
}

/** The same where the usual copies are bad. */
export function backupLossParts(runbook: Runbook) {
  const section = required(runbook.scenarios.backupLoss, runbook, 'scenarios.backupLoss');
  const { damaged, standby, target } = section;
  const places = { old: damaged, what: 'damaged', target, otherTargets: [] } as const;
  const archives: Record<string, ArchiveBackup> = {};
  for (const [name, one] of Object.entries(runbook.backups)) {
    if (one.driver === 'archive') archives[name] = one;
  }
  return {
    section,
    parts: {
      ...databaseParts(runbook, section, places),
      archives,
      standby: standby === undefined ? null : databaseAt(runbook, standby),
    },
  };
}

/** What going back to another release is about. */
export function badDeploymentParts(runbook: Runbook) {
  const section = required(runbook.scenarios.badDeployment, runbook, 'scenarios.badDeployment');
  const { application, database, releases } = section;
  return {
    section,
    subject: {
      application: required(runbook.applications[application], runbook, `applications.${application}`),
      database: databaseAt(runbook, database),
      releases,
      dataClasses: runbook.objectives.dataClasses,
    },
    invariants: runbook.verification.invariants,
  };
}

/** The same for the way home: the primary that is left is not damaged, and is kept where it is. */
export function failbackParts(runbook: Runbook): StandbyFailback | ArchiveFailback {
  const section = required(runbook.scenarios.failback, runbook, 'scenarios.failback');
  const { home, from } = section;
  const places = { old: from, what: 'left', target: home, otherTargets: [] } as const;
  const backup = required(runbook.backups[section.backup], runbook, `backups.${section.backup}`);
  if (backup.driver === 'archive') {
    const parts = { ...databaseParts(runbook, section, places), backup };
    return { way: 'archive', section, parts };
  }
  const slot = required(section.slot, runbook, 'scenarios.failback.slot');
  const whole = databaseParts(runbook, section, { ...places, kept: 'in-place' });
  return { way: 'standby', section, parts: { ...whole, backup, slot } };
}

/** Home is led there by WAL. */
export interface StandbyFailback {
  readonly way: 'standby';
  readonly section: FailbackSection;
  readonly parts: DatabaseRecovery<PgbackrestBackup> & { readonly slot: string };
}

/** Home is loaded from a last archive. */
export interface ArchiveFailback {
  readonly way: 'archive';
  readonly section: FailbackSection;
  readonly parts: DatabaseRecovery<ArchiveBackup>;
}

/** The same for a breach; the copy is sealed until it has been promoted and no old credential lets anybody in. */
export function breachParts(runbook: Runbook) {
  const section = required(runbook.scenarios.breach, runbook, 'scenarios.breach');
  const { damaged, target, otherTargets, backupConfig, credentials } = section;
  const places = { old: damaged, what: 'breached', target, otherTargets } as const;
  const whole = databaseParts(runbook, section, places);
  const clean = (site: string): DatabaseAt => {
    const at = databaseAt(runbook, site);
    return backupConfig === undefined ? at : { ...at, postgres: { ...at.postgres, backupConfig } };
  };
  const sealed = (site: string): DatabaseAt => {
    const { postgres } = clean(site);
    return { site, postgres: { ...postgres, host: postgres.service.socketDirectory } };
  };
  const renewed = (site: string): DatabaseAt => {
    const { postgres } = clean(site);
    const { replication } = postgres;
    return {
      site,
      postgres: {
        ...postgres,
        admin: { ...postgres.admin, password: credentials.admin.newPassword },
        application: { ...postgres.application, password: credentials.application.newPassword },
        ...(replication === undefined || credentials.replication === undefined
          ? {}
          : { replication: { ...replication, password: credentials.replication.newPassword } }),
      },
    };
  };
  const backup = trustedOf(whole.backup, section);
  const parts = {
    ...whole,
    backup,
    target: sealed(target),
    targetAt: ({ site }: { readonly site: string }) => sealed(site),
  };
  const opened = {
    ...whole,
    backup,
    target: renewed(target),
    targetAt: ({ site }: { readonly site: string }) => renewed(site),
  };
  return { section, parts, opened, allCopies: whole.backup, renewals: renewalsOf(whole.damaged, section) };
}

/** Every login whose password is exchanged: those of the site that was broken into, and the others that the section names. */
function renewalsOf(
  { postgres: { admin, application, replication } }: DatabaseAt,
  { credentials }: BreachSection,
): readonly Renewal[] {
  const renewal = (login: { readonly user: string; readonly password: string }, newPassword: string) => ({
    user: login.user,
    oldPassword: login.password,
    newPassword,
  });
  return [
    renewal(admin, credentials.admin.newPassword),
    renewal(application, credentials.application.newPassword),
    ...(replication === undefined || credentials.replication === undefined
      ? []
      : [renewal(replication, credentials.replication.newPassword)]),
    ...credentials.others,
  ];
}

/** What bringing chosen tables back works with. */
export function corruptedTablesParts(runbook: Runbook) {
  const section = required(runbook.scenarios.corruptedTables, runbook, 'scenarios.corruptedTables');
  return {
    section,
    live: databaseAt(runbook, section.live),
    target: databaseAt(runbook, section.target),
    backup: required(runbook.backups[section.backup], runbook, `backups.${section.backup}`),
  };
}

/** What a salvage works with: the new primary is at one of the sites. */
export function salvageParts(runbook: Runbook) {
  const section = required(runbook.scenarios.salvage, runbook, 'scenarios.salvage');
  return {
    section,
    sites: section.at.map((site) => databaseAt(runbook, site)),
    siteAt: (site: string) => databaseAt(runbook, site),
    backup: required(runbook.backups[section.backup], runbook, `backups.${section.backup}`),
    quarantined: section.damaged === undefined ? null : quarantineOf(runbook, section.damaged),
    application: required(
      runbook.applications[section.application],
      runbook,
      `applications.${section.application}`,
    ),
  };
}

function quarantineOf(runbook: Runbook, site: string): Quarantined {
  const path = `sites.${site}.quarantineDirectory`;
  return {
    damaged: databaseAt(runbook, site),
    directory: required(runbook.sites[site]?.quarantineDirectory, runbook, path),
  };
}

/** @throws Error for a scenario that recovers no database */
export function partsOfScenario(runbook: Runbook, scenario: string): DatabaseRecovery {
  const of: Readonly<Record<string, (runbook: Runbook) => { readonly parts: DatabaseRecovery }>> = {
    corruption: corruptionParts,
    azLoss: azLossParts,
    infrastructureFailure: infrastructureFailureParts,
    regionalLoss: regionalLossParts,
    providerOutage: providerOutageParts,
    backupLoss: backupLossParts,
    failback: failbackParts,
    breach: breachParts,
  };
  return required(of[scenario], runbook, `scenarios.${scenario}`)(runbook).parts;
}

/** What the section of every database recovery names. */
type Named = Pick<CorruptionSection, 'component' | 'restores' | 'backup' | 'record' | 'application'>;

interface Places {
  /** Site of the old primary. */
  readonly old: string;
  readonly what: DatabaseRecovery['what'];
  readonly target: string;
  readonly otherTargets: readonly string[];
  /** Where the old cluster is kept; left out: in the quarantine of its site. */
  readonly kept?: 'in-place';
}

function databaseParts(runbook: Runbook, named: Named, places: Places): DatabaseRecovery {
  const { old, what, target, otherTargets } = places;
  return {
    component: named.component,
    restores: named.restores,
    damaged: databaseAt(runbook, old),
    what,
    target: databaseAt(runbook, target),
    targets: [target, ...otherTargets],
    targetAt: ({ site }) => databaseAt(runbook, site),
    backup: required(runbook.backups[named.backup], runbook, `backups.${named.backup}`),
    record: required(runbook.dns[named.record], runbook, `dns.${named.record}`),
    application: required(
      runbook.applications[named.application],
      runbook,
      `applications.${named.application}`,
    ),
    quarantineDirectory:
      places.kept === 'in-place'
        ? ''
        : required(runbook.sites[old]?.quarantineDirectory, runbook, `sites.${old}.quarantineDirectory`),
    vault: runbook.vault,
    verification: runbook.verification,
    dataClasses: runbook.objectives.dataClasses,
  };
}

export function databaseAt(runbook: Runbook, site: string): DatabaseAt {
  return { site, postgres: required(runbook.sites[site]?.postgres, runbook, `sites.${site}.postgres`) };
}

function required<T>(value: T | undefined, runbook: Runbook, path: string): T {
  if (value === undefined) throw new Error(`Runbook ${runbook.system} has no ${path}`);
  return value;
}

/** Of a damaged cluster that nobody can reach: it is neither stopped nor moved, and nothing of it is lost. */
export function leftWhereItIs({ site, postgres }: DatabaseAt): Quarantine {
  const directory = postgres.service.dataDirectory;
  return {
    directory,
    bytes: 0,
    manifest: '',
    sha256: '',
    summary: `left where it is, ${directory} at ${site}: nobody can reach it. It must not be started before it is fenced`,
  };
}

/** @returns what is wrong with a moment that a person gave; undefined for a good one */
export function momentProblem(value: string): string | undefined {
  const isMoment =
    /^\d{4}-\d{2}-\d{2}T.*(Z|[+-]\d{2}:?\d{2})$/.test(value) && !Number.isNaN(Date.parse(value));
  return isMoment
    ? undefined
    : `${value} is not a time: ISO 8601 with a zone, for instance 2026-03-01T02:59:39.871Z.`;
}

export function siteProblem(site: string, allowed: readonly string[]): string | undefined {
  return allowed.includes(site)
    ? undefined
    : `${site} is not a site that the runbook allows here: ${allowed.join(', ')}.`;
}

/**
 * What the shared steps of database recoveries are about: the parts of the runbook that a scenario has looked up. Each group of
 * steps names those that it needs, so a scenario that has no backup to restore gives none.
 */
import type { DatabaseAt, Summarised } from '../../activities/contract.js';
import type { Application, Backup, Bucket, DataClass, DnsRecord, Runbook } from '../../src/runbook/schema.js';

export const minutes = 60_000;

/** The site that a run has chosen. */
export interface Place extends Summarised {
  readonly site: string;
}

/** What the plan of a database recovery says of itself before its steps. */
export function headOf(
  { system, objectives: { components } }: Runbook,
  { name, title }: { readonly name: string; readonly title: string },
  { component, restores }: Pick<DatabaseRecovery, 'component' | 'restores'>,
) {
  const rtoOf = (of: string) => components[of]?.rto ?? 0;
  return {
    scenario: name,
    system,
    title,
    component,
    rtoMs: rtoOf(component),
    components: Object.fromEntries(restores.map((of) => [of, { rtoMs: rtoOf(of) }])),
  };
}

/** @template B backups of the drivers that the scenario takes; left out: any */
export interface DatabaseRecovery<B extends Backup = Backup> {
  /** The component that the database is. */
  readonly component: string;
  /** Components that are back with the service. */
  readonly restores: readonly string[];
  /** The old primary, and what is wrong with it. */
  readonly damaged: DatabaseAt;
  readonly what: 'damaged' | 'lost' | 'breached' | 'left';
  /** Where the new primary is meant to be; people may choose another of `targets`. */
  readonly target: DatabaseAt;
  readonly targets: readonly string[];
  readonly targetAt: (place: Pick<Place, 'site'>) => DatabaseAt;
  readonly backup: B;
  readonly record: DnsRecord;
  readonly application: Application;
  readonly quarantineDirectory: string;
  readonly vault: Bucket;
  readonly verification: Runbook['verification'];
  readonly dataClasses: Readonly<Record<string, DataClass>>;
}

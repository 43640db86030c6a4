/** Going back to another release of an application. Types only. */
import type {
  Application,
  BadDeploymentSection,
  DataClass,
  Invariant,
  OwnersCommand,
} from '../../src/runbook/schema.js';
import type { DatabaseAt, Outputs, RungCheck, StepRef, Summarised } from '../results.js';

/** Which release runs, how it does, and what going back to another one takes. Times are ISO 8601 UTC. */
export interface ReleaseState extends Summarised {
  /** By the record of releases, and since when. */
  readonly running: string;
  readonly since: string;
  /** What the application itself tells; null: it tells nothing. */
  readonly told: string | null;
  readonly healthy: boolean;
  /** Titles of the functions that were tried and failed. Those that write are not tried. */
  readonly failing: readonly string[];
  /** Names of rules that the data breaks: another release does not mend those. */
  readonly broken: readonly string[];
  /** The release to go back to. */
  readonly back: string;
  /** All that can be gone back to, newest first. */
  readonly candidates: readonly string[];
  /** In the database since then, newest first: these are taken back. */
  readonly migrations: readonly string[];
  /** Acknowledged since the release runs, and not in the database already now: by data class. */
  readonly missing: Readonly<Record<string, number>>;
  /** Data classes without a record outside of the database. */
  readonly uncounted: readonly string[];
}

export interface MigratedDown extends Summarised {
  /** Newest first. */
  readonly takenBack: readonly string[];
  readonly outputs: Outputs;
}

export interface ReleaseValidation extends Summarised {
  readonly checks: readonly RungCheck[];
  readonly firstGoodAt: string;
  /** Names of rules that the data breaks. */
  readonly broken: readonly string[];
}

/** What all of it is about. */
export interface ReleaseOf {
  readonly application: Application;
  readonly database: DatabaseAt;
  readonly releases: BadDeploymentSection['releases'];
  readonly dataClasses: Readonly<Record<string, DataClass>>;
}

export interface ReleaseActivities {
  /**
   * Looks which release runs and what going back takes; changes nothing.
   *
   * @param input.migratesDown whether the runbook says how migrations are taken back
   * @param input.back the release to go back to; left out: the one before
   * @throws PermanentError `NoReleaseBefore`, `ReleaseUnknown`, `MigrationFinal` where the way back is another one
   */
  assessRelease(
    input: ReleaseOf & {
      readonly at: StepRef;
      readonly invariants: readonly Invariant[];
      readonly migratesDown: boolean;
      readonly back?: string;
    },
  ): Promise<ReleaseState>;
  /**
   * Has the owner's command take back what of the migrations is still recorded; what is not was taken back by an earlier attempt.
   *
   * @throws PermanentError `MigrationStays` when one is still recorded afterwards, `WritesMissing` when acknowledged records are gone
   */
  migrateDown(
    input: ReleaseOf & {
      readonly at: StepRef;
      readonly command: OwnersCommand;
      readonly state: ReleaseState;
    },
  ): Promise<MigratedDown>;
  /** Proves the service with the critical functions, that the right release answers, and that no write is missing. */
  validateRelease(
    input: ReleaseOf & {
      readonly at: StepRef;
      readonly invariants: readonly Invariant[];
      readonly state: ReleaseState;
    },
  ): Promise<ReleaseValidation>;
}

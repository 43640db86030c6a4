/** Looking for what an intruder left in a database. Types only. */
import type { Backup, BreachSection, DataClass, Invariant } from '../../src/runbook/schema.js';
import type {
  DatabaseAt,
  RecoveryPoint,
  ReplacedPrimary,
  RungResult,
  StepRef,
  Summarised,
} from '../results.js';

export type Baseline = BreachSection['baseline'];

/** Something in the database that its owner's baseline does not know. Names only, never content. */
export interface IntrusionSign {
  readonly kind: 'role' | 'right' | 'function' | 'trigger' | 'extension' | 'table' | 'other' | 'content';
  /** In words, for instance `role maintenance (superuser, may log in)`. */
  readonly what: string;
  /** When it was last changed, by the commit timestamps; ISO 8601 UTC with microseconds. null: cannot be dated. */
  readonly seenAt: string | null;
}

/** What the damaged primary shows. Its `time` is the earliest moment that any sign is dated to, else that of the look. */
export interface IntrusionSigns extends Summarised, ReplacedPrimary {
  /** The earliest first; those without a date last. */
  readonly signs: readonly IntrusionSign[];
  /** Whether the primary could be asked. */
  readonly answers: boolean;
  /** null: no sign has a date. */
  readonly earliest: string | null;
}

/** What a state must satisfy to count as one from before the intruder. */
export interface CleanRules {
  readonly baseline: Baseline;
  /** Whose content is looked at; empty: every table of the baseline's schemas. */
  readonly tables: readonly string[];
  readonly invariants: readonly Invariant[];
}

export interface IntrusionActivities {
  /**
   * Compares a live database with the baseline and looks for encrypted content. Changes nothing. Of one that does not answer it says
   * whose it is, as the backups know it.
   */
  lookForIntrusion(input: {
    at: StepRef;
    damaged: DatabaseAt;
    /** Whose configuration leads to the backups. */
    from: DatabaseAt;
    backup: Backup;
    baseline: Baseline;
    tables: readonly string[];
    /** When nobody was in yet, as people know it, ISO 8601: archives are read as they were then. */
    before?: string;
  }): Promise<IntrusionSigns>;
  /**
   * The newest point before a moment, read from the clean site in copies that the intruder could not change. Archives lead to no moment
   * between them: each is read as it was before the moment and loaded in isolation, until one holds no sign.
   */
  proposeClean(input: {
    at: StepRef;
    damaged: DatabaseAt;
    /** Whose configuration leads to the backups. */
    from: DatabaseAt;
    replaced: Pick<ReplacedPrimary, 'systemIdentifier' | 'timeline'>;
    backup: Backup;
    before: string;
    clean: CleanRules;
    dataClasses: Readonly<Record<string, DataClass>>;
  }): Promise<RecoveryPoint>;
  /** The look on a restored copy, where every sign is a failure. @throws `VerificationFailed` */
  verifyClean(input: {
    at: StepRef;
    target: DatabaseAt;
    baseline: Baseline;
    tables: readonly string[];
  }): Promise<RungResult>;
}

/** What workflows know of salvage. Types only. */
import type { Application, Backup, SalvageTable } from '../../src/runbook/schema.js';
import type { DatabaseAt, ReplacedPrimary, StepRef, Summarised } from '../results.js';

/** Where a replaced primary is kept. */
export interface Quarantined {
  readonly damaged: DatabaseAt;
  /** Its `quarantineDirectory`. */
  readonly directory: string;
}

/** What a table left behind. */
export interface SalvageCount {
  readonly table: string;
  /** Written at or after the point, in the copy of the old primary. */
  readonly rows: number;
  /** In the live database already, by key. */
  readonly present: number;
  readonly sound: number;
  /** Why the others are not carried over -> how many. */
  readonly refused: Readonly<Record<string, number>>;
}

/** What was written after the point on the primary that was replaced, row by row in a file. */
export interface SalvageFound extends Summarised, ReplacedPrimary {
  /** Where the new primary is. */
  readonly site: string;
  /** How far the old one is known: its last commit in the archive, or when it was set aside. */
  readonly through: { readonly at: string; readonly lsn: string };
  readonly tables: readonly SalvageCount[];
  /** A few of the rows that are refused. */
  readonly samples: readonly string[];
  /** The list: a JSON object a line, in the order of entering. */
  readonly list: { readonly file: string; readonly sha256: string; readonly lines: number };
}

export interface SalvageCarried extends Summarised {
  readonly tables: readonly {
    readonly table: string;
    readonly carried: number;
    /** Refused by the application: why -> how many. */
    readonly refused: Readonly<Record<string, number>>;
  }[];
  readonly samples: readonly string[];
  /** What became of each row that was tried, a JSON object a line. */
  readonly outcomes: { readonly file: string; readonly lines: number };
}

export interface SalvageActivities {
  /**
   * Judges what was written after the point in a private, read-only copy of the replaced primary's end: restored from its log, or
   * where dumps are all there is copied from its quarantine. Neither the quarantined cluster nor the live database is changed; the copy is gone afterwards.
   */
  findSalvage(input: {
    at: StepRef;
    /** Where the new primary may be. */
    sites: readonly DatabaseAt[];
    backup: Backup;
    /** Where the log of the replaced primary is in no backup; null: nowhere. */
    quarantined: Quarantined | null;
    tables: readonly SalvageTable[];
  }): Promise<SalvageFound>;
  /** Removes what `findSalvage` has left of its copy; the list stays. */
  endSalvage(input: { at: StepRef; sites: readonly DatabaseAt[] }): Promise<Summarised>;
  /** Enters the sound rows of the list that was approved, through the application. Goes on where an attempt ended. */
  carryOver(input: {
    at: StepRef;
    found: SalvageFound;
    tables: readonly SalvageTable[];
    application: Application;
  }): Promise<SalvageCarried>;
}

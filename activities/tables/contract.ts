/** What workflows know of bringing chosen tables back. Types only. */
import type { Backup, ChosenTable, Invariant } from '../../src/runbook/schema.js';
import type { DatabaseAt, RecoveryPoint, StepRef, Summarised } from '../results.js';

/** How a table differs between the point and now, in the columns that come back. */
export interface TableDifference {
  readonly table: string;
  readonly same: number;
  /** In both, and not the same: these rows go back. */
  readonly changed: number;
  /** Only at the point: these rows come back. */
  readonly missing: number;
  /** Only in the live database, since the point: these rows stay. */
  readonly added: number;
  /** Keys of a few rows that go or come back. */
  readonly samples: readonly string[];
  /** The rows as they were at the point, one JSON object a line: what people approve is what is written. */
  readonly rows: { readonly file: string; readonly sha256: string; readonly lines: number };
}

export interface TablesTaken extends Summarised {
  readonly time: string;
  readonly tables: readonly TableDifference[];
}

export interface TablesReplaced extends Summarised {
  /** Schema of the live database that the old rows are kept in. */
  readonly kept: string;
  readonly tables: readonly { readonly table: string; readonly changed: number; readonly inserted: number }[];
  readonly lockedMs: number;
  readonly checks: readonly string[];
}

export interface TablesActivities {
  /**
   * Restores a private copy at the point, sees that every rule holds in it, compares the tables with the live ones and keeps the
   * rows that differ. The copy is gone afterwards, and the live database is only read.
   */
  takeTables(input: {
    at: StepRef;
    live: DatabaseAt;
    target: DatabaseAt;
    backup: Backup;
    point: RecoveryPoint;
    /** Names of the tables that are asked for. */
    chosen: readonly string[];
    /** What the runbook allows. */
    tables: readonly ChosenTable[];
    invariants: readonly Invariant[];
  }): Promise<TablesTaken>;
  /** Removes what `takeTables` has left of its copy. */
  endTables(input: { at: StepRef; target: DatabaseAt }): Promise<Summarised>;
  /**
   * Writes those rows into the live tables, in one transaction under lock, keeps the old ones in a schema of their own, and
   * commits only if foreign keys, sequences and every rule hold.
   */
  replaceTables(input: {
    at: StepRef;
    live: DatabaseAt;
    taken: TablesTaken;
    tables: readonly ChosenTable[];
    invariants: readonly Invariant[];
  }): Promise<TablesReplaced>;
  /** Puts the old rows back, but for those that somebody has changed since. */
  returnTables(input: { at: StepRef; live: DatabaseAt; taken: TablesTaken }): Promise<Summarised>;
}

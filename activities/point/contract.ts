/** What workflows know of the search for a recovery point. Types only. */
import type { Backup, DataClass, Invariant } from '../../src/runbook/schema.js';
import type { DatabaseAt, RecoveryPoint, StepRef, Summarised } from '../results.js';

export interface SearchActivities {
  /**
   * Finds the newest state in which every invariant holds, exact to the transaction, in a private copy that is gone afterwards.
   */
  searchPoint(input: {
    at: StepRef;
    damaged: DatabaseAt;
    /** Where the private copy is made, beside the target's own directory. */
    target: DatabaseAt;
    backup: Backup;
    invariants: readonly Invariant[];
    dataClasses: Readonly<Record<string, DataClass>>;
  }): Promise<RecoveryPoint>;
  /** Removes what a search has left. */
  endSearch(input: { at: StepRef; target: DatabaseAt }): Promise<Summarised>;
}

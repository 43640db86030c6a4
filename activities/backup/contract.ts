/** Taking backups, and seeing what became of them: what workflows know of it. Types only. */
import type { BackupFinding, BackupType, PlaceSeen } from '../../src/model/backup-run.js';
import type { Backup, PgbackrestBackup } from '../../src/runbook/schema.js';
import type { BackupTaken, DatabaseAt, StepRef, Summarised } from '../results.js';

export interface BackupsTaken extends BackupTaken {
  /** Repositories that did not take it, and what they said. */
  readonly failures: readonly { readonly repository: number; readonly message: string }[];
}

export interface BackupInspected extends Summarised {
  readonly places: readonly PlaceSeen[];
  readonly findings: readonly Omit<BackupFinding, 'backup'>[];
}

export interface BackupActivities {
  /**
   * A physical backup into every repository. One that was begun since this was asked for counts; expires nothing.
   * @throws when no repository took it
   */
  takeBackup(input: {
    at: StepRef;
    source: DatabaseAt;
    backup: PgbackrestBackup;
    type: BackupType;
  }): Promise<BackupsTaken>;

  /** Looks for what was made in every place, and at what its owner wants to be told of. Changes nothing. */
  inspectBackup(input: {
    at: StepRef;
    source: DatabaseAt;
    backup: Backup;
    /** What was made, a label for each place, in their order; empty: nothing was. */
    labels: readonly (string | null)[];
  }): Promise<BackupInspected>;
}

/** Two ways out of an outage: what workflows know of the activity that looks at them. Types only. */
import type { DataClass, PgbackrestBackup } from '../../src/runbook/schema.js';
import type {
  DatabaseAt,
  RecoveryPoint,
  ReplacedPrimary,
  StandbyState,
  StepRef,
  Summarised,
} from '../results.js';

/** A hot standby, and whether it may take over as it stands. */
export interface StandbyWay {
  readonly site: string;
  /** null: it cannot be promoted, whoever wants it. */
  readonly state: StandbyState | null;
  /** Why it is not fit, a sentence each; empty: it is. */
  readonly unfit: readonly string[];
}

/** The newest backup that is left, and where it is restored. */
export interface RestoreWay {
  readonly site: string;
  /** null: nothing can be restored; `problem` says why. */
  readonly point: RecoveryPoint | null;
  readonly problem: string | null;
}

/** Both ways, and the one that is proposed: its site. It says too which primary is replaced. */
export interface WaysOpen extends Summarised, ReplacedPrimary {
  readonly standby: StandbyWay;
  readonly restore: RestoreWay;
  readonly proposed: string;
}

/** What is promoted: the standby at the end of all that there is, or the restored backup. */
export interface CopyPicked extends Summarised, ReplacedPrimary {
  readonly site: string;
  /** Where it stands, and stays until it is promoted. */
  readonly lsn: string;
  readonly loses: RecoveryPoint['loses'];
  /** Data classes whose outside record could not be read. */
  readonly lossUnknown: readonly string[];
}

export interface OutageActivities {
  /**
   * Looks at the standby and at the newest backup at once, and changes nothing. A standby that is not fit, or a backup that
   * cannot be used, is an answer.
   *
   * @param input.from whose configuration leads to the backups: the site that would be restored to
   * @param input.maxLagMs how far the standby may lie behind what was acknowledged, or is known of the primary
   * @throws `NoWayOpen` when there is neither
   */
  lookAtWays(input: {
    at: StepRef;
    standby: DatabaseAt;
    primary: DatabaseAt;
    from: DatabaseAt;
    backup: PgbackrestBackup;
    dataClasses: Readonly<Record<string, DataClass>>;
    maxLagMs: number;
  }): Promise<WaysOpen>;
}

/** The planned way home: what workflows know of its activities. Types only. */
import type {
  ArchiveBackup,
  Bucket,
  DataClass,
  DnsRecord,
  PgbackrestBackup,
} from '../../src/runbook/schema.js';
import type {
  ArchiveTaken,
  DatabaseAt,
  FenceProof,
  RecoveryPoint,
  ReplacedPrimary,
  RungResult,
  StandbyBuilt,
  StandbyCaughtUp,
  StandbyState,
  StepRef,
  Summarised,
} from '../results.js';

/** Where a system takes its writes now. */
export interface PrimaryFound extends Summarised, ReplacedPrimary {
  readonly site: string;
  readonly lsn: string;
  readonly databaseBytes: number;
  /** Newest promotion in the vault; null: the system was never moved. */
  readonly promotedAt: string | null;
}

/** A standby whose replay stands still while it is looked at; it goes on receiving. */
export type StandbyHeld = Pick<
  StandbyCaughtUp,
  'summary' | 'systemIdentifier' | 'timeline' | 'time' | 'lsn' | 'lastCommitAt'
>;

/** A primary that was shut down cleanly, with everything that it wrote at the standby. */
export interface SwitchoverFence extends FenceProof {
  readonly shutdown: {
    readonly at: string;
    /** Where the record of the shutdown checkpoint begins: the last one that the primary wrote. */
    readonly checkpointLsn: string;
    /** Where it ends, and where the standby stands. */
    readonly endLsn: string;
  };
}

export interface FailbackActivities {
  /**
   * Where the system runs now: record, vault and server must say the same, and home must be free.
   * @throws `RunsElsewhere`, `HomeTaken`
   */
  findPrimary(input: {
    at: StepRef;
    from: DatabaseAt;
    home: DatabaseAt;
    record: DnsRecord;
    vault: Bucket;
  }): Promise<PrimaryFound>;

  /** Takes the reseeded standby away again, with its slot on the primary. Leaves alone what this run has not made. */
  removeReseeded(input: {
    at: StepRef;
    primary: DatabaseAt;
    home: DatabaseAt;
    slot: string;
    vault: Bucket;
  }): Promise<Summarised>;

  /** Pauses the replay of a standby, which goes on receiving: what is looked at stands still. */
  holdStandby(input: { at: StepRef; standby: DatabaseAt; primary: ReplacedPrimary }): Promise<StandbyHeld>;

  /** Rung 3 alone. */
  verifyPages(input: { at: StepRef; standby: DatabaseAt }): Promise<RungResult>;

  /** Lets a held standby replay again and waits until it is no more than a segment behind. */
  releaseStandby(input: {
    at: StepRef;
    standby: DatabaseAt;
    primary: DatabaseAt;
    backup: PgbackrestBackup;
    dataClasses: Readonly<Record<string, DataClass>>;
  }): Promise<StandbyState>;

  /** Waits until no resolver holds an answer any more that it was given with the old TTL. */
  awaitForgotten(input: { at: StepRef; record: DnsRecord }): Promise<Summarised>;

  /**
   * Shuts the primary down cleanly, in a way that whoever starts it gets a standby, and proves that it takes no writes and that
   * the standby has replayed its very last record. Where the standby has not, the primary is opened again before this fails.
   * @throws `StandbyBehind`, `SwitchoverLossy`
   */
  stopForSwitchover(input: {
    at: StepRef;
    primary: DatabaseAt;
    standby: DatabaseAt;
    vault: Bucket;
    found: ReplacedPrimary;
    dataClasses: Readonly<Record<string, DataClass>>;
  }): Promise<SwitchoverFence>;
  /** Undoes `stopForSwitchover`. Refuses once this run promoted the standby, or may have. */
  reopenPrimary(input: { at: StepRef; primary: DatabaseAt; vault: Bucket }): Promise<Summarised>;

  /**
   * Stops the primary and starts it again as a standby of nobody: it answers, and takes no writes from anybody, so that a dump
   * of it is its last state. Proven by a write that was refused. `reopenPrimary` undoes it.
   */
  closeForDump(input: {
    at: StepRef;
    primary: DatabaseAt;
    vault: Bucket;
    found: ReplacedPrimary;
    dataClasses: Readonly<Record<string, DataClass>>;
  }): Promise<FenceProof>;

  /** The archive that was just taken, as the point that home is made from. @throws `NotLastArchive` */
  findLastArchive(input: {
    at: StepRef;
    primary: DatabaseAt;
    home: DatabaseAt;
    backup: ArchiveBackup;
    taken: Pick<ArchiveTaken, 'label'>;
    dataClasses: Readonly<Record<string, DataClass>>;
  }): Promise<RecoveryPoint>;

  /** Both sites bear no mark of the recoveries any more: the next one can use them. */
  releaseSites(input: { at: StepRef; left: DatabaseAt; home: DatabaseAt }): Promise<Summarised>;

  /** Rungs 1, 2 and 4, and that what is to be promoted ends with the record that the primary ended with. */
  verifySwitchover(input: {
    at: StepRef;
    standby: DatabaseAt;
    backup: PgbackrestBackup;
    caughtUp: StandbyCaughtUp;
    fence: SwitchoverFence;
  }): Promise<RungResult>;

  /** The primary that was left follows the new one. Nothing of it is copied or deleted. @throws `HistoryDiverged` */
  followHome(input: {
    at: StepRef;
    left: DatabaseAt;
    primary: DatabaseAt;
    backup: PgbackrestBackup;
    slot: string;
    fence: SwitchoverFence;
  }): Promise<StandbyBuilt>;
}

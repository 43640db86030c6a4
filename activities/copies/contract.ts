/** Copies of a database when the usual ones are bad: what workflows know of the activities. Types only. */
import type { Application, ArchiveBackup, Backup, DataClass, Invariant } from '../../src/runbook/schema.js';
import type {
  DatabaseAt,
  ProvisionedTarget,
  RecoveryPoint,
  ReplacedPrimary,
  RestoreResult,
  RungCheck,
  RungResult,
  StepRef,
  Summarised,
} from '../results.js';

/** `standby`: a server that followed the primary; `damaged`: the primary's own files; `archive`: a dump. */
export type CopyKind = 'standby' | 'backup' | 'damaged' | 'archive';

/** A copy of the database somewhere, looked at and not touched. */
export interface SurveyedCopy {
  /** What people name it by: `standby`, `repository-2/20261121-030000F`. */
  readonly id: string;
  readonly kind: CopyKind;
  readonly title: string;
  /** Just after the newest commit that it leads to, ISO 8601; null: that cannot be told. */
  readonly newestAt: string | null;
  /** Why it is not tried; null: it is. */
  readonly unusable: string | null;
  /** What was looked at, in words. */
  readonly says: string;
  /** Of a server: what its copy takes; of others `point` tells. */
  readonly bytes?: number;
  readonly loses: RecoveryPoint['loses'];
  readonly lossUnknown: readonly string[];
  /** Of a backup or archive: what is restored. */
  readonly point?: RecoveryPoint;
  /** Of a backup: the look at its files. */
  readonly sound?: readonly RungCheck[];
  /** Of an archive: where it is. */
  readonly from?: ArchiveCopyRef;
}

/** One copy of an archive in the runbook. */
export interface ArchiveCopyRef {
  /** One of `backups`. */
  readonly backup: string;
  /** In its `copies`, from 1. */
  readonly copy: number;
  /** As it was when it was made, where the bucket has been changed since and keeps versions. */
  readonly earlier: boolean;
}

export interface CopiesSurvey extends Summarised {
  /** In the order in which they are tried: least loss first, what cannot be tried at the end. */
  readonly copies: readonly SurveyedCopy[];
  /** The largest database among them. */
  readonly databaseBytes: number;
}

export interface CopyChoice extends Summarised {
  /** Tried before all others; null: the one that loses least. */
  readonly first: string | null;
}

export interface TriedCopy {
  readonly id: string;
  readonly outcome: 'usable' | 'failed' | 'not tried';
  /** What it climbed, or why it failed. */
  readonly says: string;
  readonly tookMs: number;
  /** What of it cannot be read, table by table and row by row where that can be told. */
  readonly damage: readonly string[];
}

/** The first copy that climbed every rung; it stands in isolation, paused. */
export interface CopyFound extends RungResult, ReplacedPrimary {
  readonly id: string;
  readonly kind: CopyKind;
  readonly title: string;
  readonly lsn: string;
  /** Of a copy that no WAL leads on: a loaded archive, or the server of a system that has no archive of WAL. */
  readonly cluster?: RestoreResult['cluster'];
  readonly lastCommitAt: string | null;
  readonly loses: RecoveryPoint['loses'];
  readonly lossUnknown: readonly string[];
  readonly tried: readonly TriedCopy[];
}

/** Where copies may be. */
interface Places {
  readonly damaged: DatabaseAt;
  readonly standby: DatabaseAt | null;
  /** Where they are tried, and from where backups are read. */
  readonly target: DatabaseAt;
  readonly backup: Backup;
  /** Every backup of the runbook that is made of archives, by its name. */
  readonly archives: Readonly<Record<string, ArchiveBackup>>;
  readonly dataClasses: Readonly<Record<string, DataClass>>;
}

export interface CopiesActivities {
  /** Looks at every copy there is; one that cannot be read is an answer. Changes nothing. */
  surveyCopies(input: { at: StepRef } & Places): Promise<CopiesSurvey>;

  /** @throws `NoSuchCopy` */
  chooseCopy(input: { at: StepRef; survey: CopiesSurvey; id: string }): Promise<CopyChoice>;

  /**
   * Restores or copies one after the other in isolation until one climbs every rung. The originals are only read.
   * @throws `NoCopyUsable` with what was wrong with each
   */
  tryCopies(
    input: {
      at: StepRef;
      survey: CopiesSurvey;
      first: string | null;
      provisioned: ProvisionedTarget;
      invariants: readonly Invariant[];
      jobs: number;
      application: Application;
    } & Places,
  ): Promise<CopyFound>;
}

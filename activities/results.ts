/** What activities give back. Types only. Every output has a `summary`: the one line a commander reads. */
import type { ProofMethod } from '../src/model/decision.js';
import type { Fact, Mode, Progress } from '../src/model/run.js';
import type { PostgresSite } from '../src/runbook/schema.js';

/** Which step of which run an activity works for. */
export interface StepRef {
  readonly runId: string;
  readonly system: string;
  readonly scenario: string;
  readonly mode: Mode;
  readonly step: string;
  /** How often the run was taken over from a lost server; absent where it never was. Older ones are refused production acts. */
  readonly adoption?: number;
}

export interface Summarised {
  readonly summary: string;
}

/** A site's name with its PostgreSQL server. */
export interface DatabaseAt {
  readonly site: string;
  readonly postgres: PostgresSite;
}

export interface InvariantResult {
  readonly name: string;
  readonly title: string;
  /** Rows that break the rule; 0: it holds. */
  readonly violations: number;
  /** A few of them, as text. */
  readonly samples: readonly string[];
  readonly durationMs: number;
}

export interface Assessment extends Summarised {
  readonly reachable: boolean;
  readonly serverVersion: string;
  readonly systemIdentifier: string;
  readonly timeline: number;
  readonly inRecovery: boolean;
  readonly invariants: readonly InvariantResult[];
  /** Triggers of protected tables that are switched off, `schema.table.trigger`. */
  readonly disabledTriggers: readonly string[];
  readonly databaseBytes: number;
}

/** The exact state to go back to. */
export interface RecoveryPoint extends Summarised {
  /** ISO 8601 UTC with microseconds; the restore stops before the first commit at or after it. */
  readonly time: string;
  /**
   * What was asked for: the commander's or the approver's moment; `newest`: as far as the archive leads; `searched`: the newest
   * state in which every rule holds.
   */
  readonly asked: string;
  /** The last commit that is restored and where its record begins: the restore stops right after it, whatever the time says. */
  readonly through?: { readonly at: string; readonly lsn: string };
  readonly systemIdentifier: string;
  readonly timeline: number;
  readonly backup: {
    readonly label: string;
    readonly repository: number;
    readonly type: 'full' | 'diff' | 'incr';
    readonly stoppedAt: string;
    readonly databaseBytes: number;
    readonly walStart: string;
  };
  /** Every repository that holds this backup and all the WAL up to the point, best first. Of an archive: its copies, from 1. */
  readonly usableRepositories: readonly number[];
  /** Set where the backup is an archive: it is loaded into a cluster of its own, and no WAL leads on from it. */
  readonly archive?: PointArchive;
  readonly walSegments: number;
  readonly walEnd: string;
  /** Per data class with an outside record: acknowledged at or after the point, so lost by going there. */
  readonly loses: Readonly<Record<string, { readonly records: number; readonly windowMs: number }>>;
  /** How it was found, where nobody could say until when the data was good. */
  readonly search?: CleanPointSearch;
  /** The same where dump archives are all there is. */
  readonly archiveSearch?: CleanArchiveSearch;
}

/** What a search has shown: the first bad commit, and what it took to find it. */
export interface CleanPointSearch {
  readonly firstBad: { readonly at: string; readonly lsn: string; readonly xid: string };
  /** The last commit before it; null: there is none since the backup that the search began at. */
  readonly lastGood: { readonly at: string; readonly lsn: string } | null;
  /** Rules that are broken right after the first bad commit, with a few of the rows. */
  readonly broken: readonly InvariantResult[];
  /** Label of the backup that it was found from. */
  readonly base: string;
  /** What there was to tell apart: backups, WAL segments, and commits in the segment that it is in. */
  readonly candidates: { readonly backups: number; readonly segments: number; readonly commits: number };
  readonly restores: number;
  /** States at which all rules were asked. */
  readonly looks: number;
  readonly durationMs: number;
  readonly assumes: string;
}

/** What a search over dump archives has shown: which is the newest clean one, how that is known, and what it took. */
export interface CleanArchiveSearch {
  readonly clean: { readonly label: string; readonly at: string };
  /** The next newer one, in which rules are broken; null: every archive from the clean one on is unusable, or there is none. */
  readonly damaged: { readonly label: string; readonly at: string } | null;
  /** Rules that are broken in it, or on the live data where it is null, with a few of the rows. */
  readonly broken: readonly InvariantResult[];
  /** Whether the live data could be asked. */
  readonly liveAsked: boolean;
  /** How many full archives there were to tell apart. */
  readonly candidates: number;
  readonly restores: number;
  readonly durationMs: number;
  readonly assumes: string;
}

/** The archive that a recovery goes back to. */
export interface PointArchive {
  readonly label: string;
  /** The copy that it is taken from first. */
  readonly copy: string;
  /** As it is stored. */
  readonly bytes: number;
  /** From its snapshot until it was proposed. */
  readonly ageMs: number;
  /** Who has signed it: the beginning of the SHA-256 of the key. */
  readonly signer: string;
  /** What was done to see that it is sound before it was proposed, in words. */
  readonly checked: string;
  /** Newer archives and better copies that cannot be used, a sentence each. */
  readonly passedOver: readonly string[];
  /** Copies are read as they were before this moment, whatever was done to them since; ISO 8601. Left out: as they are now. */
  readonly asOf?: string;
}

/** The primary that a copy takes the place of. A recovery point says it too. */
export interface ReplacedPrimary {
  readonly systemIdentifier: string;
  readonly timeline: number;
  /** ISO 8601 UTC with microseconds: what was committed at or after it is not in the copy. */
  readonly time: string;
}

/** A primary that is said to be gone. */
export interface LostPrimary extends Summarised {
  readonly answers: boolean;
}

/** A streaming standby as it stands. */
export interface StandbyState extends Summarised, ReplacedPrimary {
  readonly site: string;
  /** What its receiver says, for instance `streaming`; `none`: it receives nothing. */
  readonly receiver: string;
  /** When it last heard from the primary; null: not since its start. */
  readonly heardAt: string | null;
  readonly receivedLsn: string | null;
  readonly replayedLsn: string;
  readonly lastCommitAt: string | null;
  /** The furthest position known of the primary, and who knows it. */
  readonly knownLsn: string;
  readonly knownFrom: 'primary' | 'receiver' | 'archive' | 'standby';
  /** From what is replayed to the furthest position known. */
  readonly lagBytes: number;
  /** From the newest commit replayed until it last heard from the primary; null: unknown. */
  readonly lagMs: number | null;
  readonly primaryAnswers: boolean;
  /** Newest segment in the archive; null: none, or no repository answers. */
  readonly newestArchived: string | null;
  readonly loses: RecoveryPoint['loses'];
  /** Data classes whose outside record cannot be read now. */
  readonly lossUnknown: readonly string[];
}

/** A standby that has replayed all there is and is paused there. */
export interface StandbyCaughtUp extends Summarised, ReplacedPrimary {
  readonly lsn: string;
  readonly lastCommitAt: string | null;
  readonly newestArchived: string | null;
  /** Replayed by this step: received and not yet replayed, or only in the archive. */
  readonly replayedBytes: number;
  readonly loses: RecoveryPoint['loses'];
  readonly lossUnknown: readonly string[];
}

export interface StandbyBuilt extends Summarised {
  readonly site: string;
  readonly slot: string;
  readonly bytes: number;
  readonly timeline: number;
  readonly lagBytes: number;
}

export interface ApplicationStarted extends Summarised {
  readonly site: string;
  /** Whether it answered before anything was done. */
  readonly ranAlready: boolean;
}

export interface FenceProof extends Summarised {
  /** Fencing token: greater than every one before it for this system. */
  readonly token: number;
  /** null: the primary could not be reached, and people went on without proof; `without` says who and why. */
  readonly refusedWrite: { readonly at: string; readonly as: string; readonly answer: string } | null;
  readonly without?: { readonly by: readonly string[]; readonly reason: string; readonly tried: string };
  readonly terminatedSessions: number;
  readonly lastWriteAt: string | null;
  /** Rows per data class on the fenced primary that were written at or after the point. */
  readonly census: Readonly<Record<string, { readonly records: number; readonly newest: string | null }>>;
}

export interface Quarantine extends Summarised {
  readonly directory: string;
  readonly bytes: number;
  readonly manifest: string;
  readonly sha256: string;
}

export interface ProvisionedTarget extends Summarised {
  readonly site: string;
  readonly dataDirectory: string;
  readonly freeBytes: number;
  readonly neededBytes: number;
  /** Identifies what this run made; destruction is refused without it. */
  readonly lease: string;
}

export interface RestoreResult extends Summarised {
  readonly repository: number;
  readonly backupLabel: string;
  readonly restoredBytes: number;
  readonly filesMs: number;
  readonly replayMs: number;
  readonly delta: boolean;
  /** Position at which replay is paused. */
  readonly lsn: string;
  readonly lastCommitAt: string | null;
  /** Of a loaded archive, whose cluster is a new one. Left out: that of the original. */
  readonly cluster?: { readonly systemIdentifier: string; readonly timeline: number };
}

/** The outcome of one rung of the ladder of verification. */
export interface RungCheck {
  /** 1 to 8, as in docs/verification.md. */
  readonly rung: number;
  readonly title: string;
  readonly passed: boolean;
  readonly tool: string;
  readonly toolVersion: string;
  readonly durationMs: number;
  readonly detail: string;
}

/** A failed rung is a permanent failure of its step: outputs only ever hold passed checks. */
export interface RungResult extends Summarised {
  readonly checks: readonly RungCheck[];
}

export interface RepositoryResult extends RungResult {
  /** The repositories looked at until one was sound. */
  readonly lookedAt: readonly number[];
}

/** The copies that a recovery could do without: what is wrong with them is told, and holds nothing up. */
export interface CopiesResult extends RungResult {
  /** What is wrong, a sentence a repository; empty: nothing. */
  readonly unsound: readonly string[];
}

export interface Promotion extends Summarised {
  readonly token: string;
  readonly timeline: number;
  readonly promotedAt: string;
  /** Whether an earlier attempt of this very run had already promoted. */
  readonly alreadyDone: boolean;
}

export interface RecordChange extends Summarised {
  readonly record: string;
  readonly before: readonly string[];
  readonly after: readonly string[];
  readonly ttlBefore: number;
  readonly ttlAfter: number;
  readonly changeId: string;
  /** Resolver -> milliseconds until it gave the new answer. */
  readonly seenAfterMs: Readonly<Record<string, number>>;
  /** How long clients may still hold the old answer. */
  readonly staleForMs: number;
}

export interface ServiceValidation extends Summarised {
  readonly checks: readonly RungCheck[];
  readonly firstGoodAt: string;
}

export interface LossReport extends Summarised {
  readonly classes: Readonly<
    Record<
      string,
      {
        readonly targetMs: number;
        /** Time between the point and the last write that is lost; 0: nothing is lost; null: nobody could measure it. */
        readonly actualMs: number | null;
        /** null: nobody could measure it. */
        readonly lostRecords: number | null;
        readonly method: string;
        /** The first ones by identifier; the store holds them all. */
        readonly sample: readonly string[];
      }
    >
  >;
}

export interface BackupTaken extends Summarised {
  readonly labels: readonly { readonly repository: number; readonly label: string; readonly bytes: number }[];
}

export interface ReportFiles extends Summarised {
  readonly html: string;
  readonly json: string;
  readonly signature: string;
  readonly publicKey: string;
  readonly sha256: string;
}

/** One entry of the journal, before it is chained. */
export interface JournalEntry {
  /** Position in the run, from 1: with the run it identifies the entry, so that a second delivery is known. */
  readonly index: number;
  readonly at: string;
  readonly kind:
    | 'run-started'
    | 'step-intent'
    | 'step-started'
    | 'step-done'
    | 'step-failed'
    | 'step-skipped'
    | 'step-undone'
    | 'step-invalidated'
    | 'gate-opened'
    | 'decision'
    /** A decision or proof that was not accepted, with the reason. */
    | 'refused'
    | 'held'
    | 'resumed'
    | 'handed-over'
    | 'warning'
    | 'notice'
    | 'adopted'
    | 'run-ended';
  readonly step?: string;
  readonly by?: string;
  readonly text: string;
  readonly facts: readonly Fact[];
  /** For whoever takes the run over from the journal: the run's input, a step's output, a decision as it was counted. */
  readonly data?: unknown;
}

/** Whether somebody is who they say. A proof that is not good is an answer, not a failure. */
export interface ProofVerdict extends Summarised {
  readonly accepted: boolean;
  /** Set when it is not: what is wrong and what to do, for the sender. */
  readonly refusal?: string;
  readonly methods: readonly ProofMethod[];
  /** Name each proof that was used, so that none counts twice. */
  readonly used: readonly string[];
}

/** Files that are not as they were before a moment. */
export interface ObjectDamage extends Summarised {
  readonly deleted: number;
  readonly overwritten: number;
  /** Bytes that come back. */
  readonly bytes: number;
  readonly intact: number;
  /** Changed on purpose: after the damage, or overwritten where only deletions are undone. */
  readonly leftAlone: number;
  /** A few of the keys that come back. */
  readonly samples: readonly string[];
}

/** Something about one file, in words. */
export interface FileFinding {
  readonly key: string;
  readonly why: string;
}

export interface ObjectsRestored extends Summarised {
  readonly restored: number;
  readonly bytes: number;
  readonly intact: number;
  readonly leftAlone: number;
  /** How many could not be brought back as they were, and the first of them. */
  readonly failedCount: number;
  readonly failed: readonly FileFinding[];
}

export interface BucketMade extends Summarised {
  /** Whether it had to be made: false where it was there. */
  readonly made: boolean;
  /** What had to be set, for instance `versioning`. */
  readonly applied: readonly string[];
}

export interface BucketSynced extends Summarised {
  /** In the source. */
  readonly objects: number;
  readonly copied: number;
  readonly copiedBytes: number;
  /** There already with the same content. */
  readonly same: number;
  /** Only in the target: left as they are. */
  readonly onlyInTarget: number;
  /** In both, and left although they differ, as it was asked. */
  readonly differingLeft: number;
  /** Not copied: damaged in the source, or refused by a store; and the first of them. */
  readonly damagedCount: number;
  readonly damaged: readonly FileFinding[];
}

/** Rows that name files, held against the files. */
export interface FilesReconciled extends Summarised {
  readonly rows: number;
  readonly objects: number;
  /** Rows whose file is not there, and the first of their keys. */
  readonly danglingCount: number;
  readonly dangling: readonly string[];
  /** Files that no row names, and the first of their keys. */
  readonly orphanedCount: number;
  readonly orphaned: readonly string[];
  /** Files of another size or content than their row says, and the first of them. */
  readonly differingCount: number;
  readonly differing: readonly FileFinding[];
}

/** What JSON can hold. */
export type Json = string | number | boolean | null | readonly Json[] | { readonly [name: string]: Json };

/** What was made, for the steps that follow. Never secrets. */
export type Outputs = Readonly<Record<string, Json>>;

export interface InfrastructurePlan extends Summarised {
  /** Each thing that is made, changed or removed, as the driver names it. */
  readonly changes: readonly { readonly address: string; readonly action: string }[];
  /** For people, as the driver words it; cut at the end where it is long. */
  readonly text: string;
}

export interface InfrastructureMade extends Summarised {
  readonly outputs: Outputs;
  /** Outputs that are secret: they stay where they are. */
  readonly withheld: readonly string[];
  /** How many things were made or changed. */
  readonly changed: number;
}

export interface Deployed extends Summarised {
  readonly outputs: Outputs;
}

export interface ProgressSeen extends Summarised {
  /** Of the steps that report any. */
  readonly steps: Readonly<Record<string, Progress>>;
}

/** The consistent state that an archive holds. */
export interface ArchiveSnapshot {
  /** ISO 8601 UTC with microseconds. */
  readonly at: string;
  readonly lsn: string;
  /** `pg_current_snapshot()` */
  readonly transactions: string;
}

export interface ArchiveTaken extends Summarised {
  /** `20261121T030000Z-full` */
  readonly label: string;
  /** As it is stored. */
  readonly bytes: number;
  readonly databaseBytes: number;
  readonly snapshot: ArchiveSnapshot;
  readonly parts: number;
  readonly copies: readonly string[];
  /** What was done to see that it is sound, in words. */
  readonly check: string;
  /** What a person should look at. */
  readonly warnings: readonly string[];
}

export interface ArchiveCatalog extends Summarised {
  readonly copies: readonly {
    readonly title: string;
    readonly archives: readonly {
      readonly label: string;
      readonly bytes: number;
      readonly snapshotAt: string | null;
      readonly databaseBytes: number | null;
      /** Why it cannot be used; null: nothing speaks against it. */
      readonly unusable: string | null;
    }[];
    /** Why the copy could not be read; null: it was. */
    readonly unreadable: string | null;
  }[];
}

export interface ArchiveRestored extends Summarised {
  readonly label: string;
  /** The copy that it came from. */
  readonly from: string;
  readonly snapshot: ArchiveSnapshot;
  /** Of the new cluster. */
  readonly systemIdentifier: string;
  readonly restoredBytes: number;
  /** Until everything was on disk. */
  readonly loadMs: number;
  /** Until the server ran with its production settings. */
  readonly readyMs: number;
  readonly passedOver: readonly string[];
}

/** Whether drivers could do their work now. That one could not is an answer, not a failure. */
export interface Readiness extends Summarised {
  readonly ready: boolean;
  readonly checks: readonly {
    /** Section of the runbook, for instance `dns.ledger`. */
    readonly section: string;
    readonly ready: boolean;
    readonly says: string;
    /** What to do where it is not ready. */
    readonly next?: string;
  }[];
}

/**
 * What workflows know of activities: names, inputs and outputs. Types only; the code with effects stands in the folders
 * beside this file. Every output has a `summary`: the one line a commander reads.
 */

import type { Proof } from '../src/model/decision.js';
import type { Notice, Receiver } from '../src/model/notice.js';
import type { PlanDocument } from '../src/model/plan.js';
import type { RunView } from '../src/model/run.js';
import type {
  Anchor,
  Application,
  ArchiveBackup,
  Backup,
  Bucket,
  DataClass,
  DnsRecord,
  Infrastructure,
  Invariant,
  ObjectStore,
  Person,
  PgbackrestBackup,
} from '../src/runbook/schema.js';
import type { BackupActivities } from './backup/contract.js';
import type { CopiesActivities } from './copies/contract.js';
import type { CredentialsActivities } from './credentials/contract.js';
import type { CustodyActivities } from './custody/contract.js';
import type { FailbackActivities } from './failback/contract.js';
import type { IntrusionActivities } from './intrusion/contract.js';
import type { ObjectsActivities } from './objects/contract.js';
import type { OutageActivities } from './outage/contract.js';
import type { SearchActivities } from './point/contract.js';
import type { ReleaseActivities } from './release/contract.js';
import type {
  ApplicationStarted,
  ArchiveCatalog,
  ArchiveRestored,
  ArchiveTaken,
  Assessment,
  BackupTaken,
  BucketMade,
  BucketSynced,
  CopiesResult,
  DatabaseAt,
  Deployed,
  FenceProof,
  FilesReconciled,
  InfrastructureMade,
  InfrastructurePlan,
  JournalEntry,
  LossReport,
  LostPrimary,
  ObjectDamage,
  ObjectsRestored,
  Outputs,
  ProgressSeen,
  Promotion,
  ProofVerdict,
  ProvisionedTarget,
  Quarantine,
  Readiness,
  RecordChange,
  RecoveryPoint,
  ReplacedPrimary,
  ReportFiles,
  RepositoryResult,
  RestoreResult,
  RungCheck,
  RungResult,
  ServiceValidation,
  StandbyBuilt,
  StandbyCaughtUp,
  StandbyState,
  StepRef,
  Summarised,
} from './results.js';
import type { SalvageActivities } from './salvage/contract.js';
import type { TablesActivities } from './tables/contract.js';

export type * from './backup/contract.js';
export type * from './copies/contract.js';
export type * from './credentials/contract.js';
export type * from './custody/contract.js';
export type * from './failback/contract.js';
export type * from './intrusion/contract.js';
export type * from './objects/contract.js';
export type * from './outage/contract.js';
export type * from './release/contract.js';
export type * from './results.js';
export type { SalvageCarried, SalvageFound } from './salvage/contract.js';
export type { TablesReplaced, TablesTaken } from './tables/contract.js';

export interface MusterActivities
  extends BackupActivities,
    CopiesActivities,
    CredentialsActivities,
    CustodyActivities,
    FailbackActivities,
    IntrusionActivities,
    ObjectsActivities,
    OutageActivities,
    ReleaseActivities,
    SearchActivities,
    SalvageActivities,
    TablesActivities {
  assessDamage(input: {
    at: StepRef;
    damaged: DatabaseAt;
    invariants: readonly Invariant[];
    dataClasses: Readonly<Record<string, DataClass>>;
  }): Promise<Assessment>;

  proposePoint(input: {
    at: StepRef;
    damaged: DatabaseAt;
    backup: Backup;
    before: string;
    dataClasses: Readonly<Record<string, DataClass>>;
  }): Promise<RecoveryPoint>;

  /** Whether a primary that is said to be gone answers after all. Changes nothing. */
  lookAtLost(input: { at: StepRef; damaged: DatabaseAt }): Promise<LostPrimary>;

  /** The newest state that the archive leads to, without asking the lost primary. */
  proposeNewest(input: {
    at: StepRef;
    /** Whose configuration leads to the backups: the site that is to be restored to. */
    from: DatabaseAt;
    backup: Backup;
    dataClasses: Readonly<Record<string, DataClass>>;
    /** The lost primary: an archive does not tell its timeline. What cannot be read of it is taken from the newest archive. */
    lost?: DatabaseAt;
  }): Promise<RecoveryPoint>;

  fencePrimary(input: {
    at: StepRef;
    damaged: DatabaseAt;
    vault: Bucket;
    point: ReplacedPrimary;
    dataClasses: Readonly<Record<string, DataClass>>;
  }): Promise<FenceProof>;
  /**
   * Goes on without proof, because people said so: takes the fencing token, tries the fence once more, and refuses while the
   * primary can be reached.
   */
  fenceWithoutProof(input: {
    at: StepRef;
    damaged: DatabaseAt;
    vault: Bucket;
    point: ReplacedPrimary;
    by: readonly string[];
    reason: string;
  }): Promise<FenceProof>;
  /** Refuses once a copy was promoted, or may be, and when another run relies on the fence. */
  liftFence(input: { at: StepRef; damaged: DatabaseAt; vault: Bucket }): Promise<Summarised>;

  preserveDamaged(input: {
    at: StepRef;
    damaged: DatabaseAt;
    quarantineDirectory: string;
    /** Of the cluster that is meant; another one is left alone. */
    systemIdentifier: string;
    vault: Bucket;
    /** Fencing token of the run: without it, and once it is not the newest any more, nothing is stopped. */
    token: number;
  }): Promise<Quarantine>;
  /** Refuses once a copy was promoted, or may be, in place of the cluster. */
  returnFromQuarantine(input: {
    at: StepRef;
    damaged: DatabaseAt;
    quarantineDirectory: string;
    vault: Bucket;
  }): Promise<Summarised>;

  provisionTarget(input: {
    at: StepRef;
    target: DatabaseAt;
    point: RecoveryPoint;
  }): Promise<ProvisionedTarget>;
  /** The same for a cluster that an archive is loaded into. */
  provisionForArchive(input: {
    at: StepRef;
    target: DatabaseAt;
    databaseBytes: number;
  }): Promise<ProvisionedTarget>;
  destroyTarget(input: { at: StepRef; target: DatabaseAt; vault: Bucket }): Promise<Summarised>;

  /** Shows what would be made; makes nothing. @param input.inputs what earlier steps gave */
  planInfrastructure(input: {
    at: StepRef;
    infrastructure: Infrastructure;
    inputs?: Outputs;
  }): Promise<InfrastructurePlan>;
  /** Makes what was shown. Refuses where something else would happen by now. */
  makeInfrastructure(input: {
    at: StepRef;
    infrastructure: Infrastructure;
    inputs?: Outputs;
    shown: Pick<InfrastructurePlan, 'changes'>;
  }): Promise<InfrastructureMade>;
  /** Puts a release into service at a site. @param input.release what the owner's program takes for one */
  deployApplication(input: {
    at: StepRef;
    application: Application;
    site: string;
    release?: string;
    inputs?: Outputs;
  }): Promise<Deployed>;

  restoreDatabase(input: {
    at: StepRef;
    target: DatabaseAt;
    provisioned: ProvisionedTarget;
    backup: Backup;
    point: RecoveryPoint;
  }): Promise<RestoreResult>;

  /** Which archives every copy holds, newest first. */
  listArchives(input: { at: StepRef; backup: ArchiveBackup }): Promise<ArchiveCatalog>;
  restoreArchive(input: {
    at: StepRef;
    target: DatabaseAt;
    provisioned: ProvisionedTarget;
    backup: ArchiveBackup;
    /** Left out: the newest that can be used. */
    label?: string;
    /** `schema.table`; their rows alone, with all definitions but foreign keys. Left out: everything. */
    tables?: readonly string[];
  }): Promise<ArchiveRestored>;

  /** Looks at repositories in the order of their use until one is sound. */
  verifyRepository(input: {
    at: StepRef;
    target: DatabaseAt;
    backup: Backup;
    point: RecoveryPoint;
  }): Promise<RepositoryResult>;
  /** Looks at all others. */
  verifyOtherCopies(input: {
    at: StepRef;
    target: DatabaseAt;
    backup: Backup;
    point: RecoveryPoint;
    lookedAt: readonly number[];
  }): Promise<CopiesResult>;
  verifyFiles(input: {
    at: StepRef;
    target: DatabaseAt;
    point: RecoveryPoint;
    restored: RestoreResult;
  }): Promise<RungResult>;
  verifyPoint(input: {
    at: StepRef;
    target: DatabaseAt;
    /** An archive has to be given: its figures are held against what was loaded. */
    backup?: Backup;
    point: RecoveryPoint;
    restored: RestoreResult;
  }): Promise<RungResult>;
  verifyStructure(input: { at: StepRef; target: DatabaseAt; jobs: number }): Promise<RungResult>;
  verifyDump(input: { at: StepRef; target: DatabaseAt; jobs: number }): Promise<RungResult>;
  verifyInvariants(input: {
    at: StepRef;
    target: DatabaseAt;
    invariants: readonly Invariant[];
    dataClasses: Readonly<Record<string, DataClass>>;
    point: Pick<RecoveryPoint, 'time'>;
  }): Promise<RungResult>;
  verifyApplication(input: {
    at: StepRef;
    target: DatabaseAt;
    application: Application;
  }): Promise<RungResult>;

  /** Refuses unless every check given has passed, the fence is proven and holds, and the copy stands where it was verified. */
  promote(input: {
    at: StepRef;
    target: DatabaseAt;
    damaged: DatabaseAt;
    vault: Bucket;
    point: ReplacedPrimary;
    restored: Pick<RestoreResult, 'lsn' | 'cluster'>;
    fence: FenceProof;
    checks: readonly RungCheck[];
  }): Promise<Promotion>;

  /** Looks at a standby and changes nothing. @throws `StandbyUnusable` where it can never be promoted */
  checkStandby(input: {
    at: StepRef;
    standby: DatabaseAt;
    primary: DatabaseAt;
    backup: PgbackrestBackup;
    dataClasses: Readonly<Record<string, DataClass>>;
  }): Promise<StandbyState>;
  /**
   * Cuts the standby off from the primary, replays all that it has received and all that the archive holds, and pauses there:
   * nothing moves it from then on.
   */
  catchUpStandby(input: {
    at: StepRef;
    standby: DatabaseAt;
    backup: PgbackrestBackup;
    state: ReplacedPrimary;
    vault: Bucket;
    /** Of the fence: without it, and once it is not the newest any more, the standby is left alone. */
    token: number;
    dataClasses: Readonly<Record<string, DataClass>>;
  }): Promise<StandbyCaughtUp>;
  /** Undoes `catchUpStandby`; refuses once this run promoted the standby, or may have. Leaves it alone for another run's sake. */
  followAgain(input: { at: StepRef; standby: DatabaseAt; vault: Bucket }): Promise<Summarised>;
  /** Rungs 1 to 4 as a running standby can climb them. */
  verifyStandby(input: {
    at: StepRef;
    standby: DatabaseAt;
    backup: PgbackrestBackup;
    caughtUp: StandbyCaughtUp;
  }): Promise<RungResult>;
  /** A copy of the new primary that follows it, with a slot of its own. An attempt that finds it following is done. */
  buildStandby(input: {
    at: StepRef;
    primary: DatabaseAt;
    target: DatabaseAt;
    backup: PgbackrestBackup;
    slot: string;
    /** The directory stays the run's, so that it can be removed if the run is called off. Left out: it is nobody's any more. */
    lease?: 'kept';
  }): Promise<StandbyBuilt>;
  /** Runs the owner's command unless the application answers already; that it is healthy is not waited for. */
  startApplication(input: {
    at: StepRef;
    application: Application;
    site: string;
  }): Promise<ApplicationStarted>;

  lowerTtl(input: { at: StepRef; record: DnsRecord; site: string }): Promise<RecordChange>;
  restoreTtl(input: {
    at: StepRef;
    record: DnsRecord;
    site: string;
    /** What becomes of a record that leads to another place than the site: refused where left out. */
    elsewhere?: 'left';
  }): Promise<RecordChange>;
  cutOver(input: {
    at: StepRef;
    record: DnsRecord;
    from: string;
    to: string;
    fence: FenceProof;
    vault: Bucket;
  }): Promise<RecordChange>;

  validateService(input: {
    at: StepRef;
    application: Application;
    target: DatabaseAt;
    damaged: DatabaseAt;
    /** One without proof: an old primary that is silent is accepted, one that takes a write is not. Left out: proven. */
    fence?: Pick<FenceProof, 'refusedWrite'>;
    /** `archives`: the system is kept by dumps, and its WAL goes nowhere. Left out: its WAL has to be archived. */
    keptBy?: 'archives';
  }): Promise<ServiceValidation>;

  /** @param input.since when the primary that is replaced was promoted, ISO 8601: what was lost before is another run's loss */
  measureLoss(input: {
    at: StepRef;
    target: DatabaseAt;
    point: ReplacedPrimary;
    fence: Pick<FenceProof, 'census'>;
    dataClasses: Readonly<Record<string, DataClass>>;
    since?: string;
  }): Promise<LossReport>;

  protectAgain(input: { at: StepRef; target: DatabaseAt; backup: Backup }): Promise<BackupTaken>;

  /**
   * Looks which files are not as they were; changes nothing.
   *
   * @param input.before versions written before this moment are good, ISO 8601
   * @param input.until what was written at or after it was done on purpose; to now where left out
   * @param input.damage `deleted`: only files that were deleted; `changed`: also those that were overwritten
   * @param input.prefix only keys that begin with it
   */
  assessObjects(input: {
    at: StepRef;
    store: ObjectStore;
    before: string;
    until?: string;
    damage: 'deleted' | 'changed';
    prefix?: string;
  }): Promise<ObjectDamage>;
  /**
   * Brings back what `assessObjects` finds, by copies of the versions: nothing is deleted. Refuses a bucket without versioning.
   */
  restoreObjects(input: {
    at: StepRef;
    store: ObjectStore;
    before: string;
    until?: string;
    damage: 'deleted' | 'changed';
    prefix?: string;
  }): Promise<ObjectsRestored>;
  /** Makes the primary bucket where it is lost, and sets versioning, CORS and policy as the runbook says. */
  makeBucket(input: { at: StepRef; store: ObjectStore }): Promise<BucketMade>;
  /** Fills one bucket of the store from the other; an attempt goes on where the one before it was. Deletes nothing. */
  syncObjects(input: {
    at: StepRef;
    store: ObjectStore;
    from: 'primary' | 'secondary';
    /** What becomes of files that both have and that differ; copied where left out. */
    differing?: 'copied' | 'left';
  }): Promise<BucketSynced>;
  /** Holds the rows that name files against the files; changes nothing. */
  reconcileFiles(input: { at: StepRef; store: ObjectStore; database: DatabaseAt }): Promise<FilesReconciled>;
  takeArchive(input: {
    at: StepRef;
    source: DatabaseAt;
    backup: ArchiveBackup;
    /** Left out: now. Given, the activity can be repeated. */
    label?: string;
  }): Promise<ArchiveTaken>;

  /**
   * Never fails for want of the store: what the store cannot take is spooled and replayed.
   * @returns the hash of the last entry, in the chain that begins behind `after`
   */
  appendJournal(input: {
    run: Omit<StepRef, 'step'>;
    entries: readonly JournalEntry[];
    /** Where the entries are kept a second time and the end of their chain is anchored. */
    anchor?: Anchor;
    /** Hash of the entry before the first of these in the run's chain. */
    after: string;
  }): Promise<string>;

  /** Whether the statement is by this person. Never fails for a bad proof: that is its answer. */
  verifyProof(input: {
    at: Omit<StepRef, 'step'>;
    person: Person;
    /** What was signed: see `statementOf`. */
    statement: string;
    proof?: Proof;
    secondFactor: 'none' | 'totp';
  }): Promise<ProofVerdict>;

  /** Looks whether the drivers that are given could do their work now. Changes nothing, and fails for none of them. */
  checkReadiness(input: {
    at: StepRef;
    dns: Readonly<Record<string, DnsRecord>>;
    objects: Readonly<Record<string, ObjectStore>>;
    infrastructure: Readonly<Record<string, Infrastructure>>;
  }): Promise<Readiness>;

  /** Tells one channel; tried again until it is delivered or too old to be of use. */
  sendNotice(input: { notice: Notice; receiver: Receiver }): Promise<Summarised>;

  writeReport(input: {
    at: StepRef;
    plan: PlanDocument;
    view: RunView;
    outputs: Readonly<Record<string, unknown>>;
  }): Promise<ReportFiles>;

  /** Keeps the finished run, with the time of each step, for history and forecasts. */
  keepRun(input: { view: RunView }): Promise<void>;

  /** What the steps of the run report of their progress at this moment. */
  readProgress(input: { at: Omit<StepRef, 'step'> }): Promise<ProgressSeen>;

  /** Does nothing: what a step costs by itself is measured with it. */
  nothing(input: { at: StepRef }): Promise<Summarised>;
}

/** Which repositories lead to a point: a backup that ended before it, and all the WAL from there on. */
import { MusterError, PermanentError } from '../../src/errors.js';
import type { PgbackrestBackup, PostgresSite } from '../../src/runbook/schema.js';
import type { BackupInfo } from '../pgbackrest/info.js';
import { commitReader, newestCommit, segmentOfMoment } from './commits.js';
import { type Cluster, lookInto, pathFrom } from './holding.js';
import { momentOf } from './moment.js';

export interface Sought extends Cluster {
  readonly moment: string;
}

/** A repository that leads to the point. */
export interface Candidate {
  readonly repository: number;
  readonly systemIdentifier: string;
  readonly timeline: number;
  readonly backup: BackupInfo;
  /** From the backup's start to the point. */
  readonly segments: readonly string[];
}

/** Why a repository does not lead to the point. */
export interface Refusal {
  readonly repository: number;
  readonly error: MusterError;
}

/** Looks at one repository. Answers rather than throws, so that one bad repository does not hide a good one. */
export async function examineRepository(
  postgres: PostgresSite,
  backup: PgbackrestBackup,
  repository: number,
  sought: Sought,
  /** By which pgBackRest knows whose WAL is meant. */
  dataDirectory: string = postgres.service.dataDirectory,
): Promise<Candidate | Refusal> {
  return answering(repository, () => findCandidate(postgres, backup, repository, sought, dataDirectory));
}

/** A refusal in place of what was thrown: one bad repository must not hide a good one. */
export async function answering<T>(repository: number, look: () => Promise<T>): Promise<T | Refusal> {
  try {
    return await look();
  } catch (error) {
    if (error instanceof MusterError) return { repository, error };
    throw error;
  }
}

async function findCandidate(
  postgres: PostgresSite,
  backup: PgbackrestBackup,
  repository: number,
  sought: Sought,
  dataDirectory: string,
): Promise<Candidate> {
  const holding = await lookInto(postgres, backup, repository, sought);
  const { scope, name, backups, systemIdentifier, timeline } = holding;
  const read = commitReader(postgres, scope, repository, dataDirectory);
  const earlier = backups.filter((one) => momentOf(one.timestamp.stop + 1) <= sought.moment);
  if (earlier.length === 0) throw beforeBackups(name, backups, sought.moment);
  const path = await pathFrom(holding, earlier);
  const at = await segmentOfMoment(path.present, sought.moment, read);
  if (at !== undefined) {
    return {
      repository,
      systemIdentifier,
      timeline,
      backup: path.backup,
      segments: path.present.slice(0, at + 1),
    };
  }
  const reaches = (await newestCommit(path.present, read)) ?? momentOf(path.backup.timestamp.stop);
  const missing = path.segments[path.present.length];
  throw missing === undefined
    ? notArchived(name, sought.moment, reaches, backups)
    : walMissing(name, sought.moment, missing, reaches, backups);
}

function beforeBackups(name: string, backups: readonly BackupInfo[], moment: string): PermanentError {
  const oldest = oldestOf(backups);
  return new PermanentError(
    'PointBeforeBackups',
    `${moment} is before all backups in ${name}: they begin at ${oldest}.`,
    {
      next: `Choose a point at or after ${oldest}, or another copy that reaches further back.`,
      details: { oldest },
    },
  );
}

function notArchived(
  name: string,
  moment: string,
  reaches: string,
  backups: readonly BackupInfo[],
): PermanentError {
  return new PermanentError(
    'PointNotArchived',
    `${moment} is later than what ${name} holds: ${covers(backups, reaches)}.`,
    {
      why: 'The WAL of that time has not been archived; the primary could not be asked for it, or archiving fails.',
      next: `Choose ${reaches} or earlier, or mend archiving on the primary and retry the step.`,
      details: { newest: reaches },
    },
  );
}

function walMissing(
  name: string,
  moment: string,
  segment: string,
  reaches: string,
  backups: readonly BackupInfo[],
): PermanentError {
  return new PermanentError(
    'WalMissing',
    `WAL segment ${segment} is missing in ${name}, so ${moment} cannot be reached from there: ${covers(backups, reaches)}.`,
    {
      next: `Bring the segment back from another copy of the archive${reaches < oldestOf(backups) ? '' : `, or choose ${reaches} or earlier`}.`,
      details: { segment, newest: reaches },
    },
  );
}

function covers(backups: readonly BackupInfo[], reaches: string): string {
  const oldest = oldestOf(backups);
  return reaches < oldest
    ? `no moment after its backup of ${oldest} can be reached`
    : `it covers from ${oldest} to ${reaches}`;
}

/** The first moment that the oldest backup leads to. */
function oldestOf(backups: readonly BackupInfo[]): string {
  return momentOf((backups[0]?.timestamp.stop ?? 0) + 1);
}

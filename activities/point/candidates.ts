/** Which repositories lead to a point: a backup that ended before it, and all the WAL from there on. */
import { MusterError, PermanentError } from '../../src/errors.js';
import type { PgbackrestBackup, PostgresSite } from '../../src/runbook/schema.js';
import { archiveIdOf, listSegments, readHistory, segmentsAlong } from '../pgbackrest/archive.js';
import { type PgbackrestScope, repositoryName, scopeOf } from '../pgbackrest/command.js';
import { type BackupInfo, backupsIn, readInfo, type StanzaInfo } from '../pgbackrest/info.js';
import { commitReader, newestCommit, segmentOfMoment } from './commits.js';
import { momentOf } from './moment.js';

export interface Sought {
  readonly moment: string;
  /** Empty: whatever system the repository is of. */
  readonly systemIdentifier: string;
  /** 0: the newest in the archive. */
  readonly timeline: number;
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
): Promise<Candidate | Refusal> {
  try {
    return await findCandidate(postgres, backup, repository, sought);
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
): Promise<Candidate> {
  const scope = scopeOf(postgres, backup);
  const name = repositoryName(backup, repository);
  const info = await readInfo(scope, repository);
  const systemIdentifier = sought.systemIdentifier || newestSystem(info, repository);
  const archiveId = archiveIdOf(info, repository, systemIdentifier);
  if (archiveId === undefined) throw foreignSystem(name, info, systemIdentifier);
  const databaseId = info.db.find(
    (one) => one['repo-key'] === repository && one['system-id'] === systemIdentifier,
  )?.id;
  const backups = backupsIn(info, repository).filter((one) => one.database.id === databaseId);
  const earlier = backups.filter((one) => momentOf(one.timestamp.stop + 1) <= sought.moment);
  const newest = info.archive.find((one) => one.id === archiveId)?.max ?? undefined;
  if (newest === undefined || backups.length === 0) throw nothingThere(name);
  if (earlier.length === 0) throw beforeBackups(name, backups, sought.moment);
  const timeline = sought.timeline || Number.parseInt(newest.slice(0, 8), 16);
  const path = await pathOf(scope, repository, archiveId, earlier, newest, timeline, name);
  const present = await unbroken(scope, repository, archiveId, path.segments);
  const read = commitReader(postgres, scope, repository);
  const at = await segmentOfMoment(present, sought.moment, read);
  if (at !== undefined) {
    return {
      repository,
      systemIdentifier,
      timeline,
      backup: path.backup,
      segments: present.slice(0, at + 1),
    };
  }
  const reaches = (await newestCommit(present, read)) ?? momentOf(path.backup.timestamp.stop);
  const missing = path.segments[present.length];
  throw missing === undefined
    ? notArchived(name, sought.moment, reaches, backups)
    : walMissing(name, sought.moment, missing, reaches, backups);
}

/** The newest backup whose timeline leads to the one of the point, with the segments in between. */
async function pathOf(
  scope: PgbackrestScope,
  repository: number,
  archiveId: string,
  earlier: readonly BackupInfo[],
  newest: string,
  timeline: number,
  name: string,
): Promise<{ readonly backup: BackupInfo; readonly segments: readonly string[] }> {
  const history = await readHistory(scope, repository, archiveId, timeline);
  const last = `${timeline.toString(16).toUpperCase().padStart(8, '0')}${newest.slice(8)}`;
  for (const backup of [...earlier].reverse()) {
    const first = backup.archive.start;
    const segments =
      first === null || history === undefined ? undefined : segmentsAlong(first, last, history);
    if (segments !== undefined && segments.length > 0) return { backup, segments };
  }
  throw new PermanentError(
    'WrongTimeline',
    `In ${name} no backup before the point leads to timeline ${timeline}${history === undefined ? `: the history of that timeline is missing in archive ${archiveId}` : ''}.`,
    { next: 'Choose a point on a timeline that a backup leads to, or another repository.' },
  );
}

/** The segments up to the first one that is missing. */
async function unbroken(
  scope: PgbackrestScope,
  repository: number,
  archiveId: string,
  segments: readonly string[],
): Promise<readonly string[]> {
  const { segments: listed } = await listSegments(scope, repository, archiveId, segments);
  const gap = segments.findIndex((segment) => !listed.has(segment));
  return gap < 0 ? segments : segments.slice(0, gap);
}

function newestSystem(info: StanzaInfo, repository: number): string {
  return info.db.filter((one) => one['repo-key'] === repository).at(-1)?.['system-id'] ?? '';
}

function foreignSystem(name: string, info: StanzaInfo, systemIdentifier: string): PermanentError {
  const theirs = info.db.map((one) => one['system-id']).join(', ');
  return new PermanentError(
    'WrongSystemIdentifier',
    `${name} holds backups of system ${theirs || 'none'}, not of ${systemIdentifier}.`,
    {
      why: 'These are backups of another cluster, or the primary was made anew since.',
      next: 'Correct stanza and configuration of the backup in the runbook.',
    },
  );
}

function nothingThere(name: string): PermanentError {
  return new PermanentError('NoBackup', `${name} holds no backup, or no WAL, of this system.`, {
    next: 'Use another repository; see why this one is empty.',
  });
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

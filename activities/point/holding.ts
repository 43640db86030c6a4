/** What a repository holds of one cluster: its backups, and the WAL that leads on from them. */
import { PermanentError } from '../../src/errors.js';
import type { PgbackrestBackup, PostgresSite } from '../../src/runbook/schema.js';
import { archiveIdOf, listSegments, readHistory, segmentsAlong } from '../pgbackrest/archive.js';
import { type PgbackrestScope, repositoryName, scopeOf } from '../pgbackrest/command.js';
import { type BackupInfo, backupsIn, readInfo, type StanzaInfo } from '../pgbackrest/info.js';

/** Whose backups are meant. */
export interface Cluster {
  /** Empty: the one that the repository took last. */
  readonly systemIdentifier: string;
  /** 0: the newest in the archive. */
  readonly timeline: number;
}

export interface Holding extends Cluster {
  readonly scope: PgbackrestScope;
  readonly repository: number;
  /** As people are told it. */
  readonly name: string;
  readonly archiveId: string;
  /** Oldest first; at least one. */
  readonly backups: readonly BackupInfo[];
  /** Name of the newest segment of the archive. */
  readonly newest: string;
}

/** @throws PermanentError `WrongSystemIdentifier`, `NoBackup`; what pgBackRest says when the repository cannot be read */
export async function lookInto(
  postgres: PostgresSite,
  backup: PgbackrestBackup,
  repository: number,
  sought: Cluster,
): Promise<Holding> {
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
  const newest = info.archive.find((one) => one.id === archiveId)?.max ?? undefined;
  if (newest === undefined || backups.length === 0) throw nothingThere(name);
  return {
    scope,
    repository,
    name,
    archiveId,
    backups,
    newest,
    systemIdentifier,
    timeline: sought.timeline || Number.parseInt(newest.slice(0, 8), 16),
  };
}

export interface WalPath {
  readonly backup: BackupInfo;
  /** All that lie between the backup's start and the end of the archive, whether they are there or not. */
  readonly segments: readonly string[];
  /** Those that are there, up to the first one that is missing. */
  readonly present: readonly string[];
}

/**
 * The newest of these backups whose timeline leads to the one that is sought, with the segments from there on.
 *
 * @throws PermanentError `WrongTimeline`
 */
export async function pathFrom(
  { scope, repository, archiveId, newest, timeline, name }: Holding,
  backups: readonly BackupInfo[],
): Promise<WalPath> {
  const history = await readHistory(scope, repository, archiveId, timeline);
  const last = `${timeline.toString(16).toUpperCase().padStart(8, '0')}${newest.slice(8)}`;
  for (const backup of [...backups].reverse()) {
    const first = backup.archive.start;
    const segments =
      first === null || history === undefined ? undefined : segmentsAlong(first, last, history);
    if (segments === undefined || segments.length === 0) continue;
    return { backup, segments, present: await unbroken(scope, repository, archiveId, segments) };
  }
  throw new PermanentError(
    'WrongTimeline',
    `In ${name} no backup before the point leads to timeline ${timeline}${history === undefined ? `: the history of that timeline is missing or damaged in archive ${archiveId}` : ''}.`,
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

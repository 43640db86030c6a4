import { MusterError, messageOf } from '../../src/errors.js';
import { formatBytes, formatCount, formatDuration } from '../../src/model/format.js';
import type { OfPgbackrest } from '../../src/runbook/backups.js';
import type { PgbackrestBackup } from '../../src/runbook/schema.js';
import type {
  CopiesResult,
  DatabaseAt,
  MusterActivities,
  RecoveryPoint,
  RepositoryResult,
  RungCheck,
} from '../contract.js';
import {
  archiveIdOf,
  listSegments,
  readHistory,
  SEGMENT_BYTES,
  segmentsAlong,
} from '../pgbackrest/archive.js';
import { type PgbackrestScope, pgbackrestVersion, repositoryName, scopeOf } from '../pgbackrest/command.js';
import { type BackupInfo, backupsIn, readInfo, type StanzaInfo } from '../pgbackrest/info.js';
import { damagedLists } from '../pgbackrest/lists.js';
import { askRepositories } from '../pgbackrest/reach.js';
import { canVerifyOneSet, runVerify, verifyPatienceMs } from '../pgbackrest/verify.js';
import { parseSegment } from '../pgbackrest/wal.js';
import { check, passed, verificationFailed } from './check.js';
import { problemOf, some } from './repository-problem.js';

type Input = OfPgbackrest<Parameters<MusterActivities['verifyRepository']>[0]>;

const RUNG = 1;
/** Where one set cannot be verified by itself, a whole repository is only read up to this multiple of the set. */
const WORTHWHILE_FACTOR = 10;
const WORTHWHILE_BYTES = 50e9;

/**
 * Rung 1: the backup set is whole and the WAL from it to the point is there without a gap. The repository that is restored
 * from is looked at first; where it is not sound, the next one that the point counts on carries the rung, and what is wrong
 * is said. Runs beside the restore and gives way to it.
 *
 * @throws PermanentError `VerificationFailed` when no repository is sound; TransientError when none could be read
 */
export async function verifyRepository({ target, backup, point }: Input): Promise<RepositoryResult> {
  const lookedAt: number[] = [];
  const troubles: Trouble[] = [];
  for (const repository of point.usableRepositories) {
    lookedAt.push(repository);
    const looked = await lookAt(target, backup, point, repository);
    if ('checks' in looked) {
      const notes = troubles.map(({ text }) => ` NOT SOUND: ${text}`);
      return { ...passed(looked.checks, notes.join('')), lookedAt };
    }
    troubles.push(looked);
  }
  throw summaryOf(troubles.map(({ error }) => error));
}

/**
 * Looks at the repositories that rung 1 had no need of, all at once. One that is not sound is told and not a failure: the
 * recovery does not rest on it.
 */
export async function verifyOtherCopies({
  target,
  backup,
  point,
  lookedAt,
}: OfPgbackrest<Parameters<MusterActivities['verifyOtherCopies']>[0]>): Promise<CopiesResult> {
  const others = point.usableRepositories.filter((repository) => !lookedAt.includes(repository));
  const looked = await Promise.all(others.map((repository) => lookAt(target, backup, point, repository)));
  const checks = looked.flatMap((one) => ('checks' in one ? one.checks : []));
  const unsound = looked.flatMap((one) => ('checks' in one ? [] : [one.text]));
  const notes = unsound.map((text) => ` NOT SOUND: ${text}`).join('');
  if (checks.length > 0) return { ...passed(checks, notes), unsound };
  const none = 'no other repository holds what this recovery needs';
  return { checks, unsound, summary: others.length === 0 ? none : notes.trim() };
}

interface Trouble {
  readonly error: MusterError;
  /** For people: which repository, what is wrong, what to do. */
  readonly text: string;
}

/** Answers rather than throws, so that one bad repository does not hide a good one. */
async function lookAt(
  target: DatabaseAt,
  backup: PgbackrestBackup,
  point: RecoveryPoint,
  repository: number,
): Promise<{ readonly checks: readonly RungCheck[] } | Trouble> {
  const scope = scopeOf(target.postgres, backup);
  try {
    const silence = (await askRepositories(scope, [repository])).get(repository);
    if (silence !== undefined) throw silence;
    return { checks: await verifyOne(scope, backup, point, repository) };
  } catch (error) {
    if (!(error instanceof MusterError)) throw error;
    const name = repositoryName(backup, repository);
    return { error, text: `${name}: ${messageOf(error)} Repair it or take a new backup into it.` };
  }
}

function summaryOf(errors: readonly unknown[]): unknown {
  const failed = errors.filter((one) => one instanceof MusterError && one.code === 'VerificationFailed');
  if (failed.length < 2) return failed[0] ?? errors[0];
  return verificationFailed(
    { rung: RUNG, title: 'backup set and WAL' },
    `no repository is sound. ${failed.map(messageOf).join(' ')}`,
    'Choose another recovery point (another backup set), or repair a repository, then retry the step.',
  );
}

async function verifyOne(
  scope: PgbackrestScope,
  backup: PgbackrestBackup,
  point: RecoveryPoint,
  repository: number,
): Promise<readonly RungCheck[]> {
  const name = repositoryName(backup, repository);
  const tool = { tool: 'pgbackrest', toolVersion: await pgbackrestVersion() };
  const set = { rung: RUNG, title: `backup set, ${name}`, ...tool };
  const wal = { rung: RUNG, title: `WAL and timeline, ${name}`, ...tool };
  const info = await readInfo(scope, repository);
  const chosen = chooseBackup(info, repository, point);
  if (chosen === undefined) {
    throw verificationFailed(set, `it holds no backup from before ${point.time}.`, 'Use another repository.');
  }
  const archiveId = archiveIdOf(info, repository, point.systemIdentifier);
  if (archiveId === undefined) {
    throw verificationFailed(
      set,
      `its backups are not of the cluster with system identifier ${point.systemIdentifier}.`,
      'Check the stanza in the runbook (backups.<name>.stanza).',
    );
  }
  return [
    await check(wal, () => checkWal(wal, scope, repository, archiveId, chosen, point)),
    await check(set, () => checkSet(set, scope, repository, archiveId, chosen, info, point)),
  ];
}

/** Labels are a repository's own: where the point's backup is not, its newest one from before the point counts. */
function chooseBackup(info: StanzaInfo, repository: number, point: RecoveryPoint): BackupInfo | undefined {
  const before = Math.floor(Date.parse(point.time) / 1000);
  const backups = backupsIn(info, repository);
  return (
    backups.find((one) => repository === point.backup.repository && one.label === point.backup.label) ??
    backups.filter((one) => one.timestamp.stop < before).at(-1)
  );
}

type Heading = { readonly rung: number; readonly title: string };

async function checkWal(
  heading: Heading,
  scope: PgbackrestScope,
  repository: number,
  archiveId: string,
  chosen: BackupInfo,
  point: RecoveryPoint,
): Promise<string> {
  const history = await readHistory(scope, repository, archiveId, point.timeline);
  if (history === undefined) {
    throw verificationFailed(
      heading,
      `the history of timeline ${point.timeline} is missing or damaged in archive/${scope.stanza}/${archiveId}.`,
      'Bring the .history file back from another copy of the archive, or choose a point on an earlier timeline.',
    );
  }
  const first = chosen.archive.start;
  const needed = first === null ? undefined : segmentsAlong(first, point.walEnd, history);
  if (needed === undefined || needed.length === 0) {
    throw verificationFailed(
      heading,
      `backup ${chosen.label} (WAL from ${first ?? 'nowhere'}) does not lead to timeline ${point.timeline}.`,
      'Choose a backup and a point on one history.',
    );
  }
  const { segments } = await listSegments(scope, repository, archiveId, needed);
  const missing = needed.filter((name) => !segments.has(name));
  if (missing.length > 0) {
    throw verificationFailed(
      heading,
      `${missing.length} of ${needed.length} WAL segments are missing: ${some(missing)}.`,
      'Bring them back from another copy of the archive, or choose a point before the first of them.',
      { missing: missing.length, first: missing[0] ?? '' },
    );
  }
  const doubled = needed.filter((name) => (segments.get(name) ?? 0) > 1);
  if (doubled.length > 0) {
    throw verificationFailed(
      heading,
      `there are contradicting copies of WAL segment ${some(doubled)}.`,
      'Two servers have archived to one stanza: find out which copy is the right one and remove the other.',
    );
  }
  const line = point.timeline === 1 ? 'timeline 1' : `timeline ${point.timeline} with its history`;
  return `repository ${repository}: ${formatCount(needed.length)} WAL segments ${needed[0]} to ${needed.at(-1)} without a gap, ${line}`;
}

async function checkSet(
  heading: Heading,
  scope: PgbackrestScope,
  repository: number,
  archiveId: string,
  chosen: BackupInfo,
  info: StanzaInfo,
  point: RecoveryPoint,
): Promise<string> {
  const chain = [...new Set([...(chosen.reference ?? []), chosen.label])];
  const one = await canVerifyOneSet();
  const bytes = (backups: readonly BackupInfo[]) =>
    backups.reduce((sum, backup) => sum + (backup.info.repository.delta ?? 0), 0);
  const all = backupsIn(info, repository);
  const whole = bytes(all);
  const set = bytes(all.filter((backup) => chain.includes(backup.label)));
  if (!one && whole > WORTHWHILE_BYTES && whole > WORTHWHILE_FACTOR * set) {
    return `repository ${repository}: not read again, because this pgBackRest can only verify all ${all.length} backups (${formatBytes(whole)}) at once; the restore compares every file of the set with its checksum`;
  }
  const reads = whole + walBytes(info, archiveId);
  const patienceMs = verifyPatienceMs(reads);
  const reading = runVerify(scope, repository, one ? chosen.label : undefined, patienceMs);
  const [{ report, wrong }, lists] = await Promise.all([
    reading.catch((error: unknown) => {
      if (!(error instanceof MusterError) || error.code !== 'ToolTimedOut') throw error;
      throw verificationFailed(
        heading,
        `pgBackRest's verify did not come to its end in ${formatDuration(patienceMs)}, for at most ${formatBytes(reads)}: some kinds of damage make it wait for ever.`,
        'Restore from another repository. Where this is the only one: the restore compares every file that it writes with its checksum; skip this check only if it has passed.',
      );
    }),
    damagedLists(scope, repository, chain),
  ]);
  const problem = problemOf(report, wrong, chain, archiveId, chosen, point);
  if (problem !== undefined) {
    throw verificationFailed(
      heading,
      problem,
      'Restore from another repository or from an older backup set; repair this one afterwards.',
      wrong.length > 0 ? { files: wrong.length, first: wrong[0]?.file ?? '' } : {},
    );
  }
  const files = chain.reduce((sum, label) => sum + (report.backups[label]?.valid ?? 0), 0);
  const elsewhere =
    wrong.length === 0 ? '' : ` (elsewhere in it ${wrong.length} files are damaged, first ${wrong[0]?.file})`;
  const remarks = lists.length === 0 ? '' : ` (NOT WHOLE, though readable: ${some(lists)})`;
  return `repository ${repository}: ${chain.join(' and ')} whole, ${formatCount(files)} files compared with their checksums${elsewhere}${remarks}`;
}

/** All WAL of a cluster before it was compressed: verify reads it too. */
function walBytes(info: StanzaInfo, archiveId: string): number {
  const { min, max } = info.archive.find(({ id }) => id === archiveId) ?? {};
  if (typeof min !== 'string' || typeof max !== 'string') return 0;
  const segments = parseSegment(max, SEGMENT_BYTES).index - parseSegment(min, SEGMENT_BYTES).index + 1;
  return Math.max(0, segments) * SEGMENT_BYTES;
}

/**
 * A copy of the database that only Muster looks at: restored from a backup, in recovery and therefore read-only for as long as
 * it lives, moved forward as far as is asked, and removed.
 */
import { chown, mkdir, readdir, rm, statfs, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { PermanentError, TransientError } from '../../src/errors.js';
import { formatBytes } from '../../src/model/format.js';
import type { Progress } from '../../src/model/run.js';
import { accountIds } from '../../src/process.js';
import type { PgbackrestBackup } from '../../src/runbook/schema.js';
import type { DatabaseAt, RecoveryPoint, StepRef } from '../contract.js';
import { SEGMENT_BYTES } from '../pgbackrest/archive.js';
import { endLeftovers } from '../pgbackrest/leftovers.js';
import { lsnToNumber, parseSegment } from '../pgbackrest/wal.js';
import {
  dropLease,
  holdLease,
  type Lease,
  readLease,
  requireHeld,
  spoolDirectoryOf,
  tablespaceDirectoryOf,
  takeLease,
} from '../provision/lease.js';
import { restoreFiles } from '../restore/files.js';
import { type PausedCopy, replayToPoint } from '../restore/replay.js';
import { type TargetSettings, writeTargetSettings } from '../restore/settings.js';
import { archiveGetCommand } from '../restore/shell.js';
import { serviceOf } from '../service/index.js';
import { ownedDirectory } from '../service/pg-ctl.js';
import {
  ACCESS,
  accessFileOf,
  loadingDirectoryOf,
  makeSocketFolder,
  type Purpose,
  privatePlace,
  privateSettings,
  removeSocketFolder,
} from './place.js';

/** The backup that a copy is restored from, and whose history it follows. */
export interface Source {
  readonly repository: number;
  readonly label: string;
  readonly type: RecoveryPoint['backup']['type'];
  readonly databaseBytes: number;
  readonly walStart: string;
  readonly systemIdentifier: string;
  readonly timeline: number;
}

/** Where the copy stops: where the backup is consistent, right after a commit's record, or right before the first commit from a moment on. */
export type Stop = 'consistent' | { readonly at: string; readonly lsn: string } | { readonly before: string };

export interface PrivateCopy {
  /** How it is reached. */
  readonly place: DatabaseAt;
  /** Puts the files of a backup there, in place of what there is, and replays to the stop. */
  restore(source: Source, stop: Stop, update: (progress: Progress) => void): Promise<PausedCopy>;
  /** Replays on. The stop lies after the one before it. */
  forward(stop: Stop, update: (progress: Progress) => void): Promise<PausedCopy>;
  /** Removes it, also where the step was called off. Leaves it alone where a later attempt has taken it over. */
  close(): Promise<void>;
}

/** Room beside the files for the WAL that replay keeps. */
const WAL_BYTES = 1024 ** 3;
const GROWTH = 1.2;
const GONE_MS = 60_000;
/** Up to so many segments pgBackRest is quicker than with a process that fetches ahead, which has to be started. */
const FETCHED_ALONE = 16;

/**
 * Takes the place for this attempt: what an earlier one has left there is ended, its files are used again.
 *
 * @throws PermanentError `NoRoom`, `SocketFolderTaken`
 */
export async function openPrivateCopy(
  at: StepRef,
  target: DatabaseAt,
  backup: PgbackrestBackup,
  purpose: Purpose,
  databaseBytes: number,
): Promise<PrivateCopy> {
  const { place, lease } = await takePrivatePlace(at, target, purpose, databaseBytes);
  const { dataDirectory } = place.postgres.service;
  let current: Source | undefined;
  /** Number of the segment that replay goes on from, at the earliest. */
  let from = 0;

  async function replay(source: Source, stop: Stop, update: (progress: Progress) => void) {
    const to = typeof stop === 'object' && 'lsn' in stop ? segmentAt(stop.lsn) : from;
    await requireHeld(lease);
    await prepare(place, backup, source, stop, to - from > FETCHED_ALONE ? 'ahead' : 'one by one');
    await requireHeld(lease);
    const paused = await replayToPoint(place, pointOf(source, stop), update);
    from = to;
    return paused;
  }

  return {
    place,

    async restore(source, stop, update) {
      current = undefined;
      await requireHeld(lease);
      await endServer(place);
      await endLeftovers(dataDirectory);
      const point = pointOf(source, stop);
      await restoreFiles({ at, target: place, backup, point }, new Map(), () => requireHeld(lease), update);
      current = source;
      from = parseSegment(source.walStart, SEGMENT_BYTES).index;
      return replay(source, stop, update);
    },

    async forward(stop, update) {
      if (current === undefined) throw new Error('nothing was restored yet');
      await requireHeld(lease);
      // Clean, so that replay goes on from the last restart point that is due.
      await serviceOf(place.postgres).stop('fast');
      return replay(current, stop, update);
    },

    close: () => removeHeldCopy(at, target, purpose, lease),
  };
}

/**
 * A directory, a lease on it and a socket folder; what an earlier attempt has running there is ended, its files stay.
 *
 * @throws PermanentError `NoRoom`, `SocketFolderTaken`
 */
export async function takePrivatePlace(
  at: StepRef,
  target: DatabaseAt,
  purpose: Purpose,
  databaseBytes: number,
): Promise<{ readonly place: DatabaseAt; readonly lease: Lease }> {
  const place = privatePlace(at, target, purpose);
  const { dataDirectory, account } = place.postgres.service;
  await ownedDirectory(dirname(dataDirectory), account);
  const entries = (await readdir(dataDirectory).catch(() => [])).length;
  if (entries === 0) await requireRoom(place, databaseBytes * GROWTH + WAL_BYTES);
  await takeLease(at, place);
  const lease = await holdLease(at, place);
  await endServer(place);
  await endLeftovers(dataDirectory);
  await mkdir(dataDirectory, { recursive: true, mode: 0o700 });
  const { uid, gid, switch: another } = accountIds(account);
  if (another) await chown(dataDirectory, uid, gid);
  await makeSocketFolder(place);
  return { place, lease };
}

/** Leaves it alone where a later attempt has taken it over. */
export async function removeHeldCopy(
  at: StepRef,
  target: DatabaseAt,
  purpose: Purpose,
  lease: Lease,
): Promise<void> {
  const now = await readLease(lease.dataDirectory);
  if (now?.id !== lease.id || now.holder !== lease.holder) return;
  await removePrivateCopy(at, target, purpose);
}

/** Removes what a run left of such a copy, if anything. */
export async function removePrivateCopy(at: StepRef, target: DatabaseAt, purpose: Purpose): Promise<boolean> {
  const place = privatePlace(at, target, purpose);
  const { dataDirectory, logFile } = place.postgres.service;
  const lease = await readLease(dataDirectory);
  if (lease?.runId !== at.runId || lease.dataDirectory !== dataDirectory) return false;
  await endServer(place);
  await endLeftovers(dataDirectory);
  for (const path of [
    dataDirectory,
    tablespaceDirectoryOf(dataDirectory),
    spoolDirectoryOf(dataDirectory),
    loadingDirectoryOf(dataDirectory),
    logFile,
  ]) {
    await rm(path, { recursive: true, force: true, maxRetries: 3 });
  }
  await removeSocketFolder(place);
  await dropLease(dataDirectory);
  return true;
}

async function prepare(
  place: DatabaseAt,
  backup: PgbackrestBackup,
  source: Source,
  stop: Stop,
  fetch: 'ahead' | 'one by one',
): Promise<void> {
  const { dataDirectory, account } = place.postgres.service;
  const spool = spoolDirectoryOf(dataDirectory);
  await rm(spool, { recursive: true, force: true, maxRetries: 3 });
  await ownedDirectory(`${spool}/lock`, account, 0o700);
  await writeFile(accessFileOf(dataDirectory), ACCESS, { mode: 0o644 });
  await writeTargetSettings(place, {
    restoreCommand: archiveGetCommand(place.postgres, backup, {
      only: source.repository,
      ...(fetch === 'ahead'
        ? { prefetch: { directory: spool, processes: Math.max(1, backup.processes - 1) } }
        : {}),
    }),
    archiveCommand: '',
    archiveMode: 'off',
    until: untilOf(stop),
    timeline: source.timeline,
    instead: privateSettings(place),
  });
}

function untilOf(stop: Stop): TargetSettings['until'] {
  if (stop === 'consistent') return { consistent: true };
  return 'lsn' in stop ? { lsn: stop.lsn } : { time: stop.before };
}

function timeOf(stop: Stop): string {
  if (stop === 'consistent') return new Date().toISOString();
  return 'lsn' in stop ? stop.at : stop.before;
}

/** For what restores and replays: it wants to know where this leads. */
function pointOf(source: Source, stop: Stop): RecoveryPoint {
  const { repository, label, type, databaseBytes, walStart, systemIdentifier, timeline } = source;
  const time = timeOf(stop);
  return {
    time,
    asked: time,
    ...(stop === 'consistent' ? { through: { at: time, lsn: '0/0' } } : {}),
    ...(typeof stop === 'object' && 'lsn' in stop ? { through: stop } : {}),
    systemIdentifier,
    timeline,
    backup: { label, repository, type, stoppedAt: time, databaseBytes, walStart },
    usableRepositories: [repository],
    walSegments: 0,
    walEnd: walStart,
    loses: {},
    summary: '',
  };
}

function segmentAt(lsn: string): number {
  return Math.floor(lsnToNumber(lsn) / SEGMENT_BYTES);
}

/** Without any tool: it has to work also where the step was called off, and nothing of the copy is worth a checkpoint. */
export async function endServer({ postgres }: DatabaseAt): Promise<void> {
  const service = serviceOf(postgres);
  const deadline = performance.now() + GONE_MS;
  for (let signal: NodeJS.Signals = 'SIGQUIT'; ; ) {
    const pid = await service.pid();
    if (pid === undefined) return;
    try {
      process.kill(pid, signal);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
    }
    if (performance.now() > deadline) {
      throw new TransientError(
        'ServerStopFailed',
        `The private copy in ${postgres.service.dataDirectory} does not end (process ${pid}).`,
        { next: 'See what holds it; the step tries again by itself for a while.' },
      );
    }
    if (performance.now() > deadline - GONE_MS / 2) signal = 'SIGKILL';
    await wait(50);
  }
}

export async function requireRoom({ site, postgres }: DatabaseAt, neededBytes: number): Promise<void> {
  const { dataDirectory } = postgres.service;
  const { bavail, bsize } = await statfs(dirname(dataDirectory));
  const freeBytes = bavail * bsize;
  if (freeBytes >= neededBytes) return;
  throw new PermanentError(
    'NoRoom',
    `${site} has ${formatBytes(freeBytes)} free for a private copy in ${dirname(dataDirectory)}; it needs ${formatBytes(neededBytes)}.`,
    {
      next: 'Free space there, or name a directory on a larger volume (sites.<site>.postgres.service.dataDirectory), then retry the step.',
      details: { freeBytes, neededBytes: Math.ceil(neededBytes) },
    },
  );
}

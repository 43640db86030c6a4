import { setTimeout as wait } from 'node:timers/promises';
import type pg from 'pg';
import { MusterError, PermanentError, TransientError } from '../../src/errors.js';
import type { Progress } from '../../src/model/run.js';
import { withClient } from '../../src/postgres.js';
import { activitySignal } from '../context.js';
import type { DatabaseAt, RecoveryPoint } from '../contract.js';
import { adminOf, serviceOf } from '../service/index.js';
import { describeReplayFailure } from './replay-failure.js';
import { followServerLog, type LogFollower, sizeOf, startOfNewestRun } from './server-log.js';

export interface PausedCopy {
  /** End of the last record replayed. */
  readonly lsn: string;
  /** ISO 8601 UTC with microseconds; null: nothing was committed since the backup. */
  readonly lastCommitAt: string | null;
  readonly replayMs: number;
}

const POLL_MS = 30;
/** Replay that has not moved for this long is worth a question. */
const QUIET_MS = 45_000;
/** A server that neither restores a segment nor moves on for this long is stuck. */
const STALL_MS = 10 * 60_000;
/** A server syncs its pid file before it says a word, and a busy disk takes its time over that. */
const SILENT_START_MS = 30_000;
/** Between "accepts read-only connections" and a login that works. */
const LOGIN_MS = 60_000;

/**
 * Starts a restored copy, unless it runs already, and follows it until replay is paused at its target.
 *
 * @param point what the copy's settings lead to, for progress and for wording what went wrong
 * @param onQuiet called now and then while replay does not move; what it throws ends the waiting
 * @throws PermanentError `WalMissing`, `WalDamaged`, `PointNotReached`, `TimelineMismatch`, `ServerStartFailed`,
 *   `CopyPromoted`, `ReplayFailed`; TransientError `ReplayStalled`, `DatabaseUnreachable`
 */
export async function replayToPoint(
  target: DatabaseAt,
  point: RecoveryPoint,
  update: (progress: Progress) => void,
  onQuiet: () => Promise<void> = async () => undefined,
): Promise<PausedCopy> {
  const begun = performance.now();
  const movement = watchMovement(target, onQuiet);
  const follower = await startOrAttach(target);
  const signal = activitySignal();
  let readableSince: number | undefined;
  let seenAt = performance.now();
  for (;;) {
    signal.throwIfAborted();
    await movement.see(await follower.poll());
    const { log } = follower;
    if (log.fatal.length > 0 || log.shutDown) throw describeReplayFailure(target, point, log);
    if ((await serviceOf(target.postgres).pid()) !== undefined) seenAt = performance.now();
    // It may have ended without a word, or not have written its pid file yet.
    if (performance.now() - seenAt > SILENT_START_MS) throw describeReplayFailure(target, point, log);
    update(progressOf(follower, point, undefined));
    if (log.acceptsReaders) {
      readableSince ??= performance.now();
      const paused = await watchPosition(target, point, follower, update, movement, readableSince);
      if (paused !== undefined) return { ...paused, replayMs: Math.round(performance.now() - begun) };
    }
    await wait(POLL_MS, undefined, { signal });
  }
}

interface Movement {
  /** @param moved whether anything has come since the last call */
  see(moved: boolean): Promise<void>;
}

function watchMovement(target: DatabaseAt, onQuiet: () => Promise<void>): Movement {
  let movedAt = performance.now();
  let askedAt = movedAt;
  return {
    async see(moved) {
      const now = performance.now();
      if (moved) {
        movedAt = now;
        askedAt = now;
      }
      if (now - movedAt > STALL_MS) throw stalled(target);
      if (now - askedAt < QUIET_MS) return;
      await onQuiet();
      askedAt = performance.now();
    },
  };
}

/** A server that runs already is followed from its own start; where its log does not say, it is started again. */
async function startOrAttach(target: DatabaseAt): Promise<LogFollower> {
  const { logFile } = target.postgres.service;
  const service = serviceOf(target.postgres);
  if ((await service.pid()) !== undefined) {
    const start = await startOfNewestRun(logFile);
    if (start !== undefined) return followServerLog(logFile, start);
    await service.stop('fast');
  }
  const follower = followServerLog(logFile, await sizeOf(logFile));
  await service.start('no');
  return follower;
}

interface Position {
  readonly lsn: string | null;
  readonly last_commit: string | null;
  readonly pause: string;
  readonly in_recovery: boolean;
}

const POSITION = `
  select pg_last_wal_replay_lsn()::text as lsn,
    to_char(pg_last_xact_replay_timestamp() at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"') as last_commit,
    case when pg_is_in_recovery() then pg_get_wal_replay_pause_state() else 'none' end as pause,
    pg_is_in_recovery() as in_recovery`;

/** Where replay stands in a copy that takes read-only connections. */
export async function readPosition(client: pg.Client): Promise<Position> {
  const { rows } = await client.query<Position>(POSITION);
  const [row] = rows;
  if (row === undefined) throw new Error('a query without a result');
  return row;
}

/** Over one connection until replay is paused at the end; undefined: the connection was lost, the log tells why. */
async function watchPosition(
  target: DatabaseAt,
  point: RecoveryPoint,
  follower: LogFollower,
  update: (progress: Progress) => void,
  movement: Movement,
  readableSince: number,
): Promise<Omit<PausedCopy, 'replayMs'> | undefined> {
  const signal = activitySignal();
  try {
    return await withClient(
      adminOf(target.postgres),
      { statementTimeoutMs: 10_000, applicationName: 'muster-restore' },
      async (client) => {
        let seen: string | null = null;
        const since = performance.now();
        for (;;) {
          signal.throwIfAborted();
          const logged = await follower.poll();
          const {
            lsn,
            last_commit: lastCommitAt,
            pause,
            in_recovery: inRecovery,
          } = await readPosition(client);
          if (!inRecovery) throw promoted(target);
          if (lsn !== null && pause === 'paused' && follower.log.pausedAtEnd) return { lsn, lastCommitAt };
          if (pause === 'paused' && !follower.log.pausedAtEnd && performance.now() - since > 5_000) {
            throw pausedEarly(target, lsn, follower);
          }
          update(progressOf(follower, point, lsn ?? undefined));
          await movement.see(logged || lsn !== seen);
          seen = lsn;
          await wait(POLL_MS, undefined, { signal });
        }
      },
    );
  } catch (error) {
    if (signal.aborted || error instanceof PermanentError) throw error;
    if (error instanceof MusterError && /^(ReplayStalled|RepositoryLost)$/.test(error.code)) throw error;
    if (performance.now() - readableSince > LOGIN_MS) throw error;
    return undefined;
  }
}

function progressOf(follower: LogFollower, point: RecoveryPoint, lsn: string | undefined): Progress {
  const { segments } = follower.log;
  const at = lsn === undefined ? '' : `, at ${lsn}`;
  return {
    done: segments,
    // The first segments may come again after a restart; the total is what the point needs.
    ...(point.walSegments >= segments ? { total: point.walSegments } : {}),
    unit: 'segments',
    text: `replaying WAL${at}`,
  };
}

function promoted(target: DatabaseAt): PermanentError {
  return new PermanentError(
    'CopyPromoted',
    `The copy at ${target.site} has left recovery: it takes writes.`,
    {
      next: 'Find out who promoted it. It is not touched by this run.',
    },
  );
}

function pausedEarly(target: DatabaseAt, lsn: string | null, follower: LogFollower): PermanentError {
  return new PermanentError(
    'ReplayPaused',
    `Replay at ${target.site} paused by itself at ${lsn ?? 'an unknown position'}, before the point.`,
    {
      why:
        follower.log.archiveErrors.at(-1) ??
        'A setting is lower than it was on the original (max_connections, max_worker_processes, max_wal_senders, max_prepared_transactions, max_locks_per_transaction).',
      next: `Look at ${target.postgres.service.logFile}, raise the setting that it names, then retry the step.`,
    },
  );
}

function stalled(target: DatabaseAt): TransientError {
  return new TransientError(
    'ReplayStalled',
    `Replay at ${target.site} has not moved for ${STALL_MS / 60_000} minutes.`,
    {
      next: `See whether the repositories answer (${target.postgres.service.logFile}); the step tries again by itself for a while.`,
    },
  );
}

import { PermanentError } from '../../src/errors.js';
import type { DatabaseAt, RecoveryPoint } from '../contract.js';
import { formatSegment, parseSegment } from '../pgbackrest/wal.js';
import type { RecoveryLog } from './server-log.js';

const SEGMENT_BYTES = 16 * 1024 * 1024;

/** Words why a copy stopped on its way to the point, from what its server's log says. */
export function describeReplayFailure(
  target: DatabaseAt,
  point: RecoveryPoint,
  log: RecoveryLog,
): PermanentError {
  const { logFile } = target.postgres.service;
  const fatal = log.fatal.join('; ');
  const why = log.archiveErrors.at(-1);
  const because = why === undefined ? {} : { why };
  if (/recovery ended before configured recovery target was reached/.test(fatal)) {
    return endedEarly(point, log, because);
  }
  if (/timeline/.test(fatal)) {
    return new PermanentError(
      'TimelineMismatch',
      `The point is not on the history of the backup: ${fatal}.`,
      {
        ...because,
        next: `Compare the timeline of the point (${point.timeline}) with the .history files in the repository; choose a point on timeline ${point.timeline}.`,
      },
    );
  }
  if (
    log.fatal.length === 0 ||
    /could not (bind|create|open|access|load|map)|configuration|lock file/.test(fatal)
  ) {
    return new PermanentError(
      'ServerStartFailed',
      `PostgreSQL at ${target.site} did not stay up: ${fatal || 'it ended without saying why'}.`,
      { ...because, next: `Look at the end of ${logFile}, correct the cause, then retry the step.` },
    );
  }
  return new PermanentError('ReplayFailed', `Replay at ${target.site} failed: ${fatal}.`, {
    ...because,
    next: `Look at the end of ${logFile}; another backup or repository may do.`,
  });
}

function endedEarly(point: RecoveryPoint, log: RecoveryLog, because: { why?: string }): PermanentError {
  const reached = `${log.lastPosition ?? 'its start'}${log.lastCommit === undefined ? '' : `, last commit ${log.lastCommit}`}`;
  const { lastSegment } = log;
  const details = {
    lastSegment: lastSegment ?? 'none',
    ...(log.lastCommit === undefined ? {} : { lastCommit: log.lastCommit }),
  };
  const ahead = lastSegment === undefined ? 1 : segmentsBetween(lastSegment, point.walEnd);
  const damage = log.unreadable.at(-1);
  const choose = `choose a point at or before ${log.lastCommit ?? 'the end of the backup'}`;
  if (lastSegment !== undefined && damage !== undefined && (ahead > 0 || !isEndOfLog(damage))) {
    return new PermanentError(
      'WalDamaged',
      `WAL segment ${lastSegment} cannot be read to its end (${damage}): replay ended at ${reached}, before the point ${point.time}.`,
      {
        ...because,
        next: `Bring that segment back from another copy of the archive and retry the step, or ${choose}.`,
        details: { ...details, segment: lastSegment },
      },
    );
  }
  if (ahead > 0) {
    const missing = lastSegment === undefined ? point.backup.walStart : segmentAfter(lastSegment);
    return new PermanentError(
      'WalMissing',
      `WAL segment ${missing} is not in the repository or cannot be read: replay ended at ${reached}, before the point ${point.time}.`,
      {
        ...because,
        next: `Bring that segment back from another copy of the archive and retry the step, or ${choose}.`,
        details: { ...details, segment: missing },
      },
    );
  }
  return new PermanentError(
    'PointNotReached',
    `Nothing was committed at or after ${point.time} in the WAL that is archived: replay ended at ${reached}.`,
    {
      ...because,
      why: 'The end of the archive is not known to be the end of what happened, so the copy is not taken for the point.',
      next: `Choose a point at or before ${log.lastCommit ?? 'the last commit'}, or archive the rest of the WAL (pg_switch_wal on the primary) and retry the step.`,
      details,
    },
  );
}

/** What is also said where the log simply has no more records. */
function isEndOfLog(text: string): boolean {
  return /^invalid record length|^invalid magic number 0000/.test(text);
}

function segmentAfter(segment: string): string {
  const { timeline, index } = parseSegment(segment, SEGMENT_BYTES);
  return formatSegment({ timeline, index: index + 1 }, SEGMENT_BYTES);
}

function segmentsBetween(from: string, to: string): number {
  return parseSegment(to, SEGMENT_BYTES).index - parseSegment(from, SEGMENT_BYTES).index;
}

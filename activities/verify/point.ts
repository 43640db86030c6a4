import { withClient } from '../../src/postgres.js';
import { runTool } from '../../src/process.js';
import { activitySignal } from '../context.js';
import type { DatabaseAt, MusterActivities, RecoveryPoint, RungResult } from '../contract.js';
import { readPosition } from '../restore/replay.js';
import { adminOf, programOf, versionOf } from '../service/index.js';
import { check, passed, verificationFailed } from './check.js';

type Input = Parameters<MusterActivities['verifyPoint']>[0];

/**
 * Rung 4: the copy stands at the point that was asked for. Its newest commit is older than the point, and the next one in
 * the log, which was not replayed, is not; or its newest commit is the very one that the restore was to go through.
 *
 * @throws PermanentError `VerificationFailed`
 */
export async function verifyPoint({ target, point, restored }: Input): Promise<RungResult> {
  const program = await programOf(target.postgres, 'pg_waldump');
  const heading = {
    rung: 4,
    title: 'the point reached',
    tool: 'PostgreSQL, pg_waldump',
    toolVersion: await versionOf(program),
  };
  const reached = await check(heading, async () => {
    const position = await withClient(
      adminOf(target.postgres),
      { statementTimeoutMs: 10_000, applicationName: 'muster-verify' },
      readPosition,
    );
    const wrong: string[] = [];
    if (!position.in_recovery) wrong.push('the copy is not in recovery');
    if (position.pause !== 'paused') wrong.push(`replay is "${position.pause}" instead of paused`);
    if (position.lsn !== restored.lsn) {
      wrong.push(`it stands at ${position.lsn ?? 'nowhere'} and was restored to ${restored.lsn}`);
    }
    const last = position.last_commit;
    if (last !== null && micros(last) >= micros(point.time)) {
      wrong.push(`its newest commit is of ${last}, not before ${point.time}`);
    }
    if (wrong.length > 0) {
      throw verificationFailed(heading, `${wrong.join('; ')}.`, 'Retry the restore to this point.');
    }
    if (point.through !== undefined) {
      await requireThrough(heading, target, program, restored.lsn, point.timeline, point.through);
      return `paused at ${restored.lsn}, right after the commit of ${point.through.at}`;
    }
    const next = await nextTransaction(target, program, restored.lsn, point);
    if (next === undefined || micros(next.at) < micros(point.time)) {
      throw verificationFailed(
        heading,
        next === undefined
          ? `the record at ${restored.lsn} is no end of a transaction, so replay did not stop because of the point.`
          : `the next ${next.what} in the log is of ${next.at}, before ${point.time}: it is missing from the copy.`,
        'Retry the restore to this point.',
      );
    }
    const newest = last === null ? 'nothing committed since the backup' : `newest commit ${last}`;
    return `paused at ${restored.lsn}; ${newest}; the next ${next.what}, of ${next.at}, is not in it`;
  });
  return passed([reached]);
}

/**
 * What was replayed last is the very commit that was asked for: PostgreSQL's own time of the last transaction leaves out the
 * record at which replay stops by its position (tried with 15).
 */
async function requireThrough(
  heading: { readonly rung: number; readonly title: string },
  target: DatabaseAt,
  program: string,
  lsn: string,
  timeline: number,
  through: NonNullable<RecoveryPoint['through']>,
): Promise<void> {
  const records = await dumpWal(target, program, timeline, ['-s', through.lsn, '-e', lsn]);
  const lines = records.split('\n').filter((line) => line !== '');
  const [found] = lines.map(parseTransactionEnd);
  if (lines.length === 1 && found?.what === 'commit' && micros(found.at) === micros(through.at)) return;
  throw verificationFailed(
    heading,
    `between ${through.lsn}, the archive's last commit (${through.at}), and ${lsn}, where replay paused, are ${lines.length} records${found === undefined ? '' : `, the first a ${found.what} of ${found.at}`}, not that commit alone.`,
    'Retry the restore to this point.',
  );
}

interface NextTransaction {
  readonly what: 'commit' | 'abort';
  /** ISO 8601 UTC with microseconds. */
  readonly at: string;
}

/** Replay stops in front of the first transaction's end at or after the point: that is the record at its position. */
async function nextTransaction(
  target: DatabaseAt,
  program: string,
  lsn: string,
  point: RecoveryPoint,
): Promise<NextTransaction | undefined> {
  return parseTransactionEnd(await dumpWal(target, program, point.timeline, ['-s', lsn, '-n', '1']));
}

async function dumpWal(
  target: DatabaseAt,
  program: string,
  timeline: number,
  range: readonly string[],
): Promise<string> {
  const { dataDirectory, account } = target.postgres.service;
  const outcome = await runTool(
    program,
    ['-p', `${dataDirectory}/pg_wal`, '-t', String(timeline), ...range],
    {
      account,
      env: { LC_ALL: 'C', TZ: 'UTC' },
      timeoutMs: 60_000,
      signal: activitySignal(),
    },
  );
  return outcome.stdout;
}

/** Reads a record of pg_waldump; undefined: it does not end a transaction. */
export function parseTransactionEnd(line: string): NextTransaction | undefined {
  const match =
    /desc: (COMMIT|ABORT)(?:_PREPARED)?(?: \d+:)? (\d{4}-\d\d-\d\d) (\d\d:\d\d:\d\d(?:\.\d+)?) (?:UTC|GMT)/.exec(
      line,
    );
  if (match === null) return undefined;
  return { what: match[1] === 'COMMIT' ? 'commit' : 'abort', at: `${match[2]}T${match[3]}Z` };
}

/** Microseconds since 1970 of an ISO 8601 UTC time, exactly. */
function micros(iso: string): bigint {
  const [seconds = '', fraction = ''] = iso.replace(/Z$/, '').split('.');
  return BigInt(Date.parse(`${seconds}Z`)) * 1_000n + BigInt(fraction.padEnd(6, '0').slice(0, 6));
}

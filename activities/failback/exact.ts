/** The last record of a primary that was shut down cleanly, to the byte (PostgreSQL source: xlogrecord.h, xlog_internal.h). */
import { PermanentError } from '../../src/errors.js';
import { runTool } from '../../src/process.js';
import { activitySignal } from '../context.js';
import type { DatabaseAt } from '../contract.js';
import { lsnToNumber } from '../pgbackrest/wal.js';
import { programOf } from '../service/index.js';

const PAGE_BYTES = 8192;
const PAGE_HEADER_BYTES = 24;
const SEGMENT_HEADER_BYTES = 40;
const ALIGNED = 8;

/** A record of the log. */
export interface WalRecord {
  readonly lsn: string;
  /** Where the next one would begin: what a standby that has replayed it says of itself. */
  readonly endLsn: string;
  readonly what: string;
}

/** Where a record ends that begins at `lsn`: aligned, and past the header of every page that it goes on to. */
export function endOfRecord(lsn: string, bytes: number, segmentBytes: number): string {
  let at = lsnToNumber(lsn);
  let left = Math.ceil(bytes / ALIGNED) * ALIGNED;
  for (;;) {
    const room = PAGE_BYTES - (at % PAGE_BYTES);
    if (left <= room) return formatLsn(at + left);
    left -= room;
    at += room;
    at += at % segmentBytes === 0 ? SEGMENT_HEADER_BYTES : PAGE_HEADER_BYTES;
  }
}

function formatLsn(at: number): string {
  const hex = (value: number) => value.toString(16).toUpperCase();
  return `${hex(Math.floor(at / 0x1_0000_0000))}/${hex(at % 0x1_0000_0000)}`;
}

/** `rmgr: XLOG  len (rec/tot): 114/ 114, tx: 0, lsn: 0/0B000028, prev 0/0A0000F0, desc: CHECKPOINT_SHUTDOWN redo ...` */
export function parseRecord(line: string, segmentBytes: number): WalRecord | undefined {
  const match = /len \(rec\/tot\):\s*\d+\/\s*(\d+),.*? lsn: ([0-9A-F]+\/[0-9A-F]+),.*? desc: (\S+)/.exec(
    line,
  );
  if (match === null) return undefined;
  const [, bytes = '0', padded = '0/0', what = ''] = match;
  const lsn = formatLsn(lsnToNumber(padded));
  return { lsn, what, endLsn: endOfRecord(lsn, Number(bytes), segmentBytes) };
}

/**
 * Every record from a position to the end of the log, of which there must be one: the shutdown checkpoint.
 *
 * @param lsn where it begins, as the control file of the primary says
 * @throws PermanentError `NotShutDownCleanly`
 */
export async function readLastRecord(
  { site, postgres }: DatabaseAt,
  {
    lsn,
    timeline,
    segmentBytes,
  }: { readonly lsn: string; readonly timeline: number; readonly segmentBytes: number },
): Promise<WalRecord> {
  const { dataDirectory, account } = postgres.service;
  const outcome = await runTool(
    await programOf(postgres, 'pg_waldump'),
    ['-p', `${dataDirectory}/pg_wal`, '-t', String(timeline), '-s', lsn, '-n', '2'],
    { account, env: { LC_ALL: 'C', TZ: 'UTC' }, timeoutMs: 60_000, signal: activitySignal() },
  );
  const records = outcome.stdout.split('\n').filter((line) => line.trim() !== '');
  const [only] = records.map((line) => parseRecord(line, segmentBytes));
  if (
    records.length === 1 &&
    only?.what === 'CHECKPOINT_SHUTDOWN' &&
    lsnToNumber(only.lsn) === lsnToNumber(lsn)
  ) {
    return only;
  }
  throw new PermanentError(
    'NotShutDownCleanly',
    `The log at ${site} does not end with a shutdown checkpoint at ${lsn}: ${records[0] ?? outcome.stderr.trim()}`,
    {
      why: 'Then nobody can say that a standby has everything.',
      next: 'Abort: what was the primary opens again. Then look at its log.',
    },
  );
}

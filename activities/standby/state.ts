/** What a standby says of itself (PostgreSQL manual: 27.2.5 streaming replication, 28.2 statistics, 9.27.4 recovery). */
import type { Client } from 'pg';
import { withClient } from '../../src/postgres.js';
import type { DatabaseAt } from '../contract.js';
import { adminOf } from '../service/index.js';

export interface StandbyFacts {
  readonly systemIdentifier: string;
  readonly inRecovery: boolean;
  /** The newest timeline that anything of it speaks of. */
  readonly timeline: number;
  readonly receiver: string | null;
  readonly heardAt: string | null;
  /** How far the primary had written when it was last heard. */
  readonly toldLsn: string | null;
  readonly receivedLsn: string | null;
  readonly replayedLsn: string | null;
  readonly lastCommitAt: string | null;
  /** Right after the newest commit that was replayed: the first moment whose commits are missing. */
  readonly time: string;
  readonly pauseState: string;
  readonly archiving: boolean;
  readonly readOnlyByDefault: boolean;
  readonly segmentBytes: number;
  readonly version: number;
}

const ISO = `'YYYY-MM-DD"T"HH24:MI:SS.US"Z"'`;
const iso = (expression: string) => `to_char((${expression}) at time zone 'UTC', ${ISO})`;

const FACTS = `
  select (select system_identifier::text from pg_control_system()) as "systemIdentifier",
    recovering as "inRecovery",
    greatest((select timeline_id from pg_control_checkpoint()),
      (select min_recovery_end_timeline from pg_control_recovery()), receiver.received_tli) as timeline,
    receiver.status as receiver,
    ${iso('receiver.last_msg_receipt_time')} as "heardAt",
    receiver.latest_end_lsn::text as "toldLsn",
    pg_last_wal_receive_lsn()::text as "receivedLsn",
    pg_last_wal_replay_lsn()::text as "replayedLsn",
    ${iso('pg_last_xact_replay_timestamp()')} as "lastCommitAt",
    ${iso(`coalesce(pg_last_xact_replay_timestamp(), (select checkpoint_time from pg_control_checkpoint()))
      + interval '1 microsecond'`)} as time,
    case when recovering then pg_get_wal_replay_pause_state() else 'none' end as "pauseState",
    current_setting('archive_mode') <> 'off'
      and (current_setting('archive_command') not in ('', '(disabled)')
        or coalesce(current_setting('archive_library', true), '') <> '') as archiving,
    current_setting('default_transaction_read_only')::boolean as "readOnlyByDefault",
    pg_size_bytes(current_setting('wal_segment_size'))::integer as "segmentBytes",
    current_setting('server_version_num')::integer as version
  from pg_is_in_recovery() as recovering left join pg_stat_wal_receiver as receiver on true`;

export async function readFacts(client: Client): Promise<StandbyFacts> {
  const { rows } = await client.query<StandbyFacts>(FACTS);
  const [row] = rows;
  if (row === undefined) throw new Error('a query without a result');
  return row;
}

/** Does `work` on a connection of the administrator. */
export function onStandby<T>(
  { postgres }: DatabaseAt,
  work: (client: Client) => Promise<T>,
  statementTimeoutMs = 30_000,
): Promise<T> {
  return withClient(adminOf(postgres), { statementTimeoutMs, applicationName: 'muster standby' }, work);
}

/** What the server to be promoted says of itself (PostgreSQL manual: 9.27.4 recovery control, 27.3 timelines). */
import type { Client } from 'pg';
import { PermanentError } from '../../src/errors.js';
import type { DatabaseAt, ReplacedPrimary } from '../contract.js';

export interface ServerState {
  readonly systemIdentifier: string;
  readonly inRecovery: boolean;
  /** `paused`, `pause requested`, `not paused`; only in recovery. */
  readonly pauseState: string | null;
  /** Only in recovery. */
  readonly replayLsn: string | null;
  /** The last commit that was replayed is before the point; true when none was replayed since the start. */
  readonly beforePoint: boolean;
  readonly lastCommitAt: string | null;
  /** The timeline it writes on; only outside of recovery. */
  readonly timeline: number | null;
  readonly archiving: boolean;
  readonly readOnlyByDefault: boolean;
}

export async function inspectServer(client: Client, point: ReplacedPrimary): Promise<ServerState> {
  const { rows } = await client.query<ServerState>(
    `select (select system_identifier::text from pg_control_system()) as "systemIdentifier",
            recovering as "inRecovery",
            case when recovering then pg_get_wal_replay_pause_state() end as "pauseState",
            case when recovering then pg_last_wal_replay_lsn()::text end as "replayLsn",
            coalesce(pg_last_xact_replay_timestamp() < $1::timestamptz, true) as "beforePoint",
            pg_last_xact_replay_timestamp()::text as "lastCommitAt",
            case when not recovering
                 then ('x' || left(pg_walfile_name(pg_current_wal_lsn()), 8))::bit(32)::integer end as timeline,
            current_setting('archive_mode') <> 'off'
              and (current_setting('archive_command') not in ('', '(disabled)')
                or coalesce(current_setting('archive_library', true), '') <> '') as archiving,
            current_setting('default_transaction_read_only')::boolean as "readOnlyByDefault"
       from pg_is_in_recovery() as recovering`,
    [point.time],
  );
  return rows[0] as ServerState;
}

/** @throws PermanentError `WrongServer` */
export function requireSystem(
  server: ServerState,
  target: DatabaseAt,
  point: Pick<ReplacedPrimary, 'systemIdentifier'>,
): void {
  if (server.systemIdentifier === point.systemIdentifier) return;
  const { host, port } = target.postgres;
  throw new PermanentError(
    'WrongServer',
    `At ${host}:${port} is system ${server.systemIdentifier}, not the restored copy of ${point.systemIdentifier}.`,
    {
      next: `Find out what answers there, correct sites.${target.site} in the runbook, then retry the step.`,
    },
  );
}

/**
 * The copy stands at the point and will be production as it is.
 * @throws PermanentError `NotAtPoint`, `NotProductionSettings`
 */
export function requireReady(server: ServerState, target: DatabaseAt, point: ReplacedPrimary): void {
  if (server.pauseState !== 'paused' || !server.beforePoint) {
    throw new PermanentError(
      'NotAtPoint',
      `The copy at ${target.site} does not stand at the point ${point.time}: replay is ${server.pauseState} at ${server.replayLsn}, last commit ${server.lastCommitAt ?? 'unknown'}.`,
      {
        why: 'Somebody or something moved it after it was verified.',
        next: 'Restore and verify again; do not promote it by hand.',
      },
    );
  }
  if (server.archiving && !server.readOnlyByDefault) return;
  throw new PermanentError(
    'NotProductionSettings',
    `The copy at ${target.site} is not set up for production: ${server.archiving ? 'it refuses writes by default (default_transaction_read_only)' : 'WAL archiving is off (archive_mode, archive_command)'}.`,
    {
      next: 'Correct the setting in its postgresql.auto.conf, restart it (it pauses at the same point again), then retry the step.',
    },
  );
}

/**
 * A loaded archive: nothing leads it on, so that it is still where it was verified is seen by its position alone; and its
 * owner's dumps protect it, whatever its WAL does.
 * @throws PermanentError `NotProductionSettings`
 */
export function requireTakesWrites({ readOnlyByDefault }: ServerState, { site }: DatabaseAt): void {
  if (!readOnlyByDefault) return;
  throw new PermanentError(
    'NotProductionSettings',
    `The copy at ${site} is not set up for production: it refuses writes by default (default_transaction_read_only).`,
    { next: 'Correct the setting in its postgresql.auto.conf, restart it, then retry the step.' },
  );
}

/** Where a timeline begins: the timeline that it left, and at which position. */
export interface Branch {
  readonly parent: number;
  readonly lsn: string;
}

/** Reads the last line of a timeline's history file: `1<tab>0/5A001230<tab>reason`. */
export async function readBranch(client: Client, timeline: number): Promise<Branch> {
  const file = `pg_wal/${timeline.toString(16).toUpperCase().padStart(8, '0')}.history`;
  const { rows } = await client.query<{ text: string }>('select pg_read_file($1) as text', [file]);
  const line = rows[0]?.text.trim().split('\n').at(-1) ?? '';
  const [parent = '', lsn = ''] = line.split('\t');
  return { parent: Number(parent), lsn };
}

/** What the live primary can do for the archive: hand over the segment that it is writing. */
import { setTimeout as delay } from 'node:timers/promises';
import type { Client } from 'pg';
import { MusterError } from '../../src/errors.js';
import { withClient } from '../../src/postgres.js';
import type { DatabaseAt } from '../contract.js';

/** The transfer of a segment to every repository; longer, and the check of the archive decides. */
const ARCHIVED_MS = 30_000;
const POLL_MS = 50;

/** Whose WAL it is. */
export interface LivePrimary {
  readonly systemIdentifier: string;
  readonly timeline: number;
}

/**
 * Closes the current WAL segment and waits a while until it is archived. A transaction without content goes first: the
 * restore stops before the first commit after the point, so there must be one.
 *
 * @returns who the primary is; undefined: it cannot be asked
 */
export async function archiveNewest(
  damaged: DatabaseAt,
  signal: AbortSignal,
): Promise<LivePrimary | undefined> {
  const { host, port, database, admin } = damaged.postgres;
  try {
    return await withClient(
      { host, port, database, ...admin },
      { statementTimeoutMs: 10_000, connectTimeoutMs: 3_000, applicationName: 'muster point' },
      async (client) => {
        await client.query('set synchronous_commit = local; set default_transaction_read_only = off');
        await client.query('select pg_current_xact_id()');
        const { rows } = await client.query<{ segment: string; system: string }>(
          `select pg_walfile_name(pg_switch_wal()) as segment,
                  (select system_identifier::text from pg_control_system()) as system`,
        );
        const [row] = rows;
        if (row === undefined) return undefined;
        await untilArchived(client, row.segment, signal);
        return {
          systemIdentifier: row.system,
          timeline: Number.parseInt(row.segment.slice(0, 8), 16),
        };
      },
    );
  } catch (error) {
    signal.throwIfAborted();
    if (error instanceof MusterError && error.code !== 'DatabaseUnreachable') throw error;
    return undefined;
  }
}

async function untilArchived(client: Client, segment: string, signal: AbortSignal): Promise<void> {
  const deadline = performance.now() + ARCHIVED_MS;
  while (performance.now() < deadline) {
    const { rows } = await client.query<{ archived: boolean | null }>(
      // Names of history and backup files sort elsewhere; they are not segments.
      `select length(last_archived_wal) = 24 and last_archived_wal >= $1 as archived from pg_stat_archiver`,
      [segment],
    );
    if (rows[0]?.archived === true) return;
    await delay(POLL_MS, undefined, { signal });
  }
}

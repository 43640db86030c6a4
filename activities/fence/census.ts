import type { Client } from 'pg';
import { withClient } from '../../src/postgres.js';
import type { DataClass } from '../../src/runbook/schema.js';
import type { DatabaseAt, FenceProof } from '../contract.js';
import { databaseLogin } from './maintenance.js';
import { FENCE_CONNECTIONS } from './sessions.js';

/** Counting a class may read its whole table while users wait; longer is not worth it. */
const COUNT_MS = 20_000;

export interface Census {
  readonly census: FenceProof['census'];
  readonly lastWriteAt: string | null;
}

/**
 * Counts, on the fenced primary, what was written at or after the point, and when the last write was. A class that cannot be
 * counted (its table, or the whole database, may be what is damaged) is left out: the fence does not depend on it.
 */
export async function takeCensus(
  damaged: DatabaseAt,
  dataClasses: Readonly<Record<string, DataClass>>,
  since: string,
): Promise<Census> {
  const census: Record<string, FenceProof['census'][string]> = {};
  let lastWriteAt: string | null = null;
  await withClient(
    databaseLogin(damaged),
    { statementTimeoutMs: COUNT_MS, applicationName: FENCE_CONNECTIONS.census },
    async (client) => {
      for (const [name, dataClass] of Object.entries(dataClasses)) {
        const counted = await countSince(client, dataClass, since).catch(() => undefined);
        if (counted === undefined) continue;
        census[name] = { records: counted.records, newest: counted.newest };
        if (counted.last !== null && (lastWriteAt === null || counted.last > lastWriteAt))
          lastWriteAt = counted.last;
      }
    },
  );
  return { census, lastWriteAt };
}

const ISO = `'YYYY-MM-DD"T"HH24:MI:SS.US"Z"'`;

async function countSince(
  client: Client,
  { table, time }: DataClass,
  since: string,
): Promise<{ records: number; newest: string | null; last: string | null }> {
  // Names are plain identifiers by the runbook's schema.
  const { rows } = await client.query<{ records: string; newest: string | null; last: string | null }>(
    `select count(*) as records, to_char(max(${time}) at time zone 'UTC', ${ISO}) as newest,
            to_char((select max(${time}) from ${table}) at time zone 'UTC', ${ISO}) as last
       from ${table} where ${time} >= $1::timestamptz`,
    [since],
  );
  const [row] = rows;
  return { records: Number(row?.records ?? 0), newest: row?.newest ?? null, last: row?.last ?? null };
}

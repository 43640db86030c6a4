import pg from 'pg';
import { resolveSecret } from '../../src/secrets.js';
import { activeSite } from '../clusters.js';
import { LabError } from '../errors.js';
import { layoutOf } from '../layout.js';
import type { LabState } from '../state.js';

/** What a bad import did to one table. */
export interface CorruptedTable {
  readonly table: string;
  /** Just before its statement, by the database's clock: ISO 8601 UTC with microseconds. */
  readonly startedAt: string;
  readonly alteredRows: number;
}

/** One account in so many. */
const EVERY = 7;

/**
 * Imports customer data into the wrong rows: holders and opening balances of accounts all over the ledger are another's. Payments
 * go on before, during and after, and nothing but this table is touched.
 *
 * @param state a lab that is up
 * @throws LabError when the database does not let the importing role in
 */
export async function breakTable(state: LabState): Promise<CorruptedTable> {
  const { sites, database, deploy } = state.ledger;
  const site = sites[await activeSite(layoutOf(state.dir))];
  const client = new pg.Client({
    host: site.address,
    port: site.port,
    database,
    user: deploy.user,
    password: await resolveSecret(deploy.password),
    application_name: 'import: holders of accounts',
    connectionTimeoutMillis: 5_000,
    statement_timeout: 60_000,
  });
  client.on('error', () => undefined);
  try {
    await client.connect();
    const { rows } = await client.query<{ now: string }>(
      `select to_char(clock_timestamp() at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"') as now`,
    );
    const altered = await client.query(
      `update ledger.accounts set holder = 'IMPORT ' || id, opening_cents = opening_cents + 100 * id
       where id % $1 = 0`,
      [EVERY],
    );
    return {
      table: 'ledger.accounts',
      startedAt: rows[0]?.now ?? '',
      alteredRows: altered.rowCount ?? 0,
    };
  } catch (error) {
    throw new LabError(
      `The bad import cannot be done at ${site.address}:${site.port} as ${deploy.user}.`,
      'See whether the lab is up (muster lab status) and not in the middle of a recovery.',
      error,
    );
  } finally {
    await client.end().catch(() => undefined);
  }
}

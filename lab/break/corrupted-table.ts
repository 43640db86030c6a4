import { activeSite } from '../clusters.js';
import { LabError } from '../errors.js';
import { layoutOf } from '../layout.js';
import type { LabState } from '../state.js';
import { clock, loggedIn } from './login.js';

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
  const way = {
    ...site,
    ...{
      database,
      login: deploy,
      applicationName: 'import: holders of accounts',
      statementTimeoutMs: 60_000,
    },
  };
  try {
    return await loggedIn(way, 'The bad import cannot be done', async (client) => {
      const startedAt = await clock(client);
      const altered = await client.query(
        `update ledger.accounts set holder = 'IMPORT ' || id, opening_cents = opening_cents + 100 * id
         where id % $1 = 0`,
        [EVERY],
      );
      return { table: 'ledger.accounts', startedAt, alteredRows: altered.rowCount ?? 0 };
    });
  } catch (error) {
    throw new LabError(
      `The bad import cannot be done at ${site.address}:${site.port} as ${deploy.user}.`,
      'See whether the lab is up (muster lab status) and not in the middle of a recovery.',
      error,
    );
  }
}

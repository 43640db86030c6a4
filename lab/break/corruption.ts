import { activeSite } from '../clusters.js';
import { layoutOf } from '../layout.js';
import type { LabState } from '../state.js';
import { clock, loggedIn } from './login.js';

/** What the bad change did. Times are the database's clock, ISO 8601 UTC with microseconds. */
export interface Corruption {
  /** Just before the first statement of the change: everything committed until here is good. */
  readonly startedAt: string;
  readonly finishedAt: string;
  readonly alteredRows: number;
  readonly deletedRows: number;
  /** The trigger that the change switched off and left off. */
  readonly disabledTrigger: string;
}

/** Rows are hit in portions with payments in between, as a migration in batches does it. */
const BATCHES = 4;
const MOST_ALTERED = 4_000;
const MOST_DELETED = 400;
/** The newest rows are left alone, so that the damage is not at the end. */
const UNTOUCHED_AT_END = 20;

/**
 * Deploys a bad change: it was meant to convert old amounts to another unit. It switches the append-only trigger off, divides
 * the amounts of rows scattered over the whole ledger by 100, deletes what it takes for duplicates, and leaves the
 * trigger off. Payments go on before, during and after.
 *
 * @param state a lab that is up
 * @throws LabError when the database does not let the deploying role in
 */
export async function breakCorruption(state: LabState): Promise<Corruption> {
  const { sites, database, deploy } = state.ledger;
  const site = sites[await activeSite(layoutOf(state.dir))];
  const way = {
    ...site,
    ...{
      database,
      login: deploy,
      applicationName: 'deployment 2.41: normalise amounts',
      statementTimeoutMs: 120_000,
    },
  };
  return loggedIn(way, 'The bad change cannot be deployed', async (client) => {
    const startedAt = await clock(client);
    await client.query('alter table ledger.transactions disable trigger append_only');
    const { rows } = await client.query<{ last: string }>('select max(seq) as last from ledger.transactions');
    const last = Number(rows[0]?.last) - UNTOUCHED_AT_END;
    // Of 2,000 rows one in ten, of 300,000 a few thousand: always scattered from the first to the last.
    const alterEvery = Math.max(10, Math.ceil(last / MOST_ALTERED));
    const deleteEvery = Math.max(50, Math.ceil(last / MOST_DELETED));
    let alteredRows = 0;
    let deletedRows = 0;
    for (let batch = 0; batch < BATCHES; batch++) {
      const range = [Math.floor((last * batch) / BATCHES), Math.floor((last * (batch + 1)) / BATCHES)];
      const altered = await client.query(
        `update ledger.transactions set amount_cents = greatest(1, amount_cents / 100)
         where seq > $1 and seq <= $2 and (hashint8(seq) & 2147483647) % $3 = 0 and amount_cents >= 100`,
        [...range, alterEvery],
      );
      const deleted = await client.query(
        'delete from ledger.transactions where seq > $1 and seq <= $2 and (hashint8(seq) & 2147483647) % $3 = 1',
        [...range, deleteEvery],
      );
      alteredRows += altered.rowCount ?? 0;
      deletedRows += deleted.rowCount ?? 0;
    }
    const finishedAt = await clock(client);
    return {
      startedAt,
      finishedAt,
      alteredRows,
      deletedRows,
      disabledTrigger: 'ledger.transactions.append_only',
    };
  });
}

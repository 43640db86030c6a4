/** Where the old rows are kept, and how they go back. */
import type pg from 'pg';
import { formatCount } from '../../src/model/format.js';
import { withClient } from '../../src/postgres.js';
import type { MusterActivities } from '../contract.js';
import { requireReal } from '../production.js';
import { adminOf } from '../service/index.js';
import type { TablesReplaced } from './contract.js';
import { equalKeys, KEPT, NOW, PUT, SAME_TEXT, shapeOf } from './shape.js';

const STATEMENT_MS = 3_600_000;

/** One schema a run: a plain name, 63 bytes at most. */
export function keptSchema(runId: string): string {
  return `muster_kept_${runId.toLowerCase().replace(/[^a-z0-9]+/g, '_')}`.slice(0, 63);
}

export function keptTable(schema: string, table: string): string {
  return `${schema}."${table}"`;
}

/** The rows as they were written, to tell whether somebody has changed them since. */
export function putTable(schema: string, table: string): string {
  return `${schema}."${table}, written"`;
}

/** What this very run has committed; undefined: it has not. */
export async function doneIn(client: pg.Client, schema: string): Promise<TablesReplaced | undefined> {
  const { rows } = await client.query<{ there: boolean }>('select to_regclass($1) is not null as there', [
    `${schema}.done`,
  ]);
  if (rows[0]?.there !== true) return undefined;
  const { rows: done } = await client.query<{ result: TablesReplaced }>(`select result from ${schema}.done`);
  return done[0]?.result;
}

/** Committed together with the rows: an attempt whose answer was lost finds it. */
export async function requireOwn(
  client: pg.Client,
  schema: string,
  runId: string,
  result: TablesReplaced,
): Promise<void> {
  await client.query(
    `create table ${schema}.done (run_id text not null, at timestamptz not null, result json not null)`,
  );
  await client.query(`insert into ${schema}.done values ($1, clock_timestamp(), $2)`, [
    runId,
    JSON.stringify(result),
  ]);
}

/** A row that somebody has changed since is left as it is, and told. */
export const returnTables: MusterActivities['returnTables'] = async ({ at, live, taken }) => {
  requireReal(at, 'put rows of the live database back');
  const kept = keptSchema(at.runId);
  const options = { statementTimeoutMs: STATEMENT_MS, applicationName: 'muster-tables' };
  return withClient(adminOf(live.postgres), options, async (client) => {
    if ((await doneIn(client, kept)) === undefined) return { summary: 'no row was replaced' };
    const words: string[] = [];
    await client.query('begin');
    try {
      await client.query(SAME_TEXT);
      for (const { table: name } of taken.tables) {
        const shape = await shapeOf(client, { table: name, stays: [], afterwards: [] });
        const { table, back } = shape;
        await client.query(`lock table ${table} in share row exclusive mode`);
        const own = `${NOW}::text = ${PUT}::text and ${equalKeys(shape, NOW, PUT)}`;
        const removed = await client.query(
          `delete from ${table} ${NOW} using ${putTable(kept, name)} ${PUT}
           where ${own} and not exists (select from ${keptTable(kept, name)} ${KEPT} where ${equalKeys(shape, KEPT, NOW)})`,
        );
        const returned = await client.query(
          `update ${table} ${NOW} set ${back.map((column) => `${column} = ${KEPT}.${column}`).join(', ')}
           from ${keptTable(kept, name)} ${KEPT}, ${putTable(kept, name)} ${PUT}
           where ${equalKeys(shape, KEPT, NOW)} and ${own}`,
        );
        const { rows } = await client.query<{ all: string }>(
          `select count(*) as all from ${putTable(kept, name)}`,
        );
        const done = (removed.rowCount ?? 0) + (returned.rowCount ?? 0);
        const left = Number(rows[0]?.all ?? 0) - done;
        words.push(
          `${name}: ${formatCount(done)} rows as before${left === 0 ? '' : `, ${formatCount(left)} changed since by somebody and left`}`,
        );
      }
      await client.query(`drop schema ${kept} cascade`);
      await client.query('commit');
    } catch (error) {
      await client.query('rollback').catch(() => undefined);
      throw error;
    }
    return { summary: words.join('; ') };
  });
};

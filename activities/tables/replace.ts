/** Rows go back into the live database: in one transaction, under lock, with the old ones kept, and only if all rules hold then. */
import { createReadStream } from 'node:fs';
import { createInterface } from 'node:readline';
import type pg from 'pg';
import { MusterError, messageOf, PermanentError } from '../../src/errors.js';
import { formatCount, formatDuration } from '../../src/model/format.js';
import { withClient } from '../../src/postgres.js';
import type { ChosenTable, Invariant } from '../../src/runbook/schema.js';
import { resolveSecret } from '../../src/secrets.js';
import type { MusterActivities } from '../contract.js';
import { requireReal } from '../production.js';
import { withProgress } from '../progress.js';
import { requireUnchanged } from '../salvage/list.js';
import { adminOf } from '../service/index.js';
import { checkForeignKeys, checkSequences } from '../verify/generic.js';
import { askQuery } from '../verify/invariant-query.js';
import type { TableDifference, TablesReplaced } from './contract.js';
import { doneIn, keptSchema, keptTable, putTable, requireOwn } from './kept.js';
import { equalKeys, KEPT, NOW, SAME_TEXT, type Shape, shapeOf, THEN } from './shape.js';

const STATEMENT_MS = 3_600_000;
/** Writers that hold the tables for longer are a reason to try again, not to queue everybody behind this. */
const LOCK_MS = 15_000;
const BATCH = 500;

/**
 * @throws PermanentError `SalvageListChanged` where the rows are not those that were approved, `TablesRefused` naming the rule that
 *   would be broken: nothing was changed then
 */
export const replaceTables: MusterActivities['replaceTables'] = ({ at, live, taken, tables, invariants }) => {
  requireReal(at, 'replace rows of the live database');
  return withProgress({ done: 0, unit: 'rows', text: 'replacing rows' }, async () => {
    for (const { rows } of taken.tables) await requireUnchanged(rows.file, rows.sha256);
    const parameters = await Promise.all(
      invariants.map((invariant) => Promise.all(invariant.parameters.map(resolveSecret))),
    );
    const options = { statementTimeoutMs: STATEMENT_MS, applicationName: 'muster-tables' };
    return withClient(adminOf(live.postgres), options, async (client) => {
      const kept = keptSchema(at.runId);
      const before = await doneIn(client, kept);
      if (before !== undefined) return before;
      await client.query('begin');
      try {
        const result = await replaceAll(client, {
          kept,
          runId: at.runId,
          taken,
          tables,
          invariants,
          parameters,
        });
        await client.query('commit');
        return result;
      } catch (error) {
        await client.query('rollback').catch(() => undefined);
        throw worded(error);
      }
    });
  });
};

async function replaceAll(
  client: pg.Client,
  {
    kept,
    runId,
    taken,
    tables,
    invariants,
    parameters,
  }: {
    readonly kept: string;
    readonly runId: string;
    readonly taken: Parameters<MusterActivities['replaceTables']>[0]['taken'];
    readonly tables: readonly ChosenTable[];
    readonly invariants: readonly Invariant[];
    readonly parameters: readonly (readonly string[])[];
  },
): Promise<TablesReplaced> {
  await client.query(SAME_TEXT);
  await client.query(`set local lock_timeout = ${LOCK_MS}; set local synchronous_commit = on`);
  const work: {
    readonly shape: Shape;
    readonly chosen: ChosenTable;
    readonly difference: TableDifference;
  }[] = [];
  for (const difference of taken.tables) {
    const chosen = tables.find(({ table }) => table === difference.table);
    if (chosen === undefined) throw new TypeError(`${difference.table} is not in the runbook`);
    work.push({ shape: await shapeOf(client, chosen), chosen, difference });
  }
  await client.query(
    `lock table ${work.map(({ shape }) => shape.table).join(', ')} in share row exclusive mode`,
  );
  const lockedAt = performance.now();
  await client.query(`create schema ${kept}`);
  await client.query(`comment on schema ${kept} is 'Rows as they were before Muster brought others back'`);
  const counts: { table: string; changed: number; inserted: number }[] = [];
  for (const { shape, difference } of work) {
    await client.query(`create table ${keptTable(kept, shape.name)} as table ${shape.table}`);
    counts.push({ table: shape.name, ...(await bringBack(client, shape, difference)) });
  }
  for (const { chosen } of work) {
    for (const { sql } of chosen.afterwards) await client.query(sql);
  }
  await raiseSequences(
    client,
    work.map(({ shape }) => shape),
  );
  const checks = await requireRules(client, invariants, parameters);
  for (const { shape } of work) {
    await client.query(
      `create table ${putTable(kept, shape.name)} as select ${NOW}.* from ${shape.table} ${NOW}
         left join ${keptTable(kept, shape.name)} ${KEPT} on ${equalKeys(shape, KEPT, NOW)}
       where ${KEPT} is null or ${KEPT}::text <> ${NOW}::text`,
    );
  }
  const lockedMs = Math.round(performance.now() - lockedAt);
  const words = counts.map(
    ({ table, changed, inserted }) =>
      `${table}: ${formatCount(changed)} rows went back, ${formatCount(inserted)} came back`,
  );
  const result: TablesReplaced = {
    kept,
    tables: counts,
    lockedMs,
    checks,
    summary: `${words.join('; ')}; locked for ${formatDuration(lockedMs)}; ${checks.join('; ')}; the old rows are in the schema ${kept}`,
  };
  await requireOwn(client, kept, runId, result);
  return result;
}

async function bringBack(
  client: pg.Client,
  shape: Shape,
  { rows }: TableDifference,
): Promise<{ readonly changed: number; readonly inserted: number }> {
  await client.query('drop table if exists pg_temp.muster_stage');
  await client.query(
    `create temporary table muster_stage on commit drop as select * from ${shape.table} with no data`,
  );
  let batch: string[] = [];
  const send = async () => {
    if (batch.length === 0) return;
    // As text all the way: numbers are not read on the way.
    await client.query(
      `insert into muster_stage select * from json_populate_recordset(null::${shape.table}, $1::json)`,
      [`[${batch.join(',')}]`],
    );
    batch = [];
  };
  for await (const line of createInterface({ input: createReadStream(rows.file) })) {
    if (line === '') continue;
    batch.push(line);
    if (batch.length === BATCH) await send();
  }
  await send();
  const [back, same] = [shape.back, equalKeys(shape, NOW, THEN)];
  const changed =
    back.length === 0
      ? 0
      : (
          await client.query(
            `update ${shape.table} ${NOW} set ${back.map((column) => `${column} = ${THEN}.${column}`).join(', ')}
             from muster_stage ${THEN} where ${same}
               and row(${back.map((column) => `${NOW}.${column}`).join(', ')})::text <> row(${back.map((column) => `${THEN}.${column}`).join(', ')})::text`,
          )
        ).rowCount;
  const all = shape.all.join(', ');
  const inserted = await client.query(
    `insert into ${shape.table} (${all}) overriding system value select ${all} from muster_stage ${THEN}
     where not exists (select from ${shape.table} ${NOW} where ${same})`,
  );
  return { changed: changed ?? 0, inserted: inserted.rowCount ?? 0 };
}

/** Numbers that came back must not be given out again. */
async function raiseSequences(client: pg.Client, shapes: readonly Shape[]): Promise<void> {
  for (const { table, name, all } of shapes) {
    for (const column of all) {
      const { rows } = await client.query<{ sequence: string | null }>(
        'select pg_get_serial_sequence($1, $2) as sequence',
        [table, column.replace(/^"|"$/g, '').replaceAll('""', '"')],
      );
      const sequence = rows[0]?.sequence;
      if (sequence == null) continue;
      await client
        .query(
          `select setval($1, greatest((select max(${column}) from ${table}), pg_sequence_last_value($1::regclass)))
           where exists (select from ${table})`,
          [sequence],
        )
        .catch((error) => {
          throw refused(`the sequence of ${name}.${column} cannot be set (${messageOf(error)})`);
        });
    }
  }
}

/** As the transaction would leave them. @throws PermanentError `TablesRefused` */
async function requireRules(
  client: pg.Client,
  invariants: readonly Invariant[],
  parameters: readonly (readonly string[])[],
): Promise<readonly string[]> {
  const broken: string[] = [];
  for (const [index, { title, sql, timeout }] of invariants.entries()) {
    await client.query(`set local statement_timeout = ${timeout}`);
    const { violations, samples } = await askQuery(client, sql, parameters[index]);
    if (violations > 0) broken.push(`${title}: ${formatCount(violations)} rows, for instance ${samples[0]}`);
  }
  await client.query(`set local statement_timeout = ${STATEMENT_MS}`);
  const generic = [await checkForeignKeys(client), await checkSequences(client)];
  broken.push(...generic.flatMap((finding) => finding.broken ?? []));
  if (broken.length > 0) throw refused(`broken would be: ${broken.join('; ')}`);
  return [`${formatCount(invariants.length)} invariants hold`, ...generic.map(({ detail }) => detail)];
}

function refused(why: string): PermanentError {
  return new PermanentError('TablesRefused', `The rows were not replaced: ${why}.`, {
    why: 'These tables at that point do not fit the rest of the database as it is now. Nothing was changed.',
    next: 'Choose further tables or another point and begin again; or recover the whole database with corruption.',
  });
}

function worded(error: unknown): unknown {
  if (error instanceof MusterError) return error;
  const code = (error as { code?: unknown }).code;
  // Locks and lost connections pass; anything else the database said is about the rows.
  if (typeof code !== 'string' || /^(55P03|40|08|57)/.test(code)) return error;
  return refused(messageOf(error));
}

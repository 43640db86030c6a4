/** Chosen tables go back to a point in the live database: what differs, nothing else, and only where every rule holds. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { RecoveryPoint, TablesTaken } from '../../activities/contract.js';
import { tablesActivities } from '../../activities/tables/index.js';
import type { ChosenTable, Invariant } from '../../src/runbook/schema.js';
import { type Mark, startTestCluster, type TestCluster, until } from '../support/cluster.js';

const { takeTables, replaceTables, returnTables } = tablesActivities();

let cluster: TestCluster;
let home: string;
let point: RecoveryPoint;
let taken: TablesTaken;

const HOLDERS: ChosenTable = { table: 'ledger.holders', stays: [], afterwards: [] };
const ENTRIES: ChosenTable = { table: 'ledger.entries', stays: ['at'], afterwards: [] };
const TABLES = [HOLDERS, ENTRIES];
const INVARIANTS: readonly Invariant[] = [
  {
    name: 'accounts',
    title: 'Every entry has its account',
    sql: 'select e.id from ledger.entries e left join ledger.accounts a on a.id = e.account where a.id is null',
    parameters: [],
    timeout: 30_000,
  },
];

const live = () => cluster.primary;
const holders = () =>
  cluster.as(live(), async (client) => {
    const { rows } = await client.query<{ id: number; name: string }>(
      'select id, name from ledger.holders order by id',
    );
    return rows;
  });

function take(chosen: readonly string[], over: { point?: RecoveryPoint } = {}) {
  const { at, target, backup } = cluster;
  return takeTables({
    at,
    live: live(),
    target,
    backup,
    point,
    chosen,
    tables: TABLES,
    invariants: INVARIANTS,
    ...over,
  });
}

function replace(invariants: readonly Invariant[] = []) {
  return replaceTables({ at: cluster.at, live: live(), taken, tables: TABLES, invariants });
}

beforeAll(async () => {
  home = await mkdtemp(join(tmpdir(), 'muster-tables-'));
  process.env.MUSTER_HOME = home;
  cluster = await startTestCluster();
  const write = (sql: string) => cluster.as(live(), (client) => client.query(sql));
  // The cluster comes with damage of its own, which is not what this is about.
  await write('delete from ledger.entries where account = 999');
  const mark = await cluster.as(live(), async (client) => {
    const { rows } = await client.query<Mark>(
      `select to_char(clock_timestamp() at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"') as time,
         pg_walfile_name(pg_current_wal_lsn()) as "walEnd"`,
    );
    await client.query('select pg_sleep(0.01)');
    return rows[0] as Mark;
  });
  point = cluster.point(mark);
  await write(`
    update ledger.holders set name = 'overwritten' where id % 5 = 0;
    delete from ledger.accounts where id in (49, 50) and not exists (select from ledger.entries where account in (49, 50));
    insert into ledger.holders values (60, 'new since');
    insert into ledger.notes values (77);`);
  await until('all is archived', () =>
    cluster.as(live(), async (client) => {
      const { rows } = await client.query<{ name: string }>(
        'select pg_walfile_name(pg_switch_wal()) as name',
      );
      const name = rows[0]?.name;
      await client.query('select pg_sleep(0.5)');
      const { rows: done } = await client.query(
        'select last_archived_wal >= $1 as done from pg_stat_archiver',
        [name],
      );
      return done[0]?.done === true;
    }),
  );
}, 120_000);
afterAll(async () => {
  await cluster?.close();
  await rm(home, { recursive: true, force: true });
  delete process.env.MUSTER_HOME;
});

test('what differs from the point is told by key, and a table that the runbook does not name is refused', async () => {
  await expect(take(['ledger.notes'])).rejects.toMatchObject({
    code: 'TableNotAllowed',
    next: expect.stringContaining('ledger.holders, ledger.entries'),
  });
  taken = await take(['ledger.holders', 'ledger.entries']);
  expect(
    taken.tables.map(({ table, changed, missing, added, same }) => [table, changed, missing, added, same]),
  ).toEqual([
    ['ledger.holders', 10, 0, 1, 40],
    ['ledger.entries', 0, 0, 0, expect.any(Number)],
  ]);
}, 60_000);

test('a point that is damaged itself is refused', async () => {
  const damaged = cluster.point(cluster.marks.rewritten);
  await expect(take(['ledger.holders'], { point: damaged })).rejects.toMatchObject({
    code: 'PointDamaged',
    message: expect.stringContaining('Every entry has its account'),
  });
}, 60_000);

test('where a rule would be broken nothing is changed', async () => {
  const before = await holders();
  const rule = {
    ...(INVARIANTS[0] as Invariant),
    title: 'Nobody is called holder 5',
    sql: "select id from ledger.holders where name = 'holder 5'",
  };
  await expect(replace([rule])).rejects.toMatchObject({
    code: 'TablesRefused',
    message: expect.stringContaining('Nobody is called holder 5'),
  });
  expect(await holders()).toEqual(before);
  const file = taken.tables[0]?.rows.file ?? '';
  const good = taken;
  taken = {
    ...taken,
    tables: taken.tables.map((one) => ({ ...one, rows: { ...one.rows, sha256: 'ab'.repeat(32) } })),
  };
  await expect(replace()).rejects.toMatchObject({
    code: 'SalvageListChanged',
    message: expect.stringContaining(file),
  });
  taken = good;
});

test('the rows go back in one transaction, once, the old ones are kept, and what was added since stays', async () => {
  const before = await holders();
  const replaced = await replace(INVARIANTS);
  expect(replaced.tables).toEqual([
    { table: 'ledger.holders', changed: 10, inserted: 0 },
    { table: 'ledger.entries', changed: 0, inserted: 0 },
  ]);
  const after = await holders();
  expect(after.filter(({ name }) => name === 'overwritten')).toEqual([]);
  expect(after.find(({ id }) => id === 60)).toEqual({ id: 60, name: 'new since' });
  // Its answer was lost: the step is done again.
  expect(await replace(INVARIANTS)).toEqual(replaced);
  const kept = await cluster.as(live(), async (client) => {
    const { rows } = await client.query(`select id, name from ${replaced.kept}."ledger.holders" order by id`);
    return rows;
  });
  expect(kept).toEqual(before);
});

test('undone, the old rows are back, but for those that somebody has changed since', async () => {
  await cluster.as(live(), (client) =>
    client.query("update ledger.holders set name = 'by its owner' where id = 5"),
  );
  const { summary } = await returnTables({ at: cluster.at, live: live(), taken });
  expect(summary).toContain('ledger.holders: 9 rows as before, 1 changed since by somebody and left');
  const names = new Map((await holders()).map(({ id, name }) => [id, name]));
  expect([names.get(5), names.get(10), names.get(60)]).toEqual(['by its owner', 'overwritten', 'new since']);
  expect(await returnTables({ at: cluster.at, live: live(), taken })).toEqual({
    summary: 'no row was replaced',
  });
});

test('rows that are gone come back, with sequences beyond them', async () => {
  await cluster.as(live(), (client) => client.query('delete from ledger.entries where id in (3, 4)'));
  taken = await take(['ledger.entries']);
  expect(taken.tables).toMatchObject([{ table: 'ledger.entries', missing: 2, changed: 0 }]);
  expect((await replace(INVARIANTS)).tables).toEqual([{ table: 'ledger.entries', changed: 0, inserted: 2 }]);
  const next = await cluster.as(live(), async (client) => {
    const { rows } = await client.query<{ id: string }>(
      'insert into ledger.entries (account, amount) values (1, 1) returning id',
    );
    return Number(rows[0]?.id);
  });
  expect(next).toBeGreaterThan(5000);
  await expect(
    Promise.resolve().then(() =>
      replaceTables({
        at: { ...cluster.at, mode: 'drill' },
        live: live(),
        taken,
        tables: TABLES,
        invariants: [],
      }),
    ),
  ).rejects.toMatchObject({ code: 'DrillForbidden' });
  await writeFile(taken.tables[0]?.rows.file ?? '', '');
}, 60_000);

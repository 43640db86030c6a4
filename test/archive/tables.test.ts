/** Chosen tables go back to the state of a dump, from a private copy that is loaded for it and gone afterwards. */
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, dirname, join } from 'node:path';
import { backupActivities } from '../../activities/backup/index.js';
import type { RecoveryPoint } from '../../activities/contract.js';
import { pointActivities } from '../../activities/point/index.js';
import { tablesActivities } from '../../activities/tables/index.js';
import type { ChosenTable, Invariant } from '../../src/runbook/schema.js';
import { stepOf } from '../drivers/support/steps.js';
import { type ArchiveWorld, makeArchiveWorld, makeTarget, type Target } from './support.js';

const { takeTables, replaceTables, endTables } = tablesActivities();

const table = (name: string): ChosenTable => ({ table: name, stays: [], afterwards: [] });
const TABLES = [table('books.account'), table('books.Odd Name'), table('books.entry')];
const RULE: Invariant = {
  name: 'names',
  title: 'Every account is called by its number',
  sql: "select id from books.account where id <= 50 and name <> 'account ' || id",
  parameters: [],
  timeout: 30_000,
};

let world: ArchiveWorld;
let target: Target;
let home: string;
let point: RecoveryPoint;

const source = (sql: string) => world.source.admin((client) => client.query(sql));

function take(invariants: readonly Invariant[], chosen = ['books.account', 'books.Odd Name']) {
  const { at, cluster } = target;
  const { backup } = world;
  const order = { at, live: world.source.at, target: cluster.at, backup, point };
  return takeTables({ ...order, chosen, tables: TABLES, invariants });
}

/** What lies beside the target's directory. */
async function beside(): Promise<readonly string[]> {
  const { dataDirectory } = target.cluster.at.postgres.service;
  const names = await readdir(dirname(dataDirectory));
  return names.filter((name) => name.startsWith(`${basename(dataDirectory)}.tables`));
}

beforeAll(async () => {
  home = await mkdtemp(join(tmpdir(), 'muster-archive-tables-'));
  process.env.MUSTER_HOME = home;
  world = await makeArchiveWorld();
  target = await makeTarget(world.source);
  await backupActivities().takeArchive({ at: stepOf('dump'), source: world.source.at, backup: world.backup });
  await source(`
    update books.account set name = 'imported ' || id where id % 10 = 0;
    delete from books."Odd Name" where k like 'k1%';
    insert into books.account values (60, 'new since')`);
  point = await pointActivities().proposeNewest({
    ...{ at: target.at, from: target.cluster.at, backup: world.backup, dataClasses: {} },
    lost: world.source.at,
  });
}, 60_000);
afterAll(async () => {
  await target?.cluster.remove();
  await world?.remove();
  await rm(home, { recursive: true, force: true });
  delete process.env.MUSTER_HOME;
});

test('a dump in which a rule is broken already is refused, and nothing of the copy is left', async () => {
  const broken = {
    ...RULE,
    title: 'There is no account 7',
    sql: 'select id from books.account where id = 7',
  };
  await expect(take([RULE, broken])).rejects.toMatchObject({
    code: 'PointDamaged',
    message: expect.stringContaining('There is no account 7'),
  });
  expect(await beside()).toEqual([]);
}, 60_000);

test('what differs from the dump comes back, and what was added since stays', async () => {
  const taken = await take([RULE]);
  expect(
    taken.tables.map(({ table, changed, missing, added, same }) => [table, changed, missing, added, same]),
  ).toEqual([
    ['books.account', 5, 0, 1, 45],
    ['books.Odd Name', 0, 111, 0, 389],
  ]);
  expect(taken.summary).toContain(`from archive ${point.archive?.label}, as of ${point.time}: books.account`);
  expect(await beside()).toEqual([]);
  expect(await endTables({ at: target.at, target: target.cluster.at })).toEqual({
    summary: 'nothing was left',
  });

  const order = { at: target.at, live: world.source.at, taken, tables: TABLES };
  const replaced = await replaceTables({ ...order, invariants: [RULE] });
  expect(replaced.tables).toEqual([
    { table: 'books.account', changed: 5, inserted: 0 },
    { table: 'books.Odd Name', changed: 0, inserted: 111 },
  ]);
  const { rows } = await source(
    `select (select count(*)::int from books.account where id <= 50 and name <> 'account ' || id) as wrong,
       (select name from books.account where id = 60) as new, (select count(*)::int from books."Odd Name") as odd`,
  );
  expect(rows).toEqual([{ wrong: 0, new: 'new since', odd: 500 }]);
}, 60_000);

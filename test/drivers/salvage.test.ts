/** What a replaced primary had written after the point: found in the archive, judged, listed, and entered through the application. */
import { readFile, rm } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { SalvageFound } from '../../activities/contract.js';
import { provisionActivities } from '../../activities/provision/index.js';
import { restoreActivities } from '../../activities/restore/index.js';
import { salvageActivities } from '../../activities/salvage/index.js';
import { adminOf, serviceOf } from '../../activities/service/index.js';
import { withClient } from '../../src/postgres.js';
import type { Application, SalvageTable } from '../../src/runbook/schema.js';
import { startTestCluster, type TestCluster, until } from '../support/cluster.js';

const { findSalvage, carryOver } = salvageActivities();
const { provisionTarget } = provisionActivities({ promotionOf: async () => undefined });
const { restoreDatabase } = restoreActivities();
const home = join(tmpdir(), `muster-salvage-${process.pid}`);

let cluster: TestCluster;
let found: SalvageFound;
let server: Server;
/** Answers by account, 201 where nothing else is said, and what was asked. */
let answers: Record<number, number> = {};
let entered: Record<string, unknown>[] = [];

const TABLE: SalvageTable = {
  table: 'ledger.entries',
  title: 'Entries',
  key: 'id',
  sql: `select id::text as key, case when amount > 1000 then 'more than a thousand' end as refused, id, account, amount
    from ledger.entries where at >= $1 order by id`,
  parameters: [],
  timeout: 30_000,
  enter: {
    method: 'POST',
    path: '/entries/{{id}}',
    body: { account: '{{account}}', amount: '{{amount}}', memo: 'was {{id}}' },
    expectStatus: [201, 200],
  },
};

/** The rest of an application is of no use here. */
const application = () => {
  const address = server.address();
  const port = typeof address === 'object' && address !== null ? address.port : 0;
  return { url: `http://127.0.0.1:${port}` } as Application;
};

function carry() {
  return carryOver({ at: cluster.at, found, tables: [TABLE], application: application() });
}

beforeAll(async () => {
  process.env.MUSTER_HOME = home;
  cluster = await startTestCluster();
  const { at, target, backup } = cluster;
  const point = cluster.point(cluster.marks.hundred);
  const provisioned = await provisionTarget({ at, target, point });
  await restoreDatabase({ at, target, provisioned, backup, point });
  // As the fence leaves it: a copy of its very end would let nobody in.
  await withClient(
    { ...adminOf(cluster.primary.postgres), database: 'postgres' },
    { statementTimeoutMs: 10_000, applicationName: 'test' },
    (client) => client.query('alter database ledger allow_connections false'),
  );
  await serviceOf(cluster.primary.postgres).stop('fast');
  await cluster.as(target, (client) => client.query('select pg_promote()'));
  await until('the history of the new timeline is archived', () =>
    cluster.as(target, async (client) => {
      await client.query('select pg_switch_wal()');
      const { rows } = await client.query<{ name: string }>(
        'select last_archived_wal as name from pg_stat_archiver',
      );
      return (rows[0]?.name ?? '').startsWith('00000002');
    }),
  );
  // One that its owner has entered again already.
  await cluster.as(target, (client) =>
    client.query('insert into ledger.entries (id, account, amount) values (150, 1, 1050)'),
  );
  server = createServer((request, response) => {
    let text = '';
    request.on('data', (chunk) => {
      text += chunk;
    });
    request.on('end', () => {
      const body = JSON.parse(text) as { account: number };
      entered.push({ path: request.url, ...body });
      response.writeHead(answers[body.account] ?? 201).end('an answer');
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
}, 120_000);

afterAll(async () => {
  server?.close();
  await cluster?.close();
  await rm(home, { recursive: true, force: true });
  delete process.env.MUSTER_HOME;
});

beforeEach(() => {
  answers = {};
  entered = [];
});

test('every row after the point is judged, and those that are there already are left out', async () => {
  const { at, primary, target, backup } = cluster;
  found = await findSalvage({ at, sites: [primary, target], backup, quarantined: null, tables: [TABLE] });
  expect(found).toMatchObject({ site: 'target', timeline: 1 });
  expect(found.time > cluster.marks.hundred.time && found.through.at > cluster.marks.rewritten.time).toBe(
    true,
  );
  const [counts] = found.tables;
  // Of 202 rows 101 to 200, the one with another number and the orphan came after the point; amounts were multiplied by seven.
  expect(counts?.present).toBe(101);
  const lines = (await readFile(found.list.file, 'utf8'))
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line));
  expect(lines).toHaveLength(found.list.lines);
  expect((counts?.sound ?? 0) + (counts?.refused['more than a thousand'] ?? 0)).toBe(lines.length);
  expect(lines.find(({ key }) => key === '101')).toMatchObject({
    refused: null,
    row: { id: 101, amount: 707 },
  });
  expect(lines.find(({ key }) => key === '150')).toBeUndefined();
  expect(lines.find(({ key }) => key === '199')).toMatchObject({ refused: 'more than a thousand' });
}, 60_000);

test('sound rows are entered once each, refusals are told, and an attempt goes on where one ended', async () => {
  answers = { 4: 422, 9: 503 };
  await expect(carry()).rejects.toMatchObject({ name: 'TransientError', code: 'ApplicationUnreachable' });
  const first = entered.length;
  answers = { 4: 422 };
  const carried = await carry();
  const [counts] = carried.tables;
  const sound = found.tables[0]?.sound ?? 0;
  const refused = counts?.refused['the application answers 422: an answer'] ?? 0;
  expect(refused).toBeGreaterThan(0);
  expect((counts?.carried ?? 0) + refused).toBe(sound);
  // The one that got no answer was asked twice, no other.
  expect(entered).toHaveLength(sound + 1);
  expect(first).toBeLessThan(sound);
  expect(entered[0]).toEqual({ path: '/entries/101', account: 2, amount: 707, memo: 'was 101' });
  expect((await carry()).tables).toEqual(carried.tables);
  expect(entered).toHaveLength(sound + 1);
});

test('what was not approved is not entered', async () => {
  const other = { ...found, list: { ...found.list, sha256: 'ab'.repeat(32) } };
  const attempt = carryOver({ at: cluster.at, found: other, tables: [TABLE], application: application() });
  await expect(attempt).rejects.toMatchObject({ code: 'SalvageListChanged' });
  const drill = { ...cluster.at, mode: 'drill' as const };
  await expect(
    Promise.resolve().then(() =>
      carryOver({ at: drill, found, tables: [TABLE], application: application() }),
    ),
  ).rejects.toMatchObject({ code: 'DrillForbidden' });
  expect(entered).toEqual([]);
});

/** The newest clean point, found in a private copy: exact to the transaction, with few restores, and nothing left behind. */
import { readdir } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname } from 'node:path';
import type { DatabaseAt } from '../../activities/contract.js';
import { pointActivities } from '../../activities/point/index.js';
import { nextLook, shareBefore } from '../../activities/point/split.js';
import { privatePlace } from '../../activities/private/place.js';
import { runTool } from '../../src/process.js';
import type { Invariant } from '../../src/runbook/schema.js';
import { startTestCluster, type TestCluster, until } from '../support/cluster.js';

const { searchPoint } = pointActivities();
let cluster: TestCluster;

const INVARIANTS: readonly Invariant[] = [
  {
    name: 'accounts',
    title: 'Every entry has its account',
    sql: 'select e.id, e.account from ledger.entries e left join ledger.accounts a on a.id = e.account where a.id is null',
    parameters: [],
    timeout: 30_000,
  },
  {
    name: 'amounts',
    title: 'No amount is beyond a thousand',
    sql: 'select id, amount from ledger.entries where amount > 1000',
    parameters: [],
    timeout: 30_000,
  },
];

async function write(count: number, sql: (index: number) => string): Promise<void> {
  await cluster.as(cluster.primary, async (client) => {
    for (let index = 0; index < count; index++) await client.query(sql(index));
  });
}

const note = (first: number) => (index: number) => `insert into ledger.notes values (${first + index})`;

async function backup(): Promise<void> {
  const { backupConfig, service } = cluster.primary.postgres;
  const args = [`--config=${backupConfig}`, '--stanza=main', '--repo=1', '--type=incr', 'backup'];
  const outcome = await runTool('pgbackrest', args, { account: service.account, timeoutMs: 60_000 });
  if (outcome.exitCode !== 0) throw new Error(outcome.stdout + outcome.stderr);
}

async function archiveAll(): Promise<void> {
  await cluster.as(cluster.primary, async (client) => {
    const { rows } = await client.query<{ name: string }>('select pg_walfile_name(pg_switch_wal()) as name');
    await until('the last segment is archived', async () => {
      const sql = 'select last_archived_wal >= $1 as done from pg_stat_archiver';
      return (await client.query<{ done: boolean }>(sql, [rows[0]?.name])).rows[0]?.done === true;
    });
  });
}

function order(over: Partial<Parameters<typeof searchPoint>[0]> = {}) {
  const { at, primary, target, backup } = cluster;
  return { at, damaged: primary, target, backup, invariants: INVARIANTS, dataClasses: {}, ...over };
}

/** What a search leaves on the machine. */
async function left(): Promise<readonly string[]> {
  const place = privatePlace(cluster.at, cluster.target, 'search').postgres.service;
  const beside = await readdir(dirname(place.dataDirectory));
  const sockets = await readdir(tmpdir());
  return [
    ...beside.filter((name) => name.startsWith('target.search')),
    ...sockets.filter((name) => place.socketDirectory.endsWith(name)),
  ];
}

beforeAll(async () => {
  cluster = await startTestCluster();
});
afterAll(() => cluster?.close());

test('while every rule holds there is nothing to search for', async () => {
  const holding = order({ invariants: [{ ...(INVARIANTS[0] as Invariant), sql: 'select 1 where false' }] });
  await expect(searchPoint(holding)).rejects.toMatchObject({ code: 'DamageNotFound' });
  await expect(searchPoint(order({ invariants: [] }))).rejects.toMatchObject({ code: 'NoInvariants' });
});

test('the last commit before the damage is found, with fewer restores than halving needs', async () => {
  // The cluster comes with damage of its own: the search begins behind it.
  await write(1, () => 'delete from ledger.entries where account = 999 or amount > 1000');
  await write(20, note(1000));
  await backup();
  const backedUp = Date.now();
  await until('the second of the backup is over', async () => Date.now() > backedUp + 1_100);
  await write(60, note(2000));
  const bad = await cluster.as(cluster.primary, async (client) => {
    const { rows } = await client.query<{ xid: string }>(
      'with changed as (update ledger.entries set amount = 5000 where id = 7 returning 1) select pg_current_xact_id()::text as xid from changed',
    );
    return rows[0]?.xid;
  });
  await write(40, note(3000));
  await archiveAll();
  // The primary is gone too: only the archive can say that there is damage at all.
  const gone: DatabaseAt = { ...cluster.primary, postgres: { ...cluster.primary.postgres, port: 1 } };

  const point = await searchPoint(order({ damaged: gone }));
  const { search } = point;
  expect(search?.firstBad.xid).toBe(bad);
  expect(search?.broken.map(({ name, violations }) => [name, violations])).toEqual([['amounts', 1]]);
  expect(search?.broken[0]?.samples[0]).toContain('5000');
  expect(point).toMatchObject({ asked: 'searched', time: search?.firstBad.at, timeline: 1 });
  expect(search?.lastGood !== null && (search?.lastGood.at ?? '') < point.time).toBe(true);
  const { backups, segments, commits } = search?.candidates ?? { backups: 0, segments: 0, commits: 0 };
  expect({ backups, all: commits > 90 }).toEqual({ backups: 2, all: true });
  const halvings = Math.log2(backups) + Math.log2(segments) + Math.log2(commits);
  expect(search?.restores).toBeLessThan(halvings);
  expect(await left()).toEqual([]);
}, 120_000);

test('damage that is older than every backup is said to be', async () => {
  const broken = { ...(INVARIANTS[0] as Invariant), name: 'holders', sql: 'select id from ledger.holders' };
  await expect(searchPoint(order({ invariants: [broken] }))).rejects.toMatchObject({
    code: 'NoCleanBackup',
    message: expect.stringContaining('holders (50 rows'),
  });
  expect(await left()).toEqual([]);
}, 60_000);

test('the split asks early where going too far is dear, and never outside of what is left', () => {
  expect(shareBefore({ look: 1, back: 0 })).toBeCloseTo(0.245, 2);
  expect(shareBefore({ look: 1, back: 20 })).toBeLessThan(0.12);
  expect(nextLook(3, 4, { look: 1, back: 1 })).toBeUndefined();
  for (let damaged = 1; damaged < 40; damaged++) {
    const next = nextLook(-1, damaged, { look: 1, back: 9 }) ?? 0;
    expect(next >= 0 && next < damaged).toBe(true);
  }
});

/** What was written after a dump is found in the quarantine of the primary that was replaced, which stays as it is. */
import { execFileSync } from 'node:child_process';
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, dirname, join } from 'node:path';
import { backupActivities } from '../../activities/backup/index.js';
import { preserveActivities } from '../../activities/preserve/index.js';
import { salvageActivities } from '../../activities/salvage/index.js';
import { acquireFencingToken, withVault } from '../../activities/vault/index.js';
import type { SalvageTable } from '../../src/runbook/schema.js';
import { generationOf } from '../drivers/support/postgres.js';
import { stepOf } from '../drivers/support/steps.js';
import { type ArchiveWorld, makeArchiveWorld, makeTarget, type Target } from './support.js';

const { findSalvage, endSalvage } = salvageActivities();
const ACCOUNTS: SalvageTable = {
  table: 'books.account',
  title: 'Accounts',
  key: 'id',
  sql: `select id::text as key, case when name like 'bad%' then 'its name is bad' end as refused, id, name
    from books.account where $1::timestamptz < now() order by id`,
  parameters: [],
  timeout: 30_000,
  enter: { method: 'POST', path: '/accounts', body: { id: '{{id}}' }, expectStatus: [201] },
};

let world: ArchiveWorld;
let target: Target;
let home: string;
let directory: string;
let snapshotAt: string;

const find = (from = directory) =>
  findSalvage({
    at: target.at,
    sites: [world.source.at, target.cluster.at],
    backup: world.backup,
    quarantined: { damaged: world.source.at, directory: from },
    tables: [ACCOUNTS],
  });

/** Every file with its size and when it was changed. */
const evidence = () =>
  execFileSync('find', [directory, '-printf', '%P %s %T@ %m\n'], { encoding: 'utf8', maxBuffer: 64e6 });

beforeAll(async () => {
  home = await mkdtemp(join(tmpdir(), 'muster-archive-salvage-'));
  process.env.MUSTER_HOME = home;
  world = await makeArchiveWorld();
  target = await makeTarget(world.source);
  const { source, backup, vault } = world;
  snapshotAt = (await backupActivities().takeArchive({ at: stepOf('dump'), source: source.at, backup }))
    .snapshot.at;
  await source.admin((client) =>
    client.query("insert into books.account values (60, 'written since'), (61, 'bad since')"),
  );
  await target.restore(backup);
  const generation = await generationOf(source);
  // As the fence leaves it.
  await source.admin((client) => client.query('alter database ledger allow_connections false'), 'postgres');
  directory = join(source.folder, 'quarantine');
  const at = stepOf('run-1', 'ledger');
  const token = await withVault(vault.bucket, new AbortController().signal, (open) =>
    acquireFencingToken(open, { system: at.system, runId: at.runId, ...generation }),
  );
  const { systemIdentifier } = generation;
  const order = { at, damaged: source.at, quarantineDirectory: directory, systemIdentifier };
  await preserveActivities().preserveDamaged({ ...order, vault: vault.bucket, token });
}, 60_000);
afterAll(async () => {
  await target?.cluster.remove();
  await world?.remove();
  await rm(home, { recursive: true, force: true });
  delete process.env.MUSTER_HOME;
});

test('what was written since is judged in a copy of the quarantine, and nothing of that is left', async () => {
  const before = evidence();
  const found = await find();
  expect(found).toMatchObject({
    site: 'recovery',
    time: snapshotAt,
    tables: [{ table: 'books.account', present: 50, sound: 1, refused: { 'its name is bad': 1 } }],
    samples: ['books.account 61: its name is bad'],
  });
  const lines = (await readFile(found.list.file, 'utf8')).trim().split('\n');
  expect(lines.map((line) => JSON.parse(line))).toEqual([
    { table: 'books.account', key: '60', refused: null, row: { id: 60, name: 'written since' } },
    { table: 'books.account', key: '61', refused: 'its name is bad', row: { id: 61, name: 'bad since' } },
  ]);
  expect(evidence()).toBe(before);
  const { dataDirectory } = target.cluster.at.postgres.service;
  const beside = await readdir(dirname(dataDirectory));
  expect(beside.filter((name) => name.startsWith(`${basename(dataDirectory)}.salvage`))).toEqual([]);
  expect(await endSalvage({ at: target.at, sites: [target.cluster.at] })).toEqual({
    summary: 'nothing was left',
  });
}, 60_000);

test('without a quarantine of that primary there is nothing to look into', async () => {
  await expect(find(join(world.folder, 'elsewhere'))).rejects.toMatchObject({
    code: 'NothingLeftBehind',
    why: expect.stringContaining('elsewhere holds no cluster of west that was set aside after'),
  });
});

/** Every copy of a database, tried in the order of least loss: what is damaged is found, told row by row, and passed over. */
import { readdir, stat, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { CopiesSurvey, DatabaseAt } from '../../activities/contract.js';
import { copiesActivities } from '../../activities/copies/index.js';
import { provisionActivities } from '../../activities/provision/index.js';
import { serviceOf } from '../../activities/service/index.js';
import type { Application, DataClass } from '../../src/runbook/schema.js';
import { flipByte, startTestCluster, type TestCluster } from '../support/cluster.js';
import { eventually } from '../support/eventually.js';

const { surveyCopies, chooseCopy, tryCopies } = copiesActivities();
const { provisionForArchive } = provisionActivities({ promotionOf: async () => undefined });

let cluster: TestCluster;
/** Reads repositories of which the first is damaged. */
let target: DatabaseAt;
/** Of the repositories that are damaged. */
let repositories: string;
let survey: CopiesSurvey;

const dataClasses: Record<string, DataClass> = {
  entries: { rpo: 300_000, component: 'database', table: 'ledger.entries', key: 'id', time: 'at' },
};

beforeAll(async () => {
  cluster = await startTestCluster();
  const { primary } = cluster;
  await ask(primary, 'drop table ledger.spare');
  await ask(primary, 'drop tablespace spare');
  // The rules of the ledger hold again.
  await ask(
    primary,
    `set session_replication_role = replica; delete from ledger.entries where account = 999 or id = 5000`,
  );
  const [row] = await ask(primary, 'select pg_walfile_name(pg_switch_wal()) as name');
  await eventually(async () => {
    const [done] = await ask(primary, 'select last_archived_wal as name from pg_stat_archiver');
    expect(String(done?.name) >= String(row?.name)).toBe(true);
  });
  // Only the primary has these.
  await ask(primary, 'insert into ledger.notes values (900)');
  const { config, folder } = await cluster.copyRepositories('damaged');
  target = cluster.withConfig(config);
  repositories = folder;
  const bundles = join(folder, 'repo1', 'backup', 'main', cluster.labels[1] ?? '', 'bundle');
  const [bundle = ''] = await readdir(bundles);
  await flipByte(join(bundles, bundle), 5_000);
}, 90_000);
afterAll(() => cluster?.close());

const ask = async (site: DatabaseAt, sql: string): Promise<Record<string, unknown>[]> =>
  cluster.as(site, async (client) => (await client.query(sql)).rows);

async function application(): Promise<Application> {
  const file = join(cluster.folder, 'copies-trial.cjs');
  await writeFile(
    file,
    `require('node:http').createServer((request, response) => {
      response.writeHead(200, { 'content-type': 'application/json' });
      response.end(JSON.stringify({ port: process.env.MUSTER_DATABASE_PORT }));
    }).listen(Number(process.env.MUSTER_PORT), '127.0.0.1');`,
  );
  return {
    component: 'core-api',
    url: 'http://127.0.0.1:1',
    healthPath: '/health',
    trial: { command: [process.execPath, file], environment: {} },
    functions: [
      {
        name: 'read',
        title: 'It can be read',
        readOnly: true,
        exchanges: [
          {
            title: 'ask',
            method: 'GET',
            path: '/',
            expectStatus: 200,
            expectBody: { port: String(target.postgres.port) },
          },
        ],
      },
    ],
  };
}

async function tryAll(first: string | null = null) {
  const { at, backup, primary } = cluster;
  const provisioned = await provisionForArchive({ at, target, databaseBytes: survey.databaseBytes });
  return tryCopies({
    ...{
      at,
      survey,
      first,
      provisioned,
      damaged: primary,
      standby: null,
      target,
      backup,
      archives: {},
      dataClasses,
    },
    ...{ invariants: [], jobs: 1, application: await application() },
  });
}

test('every copy is looked at: how new it is, and what is wrong with it', async () => {
  const { at, backup, primary } = cluster;
  await serviceOf(primary.postgres).stop('immediate');
  survey = await surveyCopies({
    ...{ at, damaged: primary, standby: null, target, backup, dataClasses, archives: {} },
  });
  expect(survey.copies.map(({ id, unusable }) => [id, unusable === null])).toEqual([
    ['damaged', true],
    [`repository-2/${cluster.labels[2]}`, true],
    [`repository-1/${cluster.labels[1]}`, false],
  ]);
  const [damaged, second, first] = survey.copies;
  expect(String(damaged?.newestAt) > String(second?.newestAt)).toBe(true);
  expect(second?.says).toMatch(/whole, [\d,]+ files compared with their checksums; \d+ WAL segments/);
  expect(first?.unusable).toMatch(/is invalid, \d+ of [\d,]+ files are wrong; invalid checksum/);
}, 60_000);

test('a copy is chosen by its name, and only one that can be tried', async () => {
  const { at } = cluster;
  const choose = (id: string) => chooseCopy({ at, survey, id });
  expect(await choose(`repository-2/${cluster.labels[2]}`)).toMatchObject({ first: expect.any(String) });
  await expect(choose(`repository-1/${cluster.labels[1]}`)).rejects.toMatchObject({ code: 'NoSuchCopy' });
  await expect(choose('elsewhere')).rejects.toMatchObject({ next: expect.stringContaining('damaged') });
});

test('the files of the damaged server come up with what nobody else has', async () => {
  const found = await tryAll();
  expect(found).toMatchObject({ id: 'damaged', kind: 'damaged', timeline: 1 });
  expect([...new Set(found.checks.map(({ rung }) => rung))].sort()).toEqual([1, 2, 3, 4, 5, 6, 7, 8]);
  expect(await ask(target, 'select id from ledger.notes where id = 900')).toEqual([{ id: 900 }]);
  expect(await ask(target, 'select pg_last_wal_replay_lsn()::text as lsn')).toEqual([{ lsn: found.lsn }]);
  // The original was only read.
  expect(await serviceOf(cluster.primary.postgres).pid()).toBeUndefined();
  expect((await serviceOf(cluster.primary.postgres).control()).state).toBe('in production');
}, 90_000);

test('a damaged page is found, the rows on it are named, and the next copy is taken', async () => {
  const { primary } = cluster;
  const [{ path } = { path: '' }] = await ask(
    target,
    "select pg_relation_filepath('ledger.holders') as path",
  );
  await flipByte(join(primary.postgres.service.dataDirectory, String(path)), 8_000);
  const found = await tryAll();
  expect(found).toMatchObject({ id: `repository-2/${cluster.labels[2]}`, kind: 'backup' });
  expect(found.tried.map(({ id, outcome }) => [id, outcome])).toEqual([
    ['damaged', 'failed'],
    [`repository-2/${cluster.labels[2]}`, 'usable'],
    [`repository-1/${cluster.labels[1]}`, 'not tried'],
  ]);
  expect(found.tried[0]?.damage).toEqual([
    'block 0 of ledger.holders: the rows between the first one and the last one cannot be read',
  ]);
  expect([...new Set(found.checks.map(({ rung }) => rung))].sort()).toEqual([1, 2, 3, 4, 5, 6, 7, 8]);
  expect(await ask(target, 'select id from ledger.notes where id = 900')).toEqual([]);
}, 90_000);

test('where none is sound nothing is promoted, and each is told', async () => {
  const all = survey;
  survey = { ...all, copies: all.copies.filter(({ kind }) => kind === 'damaged') };
  await expect(tryAll()).rejects.toMatchObject({
    code: 'NoCopyUsable',
    message: expect.stringMatching(/itself: Rung 3, page checksums: 1 pages .*block 0 of ledger.holders/),
  });
  survey = all;
}, 60_000);

test('a backup whose files end too early is found by their sizes, without waiting for a verify', async () => {
  const { at, backup, primary } = cluster;
  const label = cluster.labels[2] ?? '';
  const bundles = join(repositories, 'repo2', 'backup', 'main', label, 'bundle');
  const [bundle = ''] = await readdir(bundles);
  const { size } = await stat(join(bundles, bundle));
  await truncate(join(bundles, bundle), size - 1_000);
  const { copies } = await surveyCopies({
    ...{ at, damaged: primary, standby: null, target, backup, dataClasses, archives: {} },
  });
  const { unusable } = copies.find(({ id }) => id === `repository-2/${label}`) ?? {};
  expect(unusable).toMatch(/is incomplete: bundle\/\d+ has [\d,]+ of [\d,]+ bytes/);
}, 60_000);

import { createHash } from 'node:crypto';
import { truncate } from 'node:fs/promises';
import { CreateBucketCommand, PutBucketVersioningCommand, PutObjectCommand } from '@aws-sdk/client-s3';
import { bucketCommands, restoreObjectsCommands } from '../../activities/objects/commands.js';
import { objectsActivities } from '../../activities/objects/index.js';
import { checkReadiness } from '../../activities/readiness.js';
import type { ObjectStore } from '../../src/runbook/schema.js';
import { makeCluster, type TestCluster } from './support/postgres.js';
import { type Regions, startRegions } from './support/regions.js';
import { stepOf } from './support/steps.js';

const { reconcileFiles } = objectsActivities();
const at = stepOf('run-1', 'practice-hub');
const BUCKET = 'documents';
let regions: Regions;
let cluster: TestCluster;
let store: ObjectStore;

beforeAll(async () => {
  [regions, cluster] = await Promise.all([startRegions(), makeCluster()]);
  store = {
    driver: 's3',
    title: 'Client documents',
    component: 'file-storage',
    primary: regions.west.bucket(BUCKET),
    parallel: 4,
    cors: [],
    references: { table: 'public.documents', key: 'storage_key', bytes: 'bytes', sha256: 'sha256' },
  };
  await regions.west.client.send(new CreateBucketCommand({ Bucket: BUCKET }));
  await cluster.admin((client) =>
    client.query('create table documents (id serial, storage_key text, bytes bigint, sha256 text)'),
  );
  for (const key of ['a/1.pdf', 'a/2.pdf', 'a.pdf', 'ä.pdf', 'z.pdf']) await add(key, `content of ${key}`);
}, 60_000);
afterAll(() => Promise.all([regions.remove(), cluster.remove()]));

async function put(key: string, text: string): Promise<void> {
  await regions.west.client.send(new PutObjectCommand({ Bucket: BUCKET, Key: key, Body: text }));
}

async function add(key: string, text: string): Promise<void> {
  await put(key, text);
  await row(key, text);
}

function row(key: string | null, text: string): Promise<unknown> {
  const sha256 = createHash('sha256').update(text).digest('hex');
  return cluster.admin((client) =>
    client.query('insert into documents (storage_key, bytes, sha256) values ($1, $2, $3)', [
      key,
      Buffer.byteLength(text),
      sha256,
    ]),
  );
}

test('rows and files that belong together are found to, whatever the order of the database', async () => {
  await row('a/1.pdf', 'content of a/1.pdf');
  await row(null, 'a row without a file');
  expect(await reconcileFiles({ at, store, database: cluster.at })).toMatchObject({
    ...{ rows: 5, objects: 5, danglingCount: 0, orphanedCount: 0, differingCount: 0 },
    summary: '5 rows, 5 files: each row has its file and each file its row',
  });
});

test('dangling rows, orphaned files and files that are not what their row says are listed', async () => {
  await row('b/lost.pdf', 'lost');
  await put('nobody/knows.pdf', 'x');
  await put('a/2.pdf', 'CONTENT of a/2.pdf');
  await put('z.pdf', 'shorter');
  await truncate(regions.west.fileOf(BUCKET, 'a.pdf'), 3);
  const found = await reconcileFiles({ at, store, database: cluster.at });
  expect(found).toMatchObject({
    dangling: ['b/lost.pdf'],
    orphaned: ['nobody/knows.pdf'],
    danglingCount: 1,
    orphanedCount: 1,
    differingCount: 3,
  });
  const why = Object.fromEntries(found.differing.map((one) => [one.key, one.why]));
  expect(why).toEqual({
    'a.pdf': 'its row says 16 bytes, it has 3',
    'a/2.pdf': expect.stringContaining('SHA-256'),
    'z.pdf': 'its row says 16 bytes, it has 7',
  });
});

test('a store whose rows are not named cannot be reconciled', async () => {
  const { references: _references, ...without } = store;
  await expect(reconcileFiles({ at, store: without, database: cluster.at })).rejects.toMatchObject({
    name: 'PermanentError',
    code: 'NoReferences',
  });
});

test('the printed commands name the buckets and delete nothing', () => {
  const secondary = regions.east.bucket('copy');
  const printed = [
    ...bucketCommands({ store: { ...store, secondary } }),
    ...restoreObjectsCommands({ store }),
  ].map(({ command }) => command);
  expect(printed.join('\n')).toContain('aws s3 sync s3://copy s3://documents');
  expect(printed.join('\n')).not.toMatch(/--delete|delete-object|secret/);
});

test('a look whether drivers could act tells each that cannot, and fails for none', async () => {
  const versioned = regions.east.bucket('versioned');
  await regions.east.client.send(new CreateBucketCommand({ Bucket: 'versioned' }));
  await regions.east.client.send(
    new PutBucketVersioningCommand({ Bucket: 'versioned', VersioningConfiguration: { Status: 'Enabled' } }),
  );
  const gone = regions.east.bucket('gone');
  const found = await checkReadiness({
    at,
    dns: {},
    objects: {
      good: { ...store, primary: versioned },
      unversioned: store,
      gone: { ...store, primary: versioned, secondary: gone },
    },
    infrastructure: {
      north: {
        driver: 'terraform',
        title: 'servers in the north',
        directory: '/nowhere',
        program: '/nowhere/terraform',
        variables: {},
        secretVariables: {},
        environment: {},
        destroys: 'refused',
        timeout: 1_000,
      },
    },
  });
  expect(found.summary).toBe('not ready: objects.unversioned, objects.gone, infrastructure.north');
  expect(found.checks.map(({ says }) => says)).toEqual([
    expect.stringContaining('keeps versions and is empty'),
    expect.stringContaining('does not keep versions'),
    expect.stringContaining('bucket gone'),
    expect.stringContaining('/nowhere/terraform is not there'),
  ]);
});

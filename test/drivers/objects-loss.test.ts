/** Which kind of loss it is, seen on real stores; and a bucket that is filled while applications write into it. */
import {
  CreateBucketCommand,
  DeleteBucketCommand,
  DeleteObjectCommand,
  GetBucketPolicyCommand,
  GetObjectCommand,
  PutBucketVersioningCommand,
  PutObjectCommand,
} from '@aws-sdk/client-s3';
import { objectsActivities } from '../../activities/objects/index.js';
import type { ObjectStore } from '../../src/runbook/schema.js';
import { withSecondaryInUse } from '../../workflows/steps/objects.js';
import { type Region, type Regions, startRegions } from './support/regions.js';
import { stepOf } from './support/steps.js';

const { assessFiles, makeBucket, syncObjects } = objectsActivities();
const at = stepOf('run-1', 'payymo');
let regions: Regions;
let buckets = 0;

beforeAll(async () => {
  regions = await startRegions();
});
afterAll(() => regions.remove());

async function newStore(): Promise<ObjectStore> {
  buckets += 1;
  const name = `statements-${buckets}`;
  const copy = `${name}-copy`;
  for (const [{ client }, Bucket] of [
    [regions.west, name],
    [regions.east, copy],
  ] as const) {
    await client.send(new CreateBucketCommand({ Bucket }));
    const VersioningConfiguration = { Status: 'Enabled' } as const;
    await client.send(new PutBucketVersioningCommand({ Bucket, VersioningConfiguration }));
  }
  return {
    driver: 's3',
    title: 'Statements',
    component: 'file-storage',
    primary: regions.west.bucket(name),
    secondary: regions.east.bucket(copy),
    parallel: 4,
    cors: [],
    policy:
      '{"Version": "2012-10-17", "Statement": [{"Effect": "Deny", "Principal": "*", "Action": "s3:DeleteObjectVersion", "Resource": "arn:aws:s3:::{{bucket}}/*"}]}',
  };
}

const put = ({ client }: Region, Bucket: string, Key: string, Body: string) =>
  client.send(new PutObjectCommand({ Bucket, Key, Body }));

const read = async ({ client }: Region, Bucket: string, Key: string) =>
  (await client.send(new GetObjectCommand({ Bucket, Key }))).Body?.transformToString();

test('a bucket that is gone is told from one whose files are damaged, and from one that lacks files', async () => {
  const store = await newStore();
  const { primary, secondary = primary } = store;
  const { west, east } = regions;
  for (const key of ['a', 'b', 'c']) await put(east, secondary.bucket, key, `of ${key}`);

  for (const key of ['a', 'b', 'c']) await put(west, primary.bucket, key, `of ${key}`);
  const before = new Date().toISOString();
  await west.client.send(new DeleteObjectCommand({ Bucket: primary.bucket, Key: 'a' }));
  await put(west, primary.bucket, 'b', 'spoilt');
  expect(await assessFiles({ at, store, window: { before, damage: 'changed' } })).toMatchObject({
    kind: 'files-damaged',
    damage: { deleted: 1, overwritten: 1, intact: 1 },
  });
  expect(await assessFiles({ at, store, window: { before, damage: 'deleted' } })).toMatchObject({
    damage: { deleted: 1, overwritten: 0, leftAlone: 1 },
  });
  expect(await assessFiles({ at, store, window: { damage: 'changed' } })).toMatchObject({
    kind: 'bucket-incomplete',
    missing: { missing: 1, differing: 1, same: 1, samples: ['a'] },
  });

  await put(west, primary.bucket, 'a', 'of a');
  await expect(assessFiles({ at, store, window: { damage: 'changed' } })).rejects.toMatchObject({
    code: 'NothingMissing',
    next: expect.stringContaining('--before'),
  });
  const gone: ObjectStore = { ...store, primary: west.bucket('no-such-statements') };
  expect(await assessFiles({ at, store: gone, window: { before, damage: 'changed' } })).toMatchObject({
    kind: 'bucket-lost',
    missing: { missing: 3, bytes: 12, samples: ['a', 'b', 'c'] },
  });
  const { secondary: _none, ...alone } = gone;
  await expect(assessFiles({ at, store: alone, window: { damage: 'changed' } })).rejects.toMatchObject({
    code: 'NoSecondary',
  });
}, 60_000);

test('what applications have written into a bucket made anew stays', async () => {
  const store = await newStore();
  const { primary, secondary = primary } = store;
  const { west, east } = regions;
  await west.client.send(new DeleteBucketCommand({ Bucket: primary.bucket }));
  for (const key of ['a', 'b']) await put(east, secondary.bucket, key, 'the copy');
  await makeBucket({ at, store });
  await put(west, primary.bucket, 'b', 'newer than its copy');
  const filled = await syncObjects({ at, store, from: 'secondary', differing: 'left' });
  expect(filled).toMatchObject({ objects: 2, copied: 1, same: 0, differingLeft: 1 });
  expect(filled.summary).toContain('1 that differ were left');
  expect(await read(west, primary.bucket, 'a')).toBe('the copy');
  expect(await read(west, primary.bucket, 'b')).toBe('newer than its copy');
}, 60_000);

test('the secondary bucket gets a policy of its own when it becomes the one in use', async () => {
  const store = await newStore();
  const { store: there } = withSecondaryInUse({ name: 'statements', store });
  expect(await makeBucket({ at, store: there })).toMatchObject({ made: false, applied: ['policy'] });
  expect(await makeBucket({ at, store: there })).toMatchObject({ applied: [] });
  const { Policy = '' } = await regions.east.client.send(
    new GetBucketPolicyCommand({ Bucket: store.secondary?.bucket }),
  );
  expect(Policy).toContain(`arn:aws:s3:::${store.secondary?.bucket}/*`);
}, 60_000);

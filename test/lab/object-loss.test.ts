/** What the lab does to files is what the activities find, and what they bring back. */
import { CreateBucketCommand, PutBucketVersioningCommand, PutObjectCommand } from '@aws-sdk/client-s3';
import { objectsActivities } from '../../activities/objects/index.js';
import { breakObjects } from '../../lab/break/object-loss.js';
import type { LabState } from '../../lab/state.js';
import type { ObjectStore } from '../../src/runbook/schema.js';
import { type Regions, startRegions } from '../drivers/support/regions.js';
import { stepOf } from '../drivers/support/steps.js';
import { labFolder } from '../support/lab.js';

const { assessFiles, makeBucket, restoreObjects, syncObjects } = objectsActivities();
const at = stepOf('run-1', 'payymo');
const keys = Array.from({ length: 120 }, (_, number) => `statements/${String(number).padStart(4, '0')}.txt`);
let regions: Regions;
let store: ObjectStore;
let state: LabState;

beforeAll(async () => {
  regions = await startRegions();
  const [primary, secondary] = [regions.west.bucket('statements'), regions.east.bucket('statements-copy')];
  for (const [{ client }, { bucket: Bucket }] of [
    [regions.west, primary],
    [regions.east, secondary],
  ] as const) {
    await client.send(new CreateBucketCommand({ Bucket }));
    const VersioningConfiguration = { Status: 'Enabled' } as const;
    await client.send(new PutBucketVersioningCommand({ Bucket, VersioningConfiguration }));
    for (const Key of keys)
      await client.send(new PutObjectCommand({ Bucket, Key, Body: `content of ${Key}` }));
  }
  store = {
    ...{ driver: 's3', title: 'Statements', component: 'file-storage', primary, secondary },
    ...{ parallel: 8, cors: [] },
  };
  state = {
    dir: labFolder(),
    regions: { west: { ...primary, filesBucket: primary.bucket } },
  } as unknown as LabState;
}, 60_000);
afterAll(() => regions.remove());

test('files that are deleted and overwritten come back, and no others are touched', async () => {
  const { startedAt, finishedAt, deleted, overwritten } = await breakObjects(state);
  const window = { before: startedAt, until: finishedAt, damage: 'changed' } as const;
  expect(await assessFiles({ at, store, window })).toMatchObject({
    kind: 'files-damaged',
    damage: {
      deleted: deleted.length,
      overwritten: overwritten.length,
      intact: keys.length - deleted.length - overwritten.length,
    },
  });
  expect(await restoreObjects({ at, store, ...window })).toMatchObject({
    restored: deleted.length + overwritten.length,
    failedCount: 0,
  });
  expect(await assessFiles({ at, store, window })).toMatchObject({ damage: { deleted: 0, overwritten: 0 } });
}, 60_000);

test('a bucket that is deleted with all its versions is made anew and filled', async () => {
  await breakObjects(state, 'bucket');
  expect(await assessFiles({ at, store, window: { damage: 'changed' } })).toMatchObject({
    kind: 'bucket-lost',
    missing: { missing: keys.length },
  });
  expect(await makeBucket({ at, store })).toMatchObject({ made: true });
  const filled = await syncObjects({ at, store, from: 'secondary', differing: 'left' });
  expect(filled).toMatchObject({ copied: keys.length, damagedCount: 0 });
}, 60_000);

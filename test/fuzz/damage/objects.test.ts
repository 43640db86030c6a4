/** Files in object stores with damage at random places of what the store keeps: none comes back as if nothing were. */
import { createHash, randomBytes } from 'node:crypto';
import { rm } from 'node:fs/promises';
import {
  CompleteMultipartUploadCommand,
  CreateBucketCommand,
  CreateMultipartUploadCommand,
  DeleteObjectCommand,
  GetObjectCommand,
  PutBucketVersioningCommand,
  PutObjectCommand,
  UploadPartCommand,
} from '@aws-sdk/client-s3';
import { objectsActivities } from '../../../activities/objects/index.js';
import type { ObjectStore } from '../../../src/runbook/schema.js';
import { type Region, type Regions, startRegions, versionFiles } from '../../drivers/support/regions.js';
import { stepOf } from '../../drivers/support/steps.js';
import { flipped, type Place, randomPlaces, seed } from '../../support/damage.js';
import { cases, counted } from '../effort.js';

const { numRuns: PLACES } = cases(12, 1 / 50);
const LARGE = 4;
const PART = 5 * 1024 * 1024;
const at = stepOf('run-1', 'practice-hub');
const { restoreObjects, syncObjects } = objectsActivities();
let regions: Regions;

beforeAll(async () => {
  regions = await startRegions();
});
afterAll(() => regions?.remove());

async function makeStore(name: string): Promise<ObjectStore> {
  for (const { client } of [regions.west, regions.east]) {
    await client.send(new CreateBucketCommand({ Bucket: name }));
    const VersioningConfiguration = { Status: 'Enabled' } as const;
    await client.send(new PutBucketVersioningCommand({ Bucket: name, VersioningConfiguration }));
  }
  return {
    driver: 's3',
    title: 'Client documents',
    component: 'file-storage',
    primary: regions.west.bucket(name),
    secondary: regions.east.bucket(name),
    parallel: 8,
    cors: [],
  };
}

/** Some small files, and a few that are uploaded in parts. @returns SHA-256 by key */
async function fill({ client }: Region, bucket: string, count: number): Promise<Map<string, string>> {
  const sums = new Map<string, string>();
  for (let index = 0; index < count; index++) {
    const body = randomBytes(1 + ((index * 977) % 30_000));
    const key = `clients/${index}.pdf`;
    await client.send(new PutObjectCommand({ Bucket: bucket, Key: key, Body: body }));
    sums.set(key, sha256(body));
  }
  for (let index = 0; index < LARGE; index++) {
    const body = randomBytes(PART + 1000 + index);
    const key = `scans/${index}.tiff`;
    const upload = await client.send(new CreateMultipartUploadCommand({ Bucket: bucket, Key: key }));
    const of = { Bucket: bucket, Key: key, UploadId: upload.UploadId };
    const parts = [body.subarray(0, PART), body.subarray(PART)].map(async (part, before) => {
      const PartNumber = before + 1;
      const { ETag } = await client.send(new UploadPartCommand({ ...of, PartNumber, Body: part }));
      return { PartNumber, ETag };
    });
    const MultipartUpload = { Parts: await Promise.all(parts) };
    await client.send(new CompleteMultipartUploadCommand({ ...of, MultipartUpload }));
    sums.set(key, sha256(body));
  }
  return sums;
}

async function shaOf({ client }: Region, bucket: string, key: string): Promise<string | undefined> {
  try {
    const { Body } = await client.send(new GetObjectCommand({ Bucket: bucket, Key: key }));
    return sha256(Buffer.from((await Body?.transformToByteArray()) ?? []));
  } catch (error) {
    if ((error as Error).name === 'NoSuchKey') return undefined;
    throw error;
  }
}

const sha256 = (bytes: Buffer) => createHash('sha256').update(bytes).digest('hex');

/** One place in each of the files, over and over until there are enough. */
async function places(
  fileOf: ReadonlyMap<string, string>,
  round: number,
): Promise<ReadonlyMap<string, Place>> {
  const found = new Map<string, Place>();
  for (const [index, [key, file]] of [...fileOf].entries()) {
    const [place] = await randomPlaces([file], 1, round * 10_000 + index);
    if (place !== undefined) found.set(key, place);
  }
  return found;
}

it(`brings no version back in which one bit is wrong, ${PLACES} files`, async () => {
  const store = await makeStore('versions');
  const { bucket } = store.primary;
  const sums = await fill(regions.west, bucket, PLACES);
  const before = await nextMoment();
  const keys = [...sums.keys()];
  for (const key of keys)
    await regions.west.client.send(new DeleteObjectCommand({ Bucket: bucket, Key: key }));
  const files = new Map<string, string>();
  for (const key of keys) files.set(key, (await versionFiles(regions.west, bucket, key))[0] ?? '');
  const order = { at, store, before, damage: 'deleted' as const };
  const bits = await places(files, 1);
  const result = await flipped([...bits.values()], () => restoreObjects(order));
  const where = `--seed ${seed}`;
  expect({ where, restored: result.restored, failed: result.failedCount }).toEqual({
    where,
    restored: 0,
    failed: keys.length,
  });
  for (const { why } of result.failed)
    expect(why).toMatch(/damaged|not what was written|does not have the content/);
  for (const key of keys) {
    expect({ key, there: await shaOf(regions.west, bucket, key) }).toEqual({ key, there: undefined });
    counted(`damage: S3, one bit of a version, uploaded ${key.startsWith('scans') ? 'in parts' : 'whole'}`);
  }

  // A version that is listed and gone is named; the others come back.
  const [gone = ''] = keys;
  await rm(files.get(gone) ?? '');
  const again = await restoreObjects(order);
  expect(again.restored + again.failedCount).toBeGreaterThanOrEqual(keys.length - 1);
  for (const key of keys.slice(1)) {
    expect({ key, sum: await shaOf(regions.west, bucket, key) }).toEqual({ key, sum: sums.get(key) });
  }
  expect(await shaOf(regions.west, bucket, gone)).toBeUndefined();
});

it(`copies nothing from the secondary bucket in which one bit is wrong, ${PLACES} files`, async () => {
  const store = await makeStore('copies');
  const { bucket } = store.primary;
  const sums = await fill(regions.east, bucket, PLACES);
  const files = new Map([...sums.keys()].map((key) => [key, regions.east.fileOf(bucket, key)]));
  const bits = await places(files, 2);
  const result = await flipped([...bits.values()], () => syncObjects({ at, store, from: 'secondary' }));
  const where = `--seed ${seed}`;
  expect({ where, copied: result.copied, damaged: result.damagedCount }).toEqual({
    where,
    copied: 0,
    damaged: sums.size,
  });
  for (const key of sums.keys()) {
    expect(await shaOf(regions.west, bucket, key)).toBeUndefined();
    counted(`damage: S3, one bit of a copy, uploaded ${key.startsWith('scans') ? 'in parts' : 'whole'}`);
  }
  expect(await syncObjects({ at, store, from: 'secondary' })).toMatchObject({
    copied: sums.size,
    damagedCount: 0,
  });
  for (const [key, sum] of sums) {
    expect({ key, sum: await shaOf(regions.west, bucket, key) }).toEqual({ key, sum });
  }
});

it(`finds each wrong bit of what was uploaded in parts, at ${PLACES} places`, async () => {
  const store = await makeStore('parts');
  const { bucket } = store.primary;
  const sums = await fill(regions.east, bucket, 0);
  await fill(regions.west, bucket, 0);
  const before = await nextMoment();
  const keys = [...sums.keys()];
  for (const key of keys) {
    await regions.west.client.send(new DeleteObjectCommand({ Bucket: bucket, Key: key }));
  }
  const copies = new Map(keys.map((key) => [key, regions.east.fileOf(bucket, key)]));
  const versions = new Map<string, string>();
  for (const key of keys) versions.set(key, (await versionFiles(regions.west, bucket, key))[0] ?? '');
  const order = { at, store, before, damage: 'deleted' as const };
  for (let round = 1; (round - 1) * LARGE < PLACES; round++) {
    const where = `--seed ${seed}, round ${round}`;
    const [copied, restored] = await flipped(
      [...(await places(copies, round)).values(), ...(await places(versions, 100 + round)).values()],
      async () => [await syncObjects({ at, store, from: 'secondary' }), await restoreObjects(order)] as const,
    );
    expect({ where, copied: copied.copied, damaged: copied.damagedCount }).toEqual({
      where,
      copied: 0,
      damaged: LARGE,
    });
    expect({ where, restored: restored.restored, failed: restored.failedCount }).toEqual({
      where,
      restored: 0,
      failed: LARGE,
    });
    for (const _ of keys) {
      counted('damage: S3, one bit of a version, uploaded in parts');
      counted('damage: S3, one bit of a copy, uploaded in parts');
    }
  }
  expect(await restoreObjects(order)).toMatchObject({ restored: LARGE, failedCount: 0 });
});

/** Moments in a bucket are exact to the second. */
async function nextMoment(): Promise<string> {
  const moment = Math.floor(Date.now() / 1000) * 1000 + 1000;
  while (Date.now() < moment) await new Promise((resolve) => setTimeout(resolve, moment - Date.now()));
  return new Date(moment).toISOString();
}

import { createHash } from 'node:crypto';
import { truncate } from 'node:fs/promises';
import {
  type CompletedPart,
  CompleteMultipartUploadCommand,
  CreateBucketCommand,
  CreateMultipartUploadCommand,
  DeleteBucketCommand,
  DeleteObjectCommand,
  GetBucketCorsCommand,
  GetBucketPolicyCommand,
  GetBucketVersioningCommand,
  GetObjectCommand,
  ListObjectVersionsCommand,
  PutBucketVersioningCommand,
  PutObjectCommand,
  type S3Client,
  UploadPartCommand,
} from '@aws-sdk/client-s3';
import { MockActivityEnvironment } from '@temporalio/testing';
import { repeatHeartbeat, reportProgress, resumePoint } from '../../activities/context.js';
import { objectsActivities } from '../../activities/objects/index.js';
import type { ObjectStore } from '../../src/runbook/schema.js';
import { flipped } from '../support/damage.js';
import { type Region, type Regions, startRegions, versionFiles } from './support/regions.js';
import { stepOf } from './support/steps.js';

const { assessObjects, restoreObjects, makeBucket, syncObjects } = objectsActivities();
const at = stepOf('run-1', 'practice-hub');
let regions: Regions;
let buckets = 0;

beforeAll(async () => {
  regions = await startRegions();
});
afterAll(() => regions.remove());

/** Two buckets of one name, the one in the west versioned and empty. */
async function newStore(): Promise<ObjectStore> {
  buckets += 1;
  const name = `documents-${buckets}`;
  for (const { client } of [regions.west, regions.east]) {
    await client.send(new CreateBucketCommand({ Bucket: name }));
    await client.send(
      new PutBucketVersioningCommand({ Bucket: name, VersioningConfiguration: { Status: 'Enabled' } }),
    );
  }
  return {
    driver: 's3',
    title: 'Client documents',
    component: 'file-storage',
    primary: regions.west.bucket(name),
    secondary: regions.east.bucket(name),
    parallel: 8,
    cors: [
      {
        origins: ['https://hub.example'],
        methods: ['GET', 'PUT'],
        headers: ['*'],
        expose: ['ETag'],
        maxAge: 600,
      },
    ],
    policy: JSON.stringify({
      Version: '2012-10-17',
      Statement: [
        { Effect: 'Deny', Principal: '*', Action: 's3:DeleteBucket', Resource: `arn:aws:s3:::${name}` },
      ],
    }),
  };
}

async function put(region: Region, bucket: string, key: string, text: string): Promise<void> {
  await region.client.send(
    new PutObjectCommand({
      Bucket: bucket,
      Key: key,
      Body: text,
      ContentType: 'application/pdf',
      CacheControl: 'private',
      Metadata: { owner: encodeURIComponent(key) },
    }),
  );
}

async function read(region: Region, bucket: string, key: string) {
  const answer = await region.client.send(new GetObjectCommand({ Bucket: bucket, Key: key }));
  const { ContentType, CacheControl, Metadata } = answer;
  return { text: await answer.Body?.transformToString(), ContentType, CacheControl, Metadata };
}

const sameHeaders = (key: string) => ({
  ContentType: 'application/pdf',
  CacheControl: 'private',
  Metadata: { owner: encodeURIComponent(key) },
});

async function remove(region: Region, bucket: string, key: string): Promise<void> {
  await region.client.send(new DeleteObjectCommand({ Bucket: bucket, Key: key }));
}

async function versionCount(region: Region, bucket: string, key: string): Promise<number> {
  const { Versions = [] } = await region.client.send(
    new ListObjectVersionsCommand({ Bucket: bucket, Prefix: key }),
  );
  return Versions.length;
}

/** The last part is small. */
async function putInParts(client: S3Client, bucket: string, key: string, content: Buffer): Promise<void> {
  const upload = await client.send(new CreateMultipartUploadCommand({ Bucket: bucket, Key: key }));
  const of = { Bucket: bucket, Key: key, UploadId: upload.UploadId };
  const partBytes = 5 * 1024 * 1024;
  const Parts: CompletedPart[] = [];
  for (let from = 0; from < content.length; from += partBytes) {
    const PartNumber = Parts.length + 1;
    const Body = content.subarray(from, from + partBytes);
    const { ETag } = await client.send(new UploadPartCommand({ ...of, PartNumber, Body }));
    Parts.push({ PartNumber, ETag });
  }
  await client.send(new CompleteMultipartUploadCommand({ ...of, MultipartUpload: { Parts } }));
}

/** Moments in a bucket are exact to the second in S3: waits for the next one by the clock of the store. */
async function nextMoment(): Promise<string> {
  const moment = Math.floor(Date.now() / 1000) * 1000 + 1000;
  while (Date.now() < moment) await new Promise((resolve) => setTimeout(resolve, moment - Date.now()));
  return new Date(moment).toISOString();
}

const keys = (count: number) =>
  Array.from({ length: count }, (_, index) => `clients/${index % 7}/Ä ${index}+&=.pdf`);

async function fill(region: Region, bucket: string, names: readonly string[]): Promise<void> {
  for (let first = 0; first < names.length; first += 20) {
    await Promise.all(
      names.slice(first, first + 20).map((key) => put(region, bucket, key, `content of ${key}`)),
    );
  }
}

describe('files deleted by mistake', () => {
  test('come back as they were, and only those', async () => {
    const store = await newStore();
    const { bucket } = store.primary;
    const { west } = regions;
    const names = keys(60);
    await fill(west, bucket, names);
    const [kept = '', deleted = '', twice = '', overwritten = '', goneBefore = ''] = names;
    await put(west, bucket, twice, 'second version');
    await remove(west, bucket, goneBefore);
    const before = await nextMoment();
    for (const key of [deleted, twice, ...names.slice(30)]) await remove(west, bucket, key);
    await put(west, bucket, overwritten, 'encrypted by an intruder');
    await put(west, bucket, 'clients/new.pdf', 'written after');
    const order = { at, store, before, damage: 'deleted' as const };
    expect(await assessObjects(order)).toMatchObject({
      deleted: 32,
      overwritten: 0,
      leftAlone: 1,
      intact: 28,
    });
    expect(await restoreObjects(order)).toMatchObject({ restored: 32, leftAlone: 1, failedCount: 0 });
    expect(await read(west, bucket, deleted)).toEqual({
      text: `content of ${deleted}`,
      ...sameHeaders(deleted),
    });
    expect(await read(west, bucket, twice)).toMatchObject({ text: 'second version' });
    expect(await read(west, bucket, overwritten)).toMatchObject({ text: 'encrypted by an intruder' });
    expect(await read(west, bucket, 'clients/new.pdf')).toMatchObject({ text: 'written after' });
    await expect(read(west, bucket, goneBefore)).rejects.toMatchObject({ name: 'NoSuchKey' });
    expect(await versionCount(west, bucket, kept)).toBe(1);
    // Done again it changes nothing: no version is added.
    expect(await restoreObjects(order)).toMatchObject({ restored: 0 });
    expect(await versionCount(west, bucket, deleted)).toBe(2);
  }, 60_000);

  test('and overwritten ones where that is asked for, but not what was changed after the damage', async () => {
    const store = await newStore();
    const { bucket } = store.primary;
    const { west } = regions;
    const [encrypted = '', corrected = '', elsewhere = ''] = keys(3);
    await fill(west, bucket, keys(3));
    const before = await nextMoment();
    for (const key of keys(3)) await put(west, bucket, key, 'encrypted');
    const until = await nextMoment();
    await put(west, bucket, corrected, 'corrected by its owner');
    const order = { at, store, before, until, damage: 'changed' as const };
    expect(await restoreObjects({ ...order, prefix: encrypted })).toMatchObject({ restored: 1 });
    expect(await read(west, bucket, encrypted)).toMatchObject({ text: `content of ${encrypted}` });
    expect(await read(west, bucket, elsewhere)).toMatchObject({ text: 'encrypted' });
    expect(await restoreObjects(order)).toMatchObject({ restored: 1, leftAlone: 1, intact: 1 });
    expect(await read(west, bucket, corrected)).toMatchObject({ text: 'corrected by its owner' });
    expect(await read(west, bucket, elsewhere)).toMatchObject({ text: `content of ${elsewhere}` });
    expect(await versionCount(west, bucket, elsewhere)).toBe(3);
  }, 60_000);

  test('are not touched in a bucket without versions', async () => {
    const store = await newStore();
    const bucket = 'unversioned';
    await regions.west.client.send(new CreateBucketCommand({ Bucket: bucket }));
    const primary = { ...store.primary, bucket };
    const order = {
      at,
      store: { ...store, primary },
      before: new Date().toISOString(),
      damage: 'deleted' as const,
    };
    await expect(restoreObjects(order)).rejects.toMatchObject({ code: 'BucketNotVersioned' });
    await expect(restoreObjects({ ...order, at: { ...at, mode: 'drill' } })).rejects.toMatchObject({
      code: 'DrillForbidden',
    });
  });
});

describe('a bucket that is gone', () => {
  test('is made anew with versioning, CORS and policy, and filled from the secondary', async () => {
    const store = await newStore();
    const { bucket } = store.primary;
    const { west, east } = regions;
    const names = keys(200);
    await fill(east, bucket, names);
    await west.client.send(new DeleteBucketCommand({ Bucket: bucket }));
    await expect(syncObjects({ at, store, from: 'secondary' })).rejects.toMatchObject({
      name: 'PermanentError',
      code: 'BucketMissing',
    });
    expect(await makeBucket({ at, store })).toMatchObject({
      made: true,
      applied: ['versioning', 'CORS', 'policy'],
    });
    expect(await makeBucket({ at, store })).toMatchObject({ made: false, applied: [] });
    const of = { Bucket: bucket };
    expect((await west.client.send(new GetBucketVersioningCommand(of))).Status).toBe('Enabled');
    const { CORSRules } = await west.client.send(new GetBucketCorsCommand(of));
    expect(CORSRules).toMatchObject([{ AllowedOrigins: ['https://hub.example'], MaxAgeSeconds: 600 }]);
    expect(JSON.parse((await west.client.send(new GetBucketPolicyCommand(of))).Policy ?? '')).toEqual(
      JSON.parse(store.policy ?? ''),
    );
    expect(await syncObjects({ at, store, from: 'secondary' })).toMatchObject({
      objects: 200,
      copied: 200,
      damagedCount: 0,
      onlyInTarget: 0,
    });
    const [first = ''] = names;
    expect(await read(west, bucket, first)).toEqual({ text: `content of ${first}`, ...sameHeaders(first) });
    expect(await syncObjects({ at, store, from: 'secondary' })).toMatchObject({ copied: 0, same: 200 });
  }, 60_000);

  test('gets what is missing or differs; what only it has stays; what is damaged in the source is named and not copied', async () => {
    const store = await newStore();
    const { bucket } = store.primary;
    const { west, east } = regions;
    const [missing = '', changed = '', truncated = '', same = ''] = keys(4);
    await fill(east, bucket, keys(4));
    await fill(west, bucket, [changed, same]);
    await put(west, bucket, changed, 'another content');
    await put(west, bucket, 'only-here.pdf', 'only here');
    await truncate(east.fileOf(bucket, truncated), 5);
    const result = await syncObjects({ at, store, from: 'secondary' });
    expect(result).toMatchObject({ objects: 4, copied: 2, same: 1, onlyInTarget: 1, damagedCount: 1 });
    expect(result.damaged).toEqual([
      { key: truncated, why: expect.stringContaining('not what was written') },
    ]);
    expect(await read(west, bucket, missing)).toMatchObject({ text: `content of ${missing}` });
    expect(await read(west, bucket, changed)).toMatchObject({ text: `content of ${changed}` });
    expect(await versionCount(west, bucket, changed)).toBe(3);
    expect(await versionCount(west, bucket, same)).toBe(1);
    await expect(read(west, bucket, truncated)).rejects.toMatchObject({ name: 'NoSuchKey' });
  }, 60_000);

  test('gets large files in parts', async () => {
    const store = await newStore();
    const { bucket } = store.primary;
    const large = Buffer.alloc(20 * 1024 * 1024 + 7, 'practice');
    await regions.east.client.send(
      new PutObjectCommand({ Bucket: bucket, Key: 'large.bin', Body: large, Metadata: { owner: 'me' } }),
    );
    expect(await syncObjects({ at, store, from: 'secondary' })).toMatchObject({ copiedBytes: large.length });
    const answer = await regions.west.client.send(new GetObjectCommand({ Bucket: bucket, Key: 'large.bin' }));
    const content = await answer.Body?.transformToByteArray();
    const sha256 = (of: Uint8Array) => createHash('sha256').update(of).digest('hex');
    expect(sha256(content ?? new Uint8Array())).toBe(sha256(large));
    expect(answer.Metadata).toEqual({ owner: 'me' });
  }, 60_000);

  test('gets nothing of a file uploaded in parts in which a bit is wrong; nor does a version of one come back', async () => {
    const store = await newStore();
    const { bucket } = store.primary;
    const content = Buffer.alloc(5 * 1024 * 1024 + 9, 'scan');
    for (const { client } of [regions.west, regions.east])
      await putInParts(client, bucket, 'scan.tiff', content);
    const secondary = { file: regions.east.fileOf(bucket, 'scan.tiff'), bit: 8 * 5 * 1024 * 1024 + 3 };
    const before = await nextMoment();
    await remove(regions.west, bucket, 'scan.tiff');
    await flipped([secondary], async () => {
      const { damaged } = await syncObjects({ at, store, from: 'secondary' });
      expect(damaged).toEqual([{ key: 'scan.tiff', why: expect.stringContaining('not what was written') }]);
    });
    const [version = ''] = await versionFiles(regions.west, bucket, 'scan.tiff');
    const order = { at, store, before, damage: 'deleted' as const };
    await flipped([{ file: version, bit: 77 }], async () => {
      const { restored, failed } = await restoreObjects(order);
      expect({ restored, failed }).toEqual({
        restored: 0,
        failed: [{ key: 'scan.tiff', why: expect.stringContaining('not what was written') }],
      });
    });
    await expect(read(regions.west, bucket, 'scan.tiff')).rejects.toMatchObject({ name: 'NoSuchKey' });
    expect(await restoreObjects(order)).toMatchObject({ restored: 1, failedCount: 0 });
    expect((await read(regions.west, bucket, 'scan.tiff')).text).toBe(content.toString());
  }, 60_000);

  test('is filled by a second attempt from where the first one was', async () => {
    const store = await newStore();
    const { bucket } = store.primary;
    const names = [...keys(40)].sort((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b)));
    await fill(regions.east, bucket, names);
    const after = names[29] ?? '';
    const beats: unknown[] = [];
    const environment = new MockActivityEnvironment({
      heartbeatDetails: {
        resume: {
          ...{ after, objects: 30, copied: 30, copiedBytes: 900, same: 0, onlyInTarget: 0 },
          ...{ damagedCount: 0, damaged: [] },
        },
      },
    });
    environment.on('heartbeat', (details: unknown) => beats.push(details));
    const result = await environment.run(syncObjects, { at, store, from: 'secondary' as const });
    expect(result).toMatchObject({ objects: 40, copied: 40 });
    await expect(read(regions.west, bucket, names[0] ?? '')).rejects.toMatchObject({ name: 'NoSuchKey' });
    expect(await read(regions.west, bucket, names[30] ?? '')).toMatchObject({
      ContentType: 'application/pdf',
    });
    expect(beats.at(-1)).toMatchObject({ done: 40, unit: 'files', resume: { after: names[39], copied: 40 } });
  }, 60_000);
});

test('a sign of life does not wipe out where the next attempt goes on', async () => {
  const resume = { after: 'k' };
  const environment = new MockActivityEnvironment({
    heartbeatDetails: { done: 7, unit: 'files', text: 'copying', resume },
  });
  const beats: unknown[] = [];
  environment.on('heartbeat', (details: unknown) => beats.push(details));
  await environment.run(async () => {
    repeatHeartbeat(environment.context);
    reportProgress({ done: 8, unit: 'files', text: 'copying on' });
    expect(resumePoint()).toEqual(resume);
  });
  expect(beats).toEqual([
    { done: 7, unit: 'files', text: 'copying', resume },
    { done: 8, unit: 'files', text: 'copying on', resume },
  ]);
});

test('a store that is not there is worth a retry, and wrong keys are not', async () => {
  const store = await newStore();
  const order = { at, store, before: new Date().toISOString(), damage: 'deleted' as const };
  process.env.MUSTER_TEST_WRONG_KEY = 'wrong';
  const denied = { ...store.primary, secretAccessKey: 'env:MUSTER_TEST_WRONG_KEY' };
  await expect(assessObjects({ ...order, store: { ...store, primary: denied } })).rejects.toMatchObject({
    name: 'PermanentError',
    code: 'BucketDenied',
  });
  await regions.west.stop();
  await expect(assessObjects(order)).rejects.toMatchObject({
    name: 'TransientError',
    code: 'ObjectStoreUnreachable',
  });
  await regions.west.start();
  expect(await assessObjects(order)).toMatchObject({ deleted: 0 });
});

import { randomBytes } from 'node:crypto';
import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { DeleteObjectCommand, PutBucketVersioningCommand } from '@aws-sdk/client-s3';
import { asItWas } from '../../src/archive/earlier.js';
import { type ArchivePlace, openPlace } from '../../src/archive/place.js';
import type { ArchiveCopy } from '../../src/runbook/schema.js';
import { s3Client } from '../../src/s3.js';
import { temporaryFolder } from '../drivers/support/folder.js';
import { startVault, type TestVault } from '../drivers/support/s3.js';

let vault: TestVault;
let folder: Awaited<ReturnType<typeof temporaryFolder>>;

beforeAll(async () => {
  [vault, folder] = await Promise.all([startVault(), temporaryFolder('places')]);
});
afterAll(async () => {
  await Promise.all([vault.remove(), folder.remove()]);
});

const never = new AbortController().signal;
const copies: Record<'s3' | 'folder', () => ArchiveCopy> = {
  s3: () => ({
    driver: 's3',
    title: 'S3 east',
    failureDomain: 'us-east-1',
    prefix: 'dumps/',
    ...vault.bucket,
  }),
  folder: () => ({
    driver: 'folder',
    title: 'the volume',
    failureDomain: 'office',
    path: join(folder.path, 'kept'),
  }),
};

async function read(place: ArchivePlace, name: string): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of await place.open(name)) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks);
}

describe.each(['s3', 'folder'] as const)('a place of the driver %s', (driver) => {
  it('gives back what was written, lists it, and knows what is missing', async () => {
    const place = await openPlace(copies[driver](), never);
    // More than one part of a multipart upload.
    const large = randomBytes(17 * 1024 * 1024);
    await place.write('payymo/a/large', Readable.from([large.subarray(0, 99), large.subarray(99)]));
    await place.write('payymo/a/small', Readable.from([Buffer.from('row')]));
    await place.write('moneyflow/b', Readable.from([Buffer.from('theirs')]));
    expect((await read(place, 'payymo/a/large')).equals(large)).toBe(true);
    expect((await place.read('payymo/a/small', 3))?.toString()).toBe('row');
    expect([...(await place.list('payymo/'))].sort((a, b) => a.bytes - b.bytes)).toEqual([
      { name: 'payymo/a/small', bytes: 3 },
      { name: 'payymo/a/large', bytes: large.length },
    ]);
    expect(await place.list('nobody/')).toEqual([]);
    expect(await place.read('payymo/a/none', 10)).toBeUndefined();
    await expect(place.open('payymo/a/none')).rejects.toMatchObject({ code: 'ArchiveIncomplete' });
    await expect(place.read('payymo/a/small', 2)).rejects.toMatchObject({ code: 'ArchiveDamaged' });
    place.close();
  });

  it('keeps nothing of a file whose source breaks off', async () => {
    const place = await openPlace(copies[driver](), never);
    const breaking = Readable.from(
      (async function* () {
        yield Buffer.from('half');
        throw new Error('the dump failed');
      })(),
    );
    await expect(place.write('broken/half', breaking)).rejects.toThrow('the dump failed');
    expect(await place.list('broken/')).toEqual([]);
    place.close();
  });

  it('stops when it is told to', async () => {
    const stop = new AbortController();
    const place = await openPlace(copies[driver](), stop.signal);
    const endless = Readable.from(
      (async function* () {
        for (let count = 0; ; count++) {
          yield Buffer.alloc(1024 * 1024);
          if (count === 3) stop.abort(new Error('cancelled'));
        }
      })(),
    );
    await expect(place.write('endless/file', endless)).rejects.toThrow('cancelled');
    place.close();
  });
});

it('goes on with a download that breaks off, and never takes a shorter file for a whole one', async () => {
  const place = await openPlace(copies.s3(), never);
  const content = randomBytes(9 * 1024 * 1024);
  await place.write('resumed', Readable.from([content]));
  const stream = await place.open('resumed');
  const chunks: Buffer[] = [];
  for await (const chunk of stream) {
    if (chunks.length === 0) {
      await vault.stop();
      await vault.start();
    }
    chunks.push(chunk as Buffer);
  }
  expect(Buffer.concat(chunks).equals(content)).toBe(true);
  place.close();
});

it('keeps a folder and its files to itself', async () => {
  const place = await openPlace(copies.folder(), never);
  await place.write('payymo/c/file', Readable.from([Buffer.from('x')]));
  expect((await stat(join(folder.path, 'kept/payymo/c/file'))).mode & 0o777).toBe(0o600);
  expect((await stat(join(folder.path, 'kept'))).mode & 0o777).toBe(0o700);
  place.close();
});

test('a bucket as it was when each archive was made, where it was changed since', async () => {
  const copy = { ...copies.s3(), prefix: 'kept/' };
  const store = await s3Client(vault.bucket, 10_000);
  await store.send(
    new PutBucketVersioningCommand({
      Bucket: vault.bucket.bucket,
      VersioningConfiguration: { Status: 'Enabled' },
    }),
  );
  const now = await openPlace(copy, never);
  const write = (name: string, text: string) => now.write(name, Readable.from([Buffer.from(text)]));
  for (const label of ['overwritten', 'deleted', 'untouched']) {
    await write(`payymo/${label}/part`, `rows of ${label}`);
    await write(`payymo/${label}/manifest.sig`, 'signature');
    await write(`payymo/${label}/manifest.json`, '{}');
  }
  await write('payymo/overwritten/part', 'garbage, and more of it');
  await write('payymo/overwritten/manifest.json', 'garbage');
  await store.send(new DeleteObjectCommand({ Bucket: vault.bucket.bucket, Key: 'kept/payymo/deleted/part' }));
  const then = await openPlace({ ...copy, earlier: true }, never);
  expect([...(await then.list('payymo/'))].map(({ name }) => name).sort()).toEqual([
    ...['manifest.json', 'manifest.sig', 'part'].map((file) => `payymo/deleted/${file}`),
    ...['manifest.json', 'manifest.sig', 'part'].map((file) => `payymo/overwritten/${file}`),
  ]);
  expect((await read(then, 'payymo/overwritten/part')).toString()).toBe('rows of overwritten');
  expect((await then.read('payymo/overwritten/manifest.json', 10))?.toString()).toBe('{}');
  expect((await read(then, 'payymo/deleted/part')).toString()).toBe('rows of deleted');
  await expect(then.open('payymo/untouched/part')).rejects.toMatchObject({ code: 'ArchiveIncomplete' });
  await expect(then.write('payymo/new', Readable.from(['x']))).rejects.toThrow('only read');
  for (const place of [now, then]) place.close();
  store.destroy();
});

test('of the second in which an archive was made the version that was written with it is meant', () => {
  const version = (name: string, versionId: string, atMs: number) => ({
    ...{ name: `payymo/a/${name}`, versionId, atMs },
    ...{ bytes: 1, isLatest: false },
  });
  const found = asItWas('payymo/a', [
    version('manifest.json', 'spoilt', 2_000),
    version('manifest.json', 'good', 2_000),
    version('manifest.sig', 'good', 2_000),
    version('part', 'spoilt', 3_000),
    version('part', 'second attempt', 1_500),
    version('part', 'first attempt', 1_000),
    version('table', 'spoilt', 2_000),
    version('table', 'good', 2_000),
  ]);
  expect(found.map(({ versionId }) => versionId)).toEqual(['good', 'good', 'second attempt', 'good']);
  expect(asItWas('payymo/a', [version('part', 'alone', 1_000)])).toEqual([]);
  // Dated by when they were replaced, parts after the manifest.
  const moved = asItWas('payymo/a', [
    version('manifest.json', 'good', 2_000),
    version('manifest.sig', 'good', 2_000),
    version('part', 'spoilt', 3_000),
    version('part', 'good', 3_000),
  ]);
  expect(moved.map(({ versionId }) => versionId)).toEqual(['good', 'good', 'good']);
});

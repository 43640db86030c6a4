/** Buckets of the lab that an intruder with all keys cannot empty, and that pgBackRest can still expire from. */
import {
  CreateBucketCommand,
  DeleteObjectCommand,
  DeleteObjectsCommand,
  GetObjectCommand,
  ListObjectVersionsCommand,
  PutObjectCommand,
} from '@aws-sdk/client-s3';
import { lockBucket, type ObjectStore, withStore } from '../../lab/parts/s3.js';
import { portOf } from '../../lab/ports.js';
import { startVault, type TestVault } from '../drivers/support/s3.js';

let vault: TestVault;
let store: ObjectStore;

beforeAll(async () => {
  vault = await startVault();
  store = {
    region: 'east',
    folder: '',
    port: portOf(vault.bucket.endpoint ?? ''),
    tls: { ca: vault.bucket.caFile ?? '', cert: '', key: '' },
    accessKeyId: 'vault-key',
    secretAccessKey: 'vault-secret',
    program: '',
    logFile: '',
  };
});
afterAll(() => vault.remove());

test('no version can be deleted; by name it goes behind a delete marker, also what was there before the lock', () =>
  withStore(store, async (client) => {
    const Bucket = 'backups';
    await client.send(new CreateBucketCommand({ Bucket }));
    await client.send(new PutObjectCommand({ Bucket, Key: 'old', Body: 'old' }));
    await lockBucket(store, Bucket);
    await lockBucket(store, Bucket);
    for (const Body of ['first', 'second']) {
      await client.send(new PutObjectCommand({ Bucket, Key: 'backup.info', Body }));
    }
    const Objects = [{ Key: 'old' }];
    expect(
      (await client.send(new DeleteObjectsCommand({ Bucket, Delete: { Objects } }))).Errors ?? [],
    ).toEqual([]);
    await expect(client.send(new GetObjectCommand({ Bucket, Key: 'old' }))).rejects.toThrow();
    const { Versions = [] } = await client.send(new ListObjectVersionsCommand({ Bucket }));
    expect(Versions.map(({ Key }) => Key).sort()).toEqual(['backup.info', 'backup.info', 'old']);
    for (const { Key, VersionId } of Versions) {
      const deleting = client.send(new DeleteObjectCommand({ Bucket, Key, VersionId }));
      await expect(deleting).rejects.toMatchObject({ $metadata: { httpStatusCode: 403 } });
    }
  }));

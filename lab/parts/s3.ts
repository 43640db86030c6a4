import { mkdir, readFile } from 'node:fs/promises';
import { request } from 'node:https';
import { networkInterfaces } from 'node:os';
import { join } from 'node:path';
import {
  CreateBucketCommand,
  HeadBucketCommand,
  PutBucketVersioningCommand,
  PutObjectLockConfigurationCommand,
  S3Client,
} from '@aws-sdk/client-s3';
import type { RegionName } from '../layout.js';
import type { TlsFiles } from '../tls.js';
import type { PartSpec } from './part.js';

/** pgBackRest's repository of the ledger. */
export const BACKUP_BUCKET = 'payymo-backups';
/** Muster's tokens: versioned. */
export const VAULT_BUCKET = 'muster-vault';
/** Where journals are anchored: versioned, each object under a lock of its own. */
export const JOURNAL_BUCKET = 'payymo-muster-journal';
/** Payymo's statements, versioned: in use in the west, filled by copying in the east. */
export const FILE_BUCKETS: Readonly<Record<RegionName, string>> = {
  west: 'payymo-statements',
  east: 'payymo-statements-copy',
};
/** Evidence of a breach of a system: each object under a lock of its own. */
export const evidenceBucketOf = (system: string) => `${system}-breach-evidence`;
/** How long nobody can delete what is in a locked bucket. */
const LOCKED_DAYS = 30;
/** Region names as the owners use them. */
export const REGION_CODES: Readonly<Record<RegionName, string>> = { west: 'us-west-2', east: 'us-east-1' };

/** An object store of the lab. */
export interface ObjectStore {
  readonly region: RegionName;
  /** Holds `data` and `versions`. */
  readonly folder: string;
  readonly port: number;
  readonly tls: TlsFiles;
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly program: string;
  readonly logFile: string;
}

/** The S3 server's process; it answers when its health page does, over TLS checked against the lab's authority. */
export async function s3Part(store: ObjectStore): Promise<PartSpec> {
  const data = join(store.folder, 'data');
  const versions = join(store.folder, 'versions');
  await Promise.all([mkdir(data, { recursive: true }), mkdir(versions, { recursive: true })]);
  // Clients look for `localhost`, which may stand for the IPv6 loopback first.
  const addresses = ['127.0.0.1', ...(hasIpv6Loopback() ? ['[::1]'] : [])];
  return {
    name: `s3-${store.region}`,
    command: store.program,
    args: [
      ...addresses.flatMap((address) => ['--port', `${address}:${store.port}`]),
      ...['--region', REGION_CODES[store.region], '--cert', store.tls.cert, '--key', store.tls.key],
      ...['--health', '/health', '--quiet', 'posix', '--versioning-dir', versions, data],
    ],
    env: { ROOT_ACCESS_KEY_ID: store.accessKeyId, ROOT_SECRET_ACCESS_KEY: store.secretAccessKey },
    cwd: store.folder,
    address: endpointOf(store),
    logFile: store.logFile,
    dataDir: store.folder,
    stopSignal: 'SIGKILL',
    deadlineMs: 20_000,
    answers: async () => healthy(store.port, await readFile(store.tls.ca)),
  };
}

/** URL of the store. */
export function endpointOf(store: ObjectStore): string {
  return `https://localhost:${store.port}`;
}

/** Makes the bucket of a system's evidence in the store of a region, unless it is there. */
export function ensureEvidenceBucket(store: ObjectStore, system: string): Promise<void> {
  const Bucket = evidenceBucketOf(system);
  return withStore(store, async (client) => {
    try {
      await client.send(new HeadBucketCommand({ Bucket }));
    } catch {
      await client.send(new CreateBucketCommand({ Bucket, ObjectLockEnabledForBucket: true }));
    }
  });
}

/**
 * From now on no version in the bucket can be deleted before its time. Deleting by name still works, as pgBackRest does when a backup has
 * expired: it leaves the version behind a delete marker.
 */
export function lockBucket(store: ObjectStore, Bucket: string): Promise<void> {
  return withStore(store, async (client) => {
    await client.send(
      new PutBucketVersioningCommand({ Bucket, VersioningConfiguration: { Status: 'Enabled' } }),
    );
    await client.send(
      new PutObjectLockConfigurationCommand({
        Bucket,
        ObjectLockConfiguration: {
          ObjectLockEnabled: 'Enabled',
          Rule: { DefaultRetention: { Mode: 'COMPLIANCE', Days: LOCKED_DAYS } },
        },
      }),
    );
  });
}

/** Makes the lab's buckets. */
export async function makeBuckets(store: ObjectStore): Promise<void> {
  await withStore(store, async (client) => {
    await client.send(new CreateBucketCommand({ Bucket: BACKUP_BUCKET }));
    const files = FILE_BUCKETS[store.region];
    for (const Bucket of [VAULT_BUCKET, JOURNAL_BUCKET, files]) {
      await client.send(new CreateBucketCommand({ Bucket, ObjectLockEnabledForBucket: Bucket !== files }));
      await client.send(
        new PutBucketVersioningCommand({ Bucket, VersioningConfiguration: { Status: 'Enabled' } }),
      );
    }
  });
}

/** Does `work` as the owner of the store. */
export async function withStore<T>(store: ObjectStore, work: (client: S3Client) => Promise<T>): Promise<T> {
  const client = new S3Client({
    endpoint: endpointOf(store),
    region: REGION_CODES[store.region],
    forcePathStyle: true,
    credentials: { accessKeyId: store.accessKeyId, secretAccessKey: store.secretAccessKey },
    requestHandler: { httpsAgent: { ca: await readFile(store.tls.ca) }, requestTimeout: 10_000 },
  });
  try {
    return await work(client);
  } finally {
    client.destroy();
  }
}

function hasIpv6Loopback(): boolean {
  return Object.values(networkInterfaces()).some((list) => list?.some(({ address }) => address === '::1'));
}

function healthy(port: number, ca: Buffer): Promise<void> {
  return new Promise((resolve, reject) => {
    const asked = request(
      { host: 'localhost', port, path: '/health', ca, agent: false, timeout: 2_000 },
      (answer) => {
        answer.resume();
        if (answer.statusCode === 200) resolve();
        else reject(new Error(`the health page answers ${answer.statusCode}`));
      },
    );
    asked.once('timeout', () => asked.destroy(new Error('no answer within 2 s')));
    asked.once('error', reject);
    asked.end();
  });
}

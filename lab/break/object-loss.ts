/** Files of a system are deleted and overwritten by mistake, or their bucket is. */
import { setTimeout as delay } from 'node:timers/promises';
import {
  DeleteBucketCommand,
  DeleteObjectCommand,
  ListObjectsV2Command,
  ListObjectVersionsCommand,
  PutObjectCommand,
  type S3Client,
} from '@aws-sdk/client-s3';
import type { Bucket } from '../../src/runbook/schema.js';
import { s3Client } from '../../src/s3.js';
import { activeSite } from '../clusters.js';
import { LabError } from '../errors.js';
import { layoutOf, REGION_OF } from '../layout.js';
import { filesBucket } from '../parts/payymo.js';
import type { LabState } from '../state.js';

/** `files`: some are deleted and some overwritten; `bucket`: it is emptied, with all versions, and deleted. */
export type ObjectLossKind = 'files' | 'bucket';

/** What the mistake took. Times are this machine's clock, ISO 8601 UTC. */
export interface ObjectLoss {
  readonly kind: ObjectLossKind;
  readonly bucket: string;
  /** Just before the first file: everything until here is good. */
  readonly startedAt: string;
  readonly finishedAt: string;
  readonly deleted: readonly string[];
  readonly overwritten: readonly string[];
}

const REQUEST_MS = 10_000;
const DELETE_EVERY = 7;
const OVERWRITE_EVERY = 11;

/**
 * A clean-up job with a bad rule runs against Payymo's bucket in use.
 *
 * @param state a lab that is up
 * @throws LabError when the bucket holds nothing
 */
export async function breakObjects(state: LabState, kind: ObjectLossKind = 'files'): Promise<ObjectLoss> {
  const region = REGION_OF[await activeSite(layoutOf(state.dir))];
  return loseObjects(filesBucket(state.regions[region]), kind);
}

/** The same against any bucket. @throws LabError when it holds nothing */
export async function loseObjects(bucket: Bucket, kind: ObjectLossKind): Promise<ObjectLoss> {
  const client = await s3Client(bucket, REQUEST_MS);
  try {
    // A version of the same millisecond as the mistake would be taken for a part of it.
    await delay(20);
    const startedAt = new Date().toISOString();
    await delay(20);
    const keys = await keysOf(client, bucket.bucket);
    if (keys.length === 0) {
      throw new LabError(
        `The bucket ${bucket.bucket} holds no files.`,
        'See whether the lab is up and not in the middle of a recovery (muster lab status).',
      );
    }
    const done =
      kind === 'bucket'
        ? await deleteBucket(client, bucket.bucket, keys)
        : await spoilFiles(client, bucket.bucket, keys);
    await delay(20);
    return { kind, bucket: bucket.bucket, startedAt, finishedAt: new Date().toISOString(), ...done };
  } finally {
    client.destroy();
  }
}

type Done = Pick<ObjectLoss, 'deleted' | 'overwritten'>;

async function spoilFiles(client: S3Client, Bucket: string, keys: readonly string[]): Promise<Done> {
  const deleted = keys.filter((_, index) => index % DELETE_EVERY === 0);
  const overwritten = keys.filter((_, index) => index % DELETE_EVERY !== 0 && index % OVERWRITE_EVERY === 0);
  for (const Key of deleted) await client.send(new DeleteObjectCommand({ Bucket, Key }));
  for (const Key of overwritten) {
    await client.send(new PutObjectCommand({ Bucket, Key, Body: 'archived\n', ContentType: 'text/plain' }));
  }
  return { deleted, overwritten };
}

/** S3 deletes no bucket that still holds a version; what is written meanwhile has to go too. */
async function deleteBucket(client: S3Client, Bucket: string, keys: readonly string[]): Promise<Done> {
  for (let attempt = 1; ; attempt++) {
    for (;;) {
      const page = await client.send(new ListObjectVersionsCommand({ Bucket }));
      const all = [...(page.Versions ?? []), ...(page.DeleteMarkers ?? [])];
      for (const { Key, VersionId } of all) {
        await client.send(new DeleteObjectCommand({ Bucket, Key, VersionId }));
      }
      if (page.IsTruncated !== true) break;
    }
    try {
      await client.send(new DeleteBucketCommand({ Bucket }));
      return { deleted: keys, overwritten: [] };
    } catch (error) {
      if (attempt >= 10 || (error as Error).name !== 'BucketNotEmpty') throw error;
    }
  }
}

async function keysOf(client: S3Client, Bucket: string): Promise<string[]> {
  const keys: string[] = [];
  let token: string | undefined;
  do {
    const page = await client.send(new ListObjectsV2Command({ Bucket, ContinuationToken: token }));
    keys.push(...(page.Contents ?? []).flatMap(({ Key }) => Key ?? []));
    token = page.IsTruncated === true ? page.NextContinuationToken : undefined;
  } while (token !== undefined);
  return keys;
}

/** What the places that Muster keeps in S3 have in common: the client of a bucket, its name in words, and what an error says. */
import { readFile } from 'node:fs/promises';
import { S3Client } from '@aws-sdk/client-s3';
import type { Bucket } from './runbook/schema.js';
import { resolveSecret } from './secrets.js';

const CONNECT_MS = 3_000;

/**
 * A client that tries each request once: whoever asks decides about trying again.
 *
 * @param requestMs how long one request may take, milliseconds
 * @throws PermanentError `SecretMissing` for a reference that leads nowhere
 */
export async function s3Client(bucket: Bucket, requestMs: number): Promise<S3Client> {
  const { endpoint, region, pathStyle, caFile, accessKeyId, secretAccessKey } = bucket;
  return new S3Client({
    region,
    forcePathStyle: pathStyle,
    maxAttempts: 1,
    // For bodies above 2 MB the client would ask first, over a connection that knows nothing of `caFile`.
    expectContinueHeader: false,
    requestHandler: {
      connectionTimeout: Math.min(CONNECT_MS, requestMs),
      requestTimeout: requestMs,
      ...(caFile === undefined ? {} : { httpsAgent: { ca: await readFile(caFile) } }),
    },
    ...(endpoint === undefined ? {} : { endpoint }),
    ...(accessKeyId === undefined || secretAccessKey === undefined
      ? {}
      : {
          credentials: {
            accessKeyId: await resolveSecret(accessKeyId),
            secretAccessKey: await resolveSecret(secretAccessKey),
          },
        }),
  });
}

/** In words, for errors: `bucket muster-vault at https://...`. */
export function bucketTitle(bucket: Bucket): string {
  return `bucket ${bucket.bucket} at ${bucket.endpoint ?? `Amazon S3, ${bucket.region}`}`;
}

/** HTTP status of what S3 answered; undefined when it did not answer. */
export function s3Status(error: unknown): number | undefined {
  return (error as { $metadata?: { httpStatusCode?: number } }).$metadata?.httpStatusCode;
}

/** S3's own word for an error, for instance `NoSuchKey`. */
export function s3ErrorName(error: unknown): string | undefined {
  return (error as { name?: string }).name;
}

/** The vault as a key-value store that can create an object only once: S3 with conditional puts. */
import { GetObjectCommand, ListObjectsV2Command, PutObjectCommand, type S3Client } from '@aws-sdk/client-s3';
import { messageOf, PermanentError, TransientError } from '../../src/errors.js';
import type { Bucket } from '../../src/runbook/schema.js';
import { bucketTitle, s3Client, s3ErrorName, s3Status } from '../../src/s3.js';

/** What Muster asks of the place where its tokens are. Reads see every write that was answered before them. */
export interface Vault {
  /** In words, for errors: `bucket muster-vault at https://...`. */
  readonly title: string;
  /** Makes the object. False: there is one under this key already, and it was left as it is. */
  create(key: string, body: string): Promise<boolean>;
  read(key: string): Promise<string | undefined>;
  /** All keys that begin with the prefix, sorted. */
  list(prefix: string): Promise<readonly string[]>;
}

/** One request; the whole of an activity is a handful of them. */
const REQUEST_MS = 10_000;

/**
 * Opens the vault, hands it to `work` and closes it whatever happens. Nothing is retried here: Temporal retries the activity.
 * Creating once rests on `If-None-Match: *`, which S3 refuses with 412 while an object is there
 * (Amazon S3 User Guide, "Conditional writes").
 *
 * @param signal ends every request when it is aborted
 * @throws PermanentError `VaultDenied`, `VaultMissing`; TransientError `VaultUnreachable`; what `work` throws otherwise
 */
export async function withVault<T>(
  bucket: Bucket,
  signal: AbortSignal,
  work: (vault: Vault) => Promise<T>,
): Promise<T> {
  const client = await s3Client(bucket, REQUEST_MS);
  try {
    return await work(s3Vault(client, bucket, signal));
  } finally {
    client.destroy();
  }
}

function s3Vault(client: S3Client, bucket: Bucket, signal: AbortSignal): Vault {
  const Bucket = bucket.bucket;
  const title = bucketTitle(bucket);
  const limits = () => ({ abortSignal: AbortSignal.any([signal, AbortSignal.timeout(REQUEST_MS)]) });

  async function ask<T>(request: () => Promise<T>): Promise<T> {
    try {
      return await request();
    } catch (error) {
      signal.throwIfAborted();
      throw vaultError(title, error);
    }
  }

  return {
    title,
    create: (key, body) =>
      ask(async () => {
        try {
          await client.send(
            new PutObjectCommand({
              Bucket,
              Key: key,
              Body: body,
              ContentType: 'application/json',
              IfNoneMatch: '*',
            }),
            limits(),
          );
          return true;
        } catch (error) {
          if (s3Status(error) === 412) return false;
          throw error;
        }
      }),
    read: (key) =>
      ask(async () => {
        try {
          const answer = await client.send(new GetObjectCommand({ Bucket, Key: key }), limits());
          return await answer.Body?.transformToString('utf-8');
        } catch (error) {
          if (s3ErrorName(error) === 'NoSuchKey') return undefined;
          throw error;
        }
      }),
    list: (prefix) =>
      ask(async () => {
        const keys: string[] = [];
        let after: string | undefined;
        do {
          const page = await client.send(
            new ListObjectsV2Command({ Bucket, Prefix: prefix, ContinuationToken: after }),
            limits(),
          );
          keys.push(...(page.Contents ?? []).flatMap(({ Key }) => (Key === undefined ? [] : [Key])));
          after = page.IsTruncated === true ? page.NextContinuationToken : undefined;
        } while (after !== undefined);
        return keys.sort();
      }),
  };
}

function vaultError(title: string, error: unknown): Error {
  const status = s3Status(error);
  if (status === 404) {
    return new PermanentError('VaultMissing', `The vault, ${title}, is not there.`, {
      next: 'Correct vault in the runbook or create the bucket (with versioning), then retry the step.',
      cause: error,
    });
  }
  if (status === 401 || status === 403) {
    return new PermanentError('VaultDenied', `The vault, ${title}, refuses Muster: ${messageOf(error)}.`, {
      next: 'Check the keys that vault in the runbook refers to, their rights, and the clock of this machine; then retry the step.',
      cause: error,
    });
  }
  return new TransientError(
    'VaultUnreachable',
    `The vault, ${title}, does not answer: ${messageOf(error)}.`,
    {
      next: 'Nothing is fenced, promoted or cut over without it. The step tries again by itself; restore the way to it, or wait.',
      cause: error,
    },
  );
}

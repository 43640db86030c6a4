/** The bucket that anchors are kept in: nothing in it can be changed or deleted before its time (object lock). */
import { createHash } from 'node:crypto';
import {
  GetObjectCommand,
  GetObjectRetentionCommand,
  ListObjectsV2Command,
  ListObjectVersionsCommand,
  PutObjectCommand,
} from '@aws-sdk/client-s3';
import { messageOf, PermanentError, TransientError } from '../errors.js';
import type { Anchor } from '../runbook/schema.js';
import { bucketTitle, s3Client, s3ErrorName, s3Status } from '../s3.js';
import { versionPages } from '../s3-versions.js';

/** One version of an object. Whoever may write can put a newer version on top, or hide it; the locked one stays. */
export interface AnchorVersion {
  readonly key: string;
  readonly versionId: string;
  readonly newest: boolean;
  /** A delete marker: the object is hidden, what is below it is still there. */
  readonly deleted: boolean;
}

export interface AnchorText {
  readonly text: string;
  /** ISO 8601; undefined: this version is under no lock in compliance mode. */
  readonly lockedUntil: string | undefined;
}

export interface AnchorBucket {
  /** In words, for errors: `bucket payymo-muster-journal at https://...`. */
  readonly title: string;
  /** Makes the object, locked. False: there is one under this key already, and it was left as it is. */
  create(key: string, body: string): Promise<boolean>;
  /** Makes a further version of an object, locked as well. */
  createOver(key: string, body: string): Promise<void>;
  /** Every version of every object under the prefix, oldest first of each. */
  versions(prefix: string): Promise<readonly AnchorVersion[]>;
  read(version: AnchorVersion): Promise<AnchorText>;
  /** What follows the prefix, up to the next slash. */
  folders(prefix: string): Promise<readonly string[]>;
  close(): void;
}

/**
 * Opens the bucket. A request is tried once. Objects are made with `If-None-Match: *`, a SHA-256 checksum (Amazon S3
 * demands one for an object that is locked) and a lock in compliance mode (Amazon S3 User Guide, "Object Lock").
 *
 * @param requestMs how long one request may take, milliseconds
 * @throws PermanentError `AnchorMissing`, `AnchorDenied`, `AnchorNotLocked`; TransientError `AnchorUnreachable`
 */
export async function openAnchorBucket(anchor: Anchor, requestMs: number): Promise<AnchorBucket> {
  const client = await s3Client(anchor, requestMs);
  const Bucket = anchor.bucket;
  const title = bucketTitle(anchor);
  const limits = () => ({ abortSignal: AbortSignal.timeout(requestMs) });
  const ask = async <T>(request: () => Promise<T>): Promise<T> => {
    try {
      return await request();
    } catch (error) {
      throw anchorError(title, error);
    }
  };

  const retentionOf = async (key: string, versionId: string) => {
    try {
      const answer = await client.send(
        new GetObjectRetentionCommand({ Bucket, Key: key, VersionId: versionId }),
        limits(),
      );
      return answer.Retention;
    } catch (error) {
      // 400 and 404: the object, or the bucket, knows of no lock.
      if (s3Status(error) === 404 || s3Status(error) === 400) return undefined;
      throw error;
    }
  };

  const put = (key: string, body: string, condition: { readonly IfNoneMatch?: '*' }) =>
    client.send(
      new PutObjectCommand({
        Bucket,
        Key: key,
        Body: body,
        ContentType: 'application/json',
        ...condition,
        ChecksumSHA256: createHash('sha256').update(body).digest('base64'),
        ObjectLockMode: 'COMPLIANCE',
        ObjectLockRetainUntilDate: new Date(Date.now() + anchor.lockFor),
      }),
      limits(),
    );

  return {
    title,
    create: (key, body) =>
      ask(async () => {
        try {
          await put(key, body, { IfNoneMatch: '*' });
          return true;
        } catch (error) {
          if (s3Status(error) === 412) return false;
          throw error;
        }
      }),
    createOver: (key, body) => ask(async () => void (await put(key, body, {}))),
    versions: (prefix) =>
      ask(async () => {
        const found: AnchorVersion[] = [];
        const pages = versionPages((from) =>
          client.send(new ListObjectVersionsCommand({ Bucket, Prefix: prefix, ...from }), limits()),
        );
        for await (const page of pages) {
          const one =
            (deleted: boolean) =>
            (version: {
              Key?: string | undefined;
              VersionId?: string | undefined;
              IsLatest?: boolean | undefined;
            }): AnchorVersion => ({
              key: version.Key ?? '',
              versionId: version.VersionId ?? 'null',
              newest: version.IsLatest === true,
              deleted,
            });
          // Both lists come newest first.
          found.unshift(
            ...[
              ...(page.Versions ?? []).map(one(false)),
              ...(page.DeleteMarkers ?? []).map(one(true)),
            ].reverse(),
          );
        }
        return found;
      }),
    read: ({ key, versionId }) =>
      ask(async () => {
        const answer = await client.send(
          new GetObjectCommand({ Bucket, Key: key, VersionId: versionId }),
          limits(),
        );
        const text = (await answer.Body?.transformToString('utf-8')) ?? '';
        // Not every S3 server says it with the object.
        const lock =
          answer.ObjectLockMode === undefined
            ? await retentionOf(key, versionId)
            : { Mode: answer.ObjectLockMode, RetainUntilDate: answer.ObjectLockRetainUntilDate };
        const locked = lock?.Mode === 'COMPLIANCE' ? lock.RetainUntilDate : undefined;
        return { text, lockedUntil: locked?.toISOString() };
      }),
    folders: (prefix) =>
      ask(async () => {
        const found: string[] = [];
        let after: string | undefined;
        do {
          const page = await client.send(
            new ListObjectsV2Command({ Bucket, Prefix: prefix, Delimiter: '/', ContinuationToken: after }),
            limits(),
          );
          found.push(
            ...(page.CommonPrefixes ?? []).flatMap(({ Prefix }) =>
              Prefix === undefined ? [] : [Prefix.slice(prefix.length, -1)],
            ),
          );
          after = page.IsTruncated === true ? page.NextContinuationToken : undefined;
        } while (after !== undefined);
        return found.sort();
      }),
    close: () => client.destroy(),
  };
}

function anchorError(title: string, error: unknown): Error {
  const status = s3Status(error);
  if (status === 404) {
    return new PermanentError('AnchorMissing', `The ${title}, where the journal is anchored, is not there.`, {
      next: 'Correct anchor in the runbook, or create the bucket with object lock; what is to be anchored waits.',
      cause: error,
    });
  }
  if (status === 401 || status === 403) {
    return new PermanentError(
      'AnchorDenied',
      `The ${title}, where the journal is anchored, refuses Muster: ${messageOf(error)}.`,
      {
        next: 'Check the keys that anchor in the runbook refers to, their rights, and the clock of this machine; what is to be anchored waits.',
        cause: error,
      },
    );
  }
  if (status === 400 && /lock/i.test(`${s3ErrorName(error)} ${messageOf(error)}`)) {
    return new PermanentError('AnchorNotLocked', `The ${title} locks no objects: ${messageOf(error)}.`, {
      next: 'Name a bucket that was created with object lock in anchor of the runbook; what is to be anchored waits.',
      cause: error,
    });
  }
  return new TransientError(
    'AnchorUnreachable',
    `The ${title}, where the journal is anchored, does not answer: ${messageOf(error)}.`,
    { next: 'What is to be anchored waits in a spool and follows by itself.', cause: error },
  );
}

/** The bucket of the evidence: what is put there can neither be changed nor deleted before its time, by nobody. */
import { createHash } from 'node:crypto';
import { HeadObjectCommand, PutObjectCommand } from '@aws-sdk/client-s3';
import { messageOf, PermanentError, TransientError } from '../../src/errors.js';
import type { Anchor } from '../../src/runbook/schema.js';
import { bucketTitle, s3Client, s3ErrorName, s3Status } from '../../src/s3.js';

/** One object as it lies there. */
export interface Locked {
  readonly key: string;
  readonly sha256: string;
  readonly bytes: number;
  /** Of this very version; null: the store keeps none. */
  readonly versionId: string | null;
  /** ISO 8601. */
  readonly lockedUntil: string;
}

export interface EvidenceBucket {
  readonly title: string;
  /**
   * Puts an object under a lock in compliance mode (Amazon S3 User Guide, "Object Lock"). One that is there already with the same
   * content and a lock is left: an earlier attempt put it there.
   */
  put(key: string, body: Buffer, contentType?: string): Promise<Locked>;
}

/** A part of the pack over a slow line. */
const REQUEST_MS = 10 * 60_000;

/**
 * Opens the bucket, hands it to `work` and closes it whatever happens.
 *
 * @param requestMs how long one request may take, milliseconds
 * @throws PermanentError `EvidenceDenied`, `EvidenceMissing`, `EvidenceNotLocked`; TransientError `EvidenceUnreachable`
 */
export async function withEvidence<T>(
  evidence: Anchor,
  signal: AbortSignal,
  work: (bucket: EvidenceBucket) => Promise<T>,
  requestMs: number = REQUEST_MS,
): Promise<T> {
  const client = await s3Client(evidence, requestMs);
  const Bucket = evidence.bucket;
  const title = bucketTitle(evidence);
  const limits = () => ({ abortSignal: AbortSignal.any([signal, AbortSignal.timeout(requestMs)]) });

  const there = async (key: string) => {
    try {
      return await client.send(new HeadObjectCommand({ Bucket, Key: key }), limits());
    } catch (error) {
      if (s3Status(error) === 404) return undefined;
      throw error;
    }
  };

  const put = async (key: string, body: Buffer, contentType: string): Promise<Locked> => {
    const digest = createHash('sha256').update(body).digest();
    const sha256 = digest.toString('hex');
    const object = { key, sha256, bytes: body.length };
    const found = await there(key);
    const until = found?.ObjectLockRetainUntilDate;
    if (found?.Metadata?.sha256 === sha256 && found.ContentLength === body.length && until !== undefined) {
      return { ...object, versionId: found.VersionId ?? null, lockedUntil: until.toISOString() };
    }
    const lockedUntil = new Date(Date.now() + evidence.lockFor);
    lockedUntil.setMilliseconds(0);
    const made = await client.send(
      new PutObjectCommand({
        Bucket,
        Key: key,
        Body: body,
        ContentType: contentType,
        Metadata: { sha256 },
        ChecksumSHA256: digest.toString('base64'),
        ObjectLockMode: 'COMPLIANCE',
        ObjectLockRetainUntilDate: lockedUntil,
      }),
      limits(),
    );
    return { ...object, versionId: made.VersionId ?? null, lockedUntil: lockedUntil.toISOString() };
  };

  try {
    return await work({
      title,
      put: async (key, body, contentType = 'application/octet-stream') => {
        try {
          return await put(key, body, contentType);
        } catch (error) {
          signal.throwIfAborted();
          throw evidenceError(title, error);
        }
      },
    });
  } finally {
    client.destroy();
  }
}

function evidenceError(title: string, error: unknown): Error {
  const status = s3Status(error);
  const again = 'then retry the step. The quarantined cluster stays as it is meanwhile.';
  if (status === 404) {
    return new PermanentError('EvidenceMissing', `The ${title} for evidence is not there.`, {
      next: `Make it with object lock, or correct scenarios.breach.evidence in the runbook, ${again}`,
      cause: error,
    });
  }
  if (status === 400 || s3ErrorName(error) === 'InvalidRequest') {
    return new PermanentError(
      'EvidenceNotLocked',
      `The ${title} takes nothing under a lock: ${messageOf(error)}.`,
      {
        why: 'It was made without object lock.',
        next: `Name one that was made with object lock (scenarios.breach.evidence), ${again}`,
        cause: error,
      },
    );
  }
  if (status === 401 || status === 403) {
    return new PermanentError('EvidenceDenied', `The ${title} refuses Muster: ${messageOf(error)}.`, {
      next: `Check the keys that scenarios.breach.evidence refers to, and their rights, ${again}`,
      cause: error,
    });
  }
  return new TransientError('EvidenceUnreachable', `The ${title} does not answer: ${messageOf(error)}.`, {
    next: 'The step tries again by itself; restore the way to it, or wait.',
    cause: error,
  });
}

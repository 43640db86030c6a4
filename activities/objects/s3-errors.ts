/** What an object store answers, as errors that say what to do. */
import { messageOf, PermanentError, TransientError } from '../../src/errors.js';
import { s3ErrorName, s3Status } from '../../src/s3.js';

/** What the store will not do however often it is asked; everything else may pass. */
const REFUSALS = new Set([
  ...['InvalidRequest', 'InvalidArgument', 'EntityTooLarge', 'KeyTooLongError', 'MalformedPolicy'],
  ...['MethodNotAllowed', 'NotImplemented', 'NoSuchKey', 'NoSuchVersion'],
]);

/** @param title of the store, in words */
export function storeError(title: string, error: unknown): Error {
  if (messageOf(error).startsWith('Checksum mismatch')) {
    return new PermanentError('ContentDamaged', `The ${title} gives other bytes than it took.`, {
      why: 'The checksum that was kept with the object does not fit its content.',
      next: 'Take the file from another copy.',
      cause: error,
    });
  }
  if (error instanceof PermanentError || error instanceof TransientError) return error;
  const status = s3Status(error);
  if (s3ErrorName(error) === 'NoSuchBucket') {
    return new PermanentError('BucketMissing', `The ${title} is not there.`, {
      why: 'It was deleted, or the runbook names another one.',
      next: 'Make the bucket anew (the recovery of a lost bucket does) or correct objects in the runbook, then retry the step.',
      cause: error,
    });
  }
  if (status === 401 || status === 403) {
    return new PermanentError('BucketDenied', `The ${title} refuses Muster: ${messageOf(error)}.`, {
      next: 'Check the keys that objects in the runbook refers to, their rights, and the clock of this machine; then retry the step.',
      cause: error,
    });
  }
  if (REFUSALS.has(s3ErrorName(error) ?? '')) {
    return new PermanentError('StoreRefused', `The ${title} does not do it: ${messageOf(error)}.`, {
      next: 'Do it by hand as the printed runbook says, or correct objects in the runbook; then retry the step.',
      cause: error,
    });
  }
  return new TransientError(
    'ObjectStoreUnreachable',
    `The ${title} does not answer as it should: ${messageOf(error)}.`,
    { next: 'The step tries again by itself and goes on where it was.', cause: error },
  );
}

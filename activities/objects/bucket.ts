/** A bucket as the runbook wants it: there, versioned, with its CORS rules and its policy. */
import { isDeepStrictEqual } from 'node:util';
import { PermanentError } from '../../src/errors.js';
import { policyOf } from '../../src/runbook/bucket-policy.js';
import type { ObjectStore } from '../../src/runbook/schema.js';
import type { BucketMade } from '../contract.js';
import type { BucketDriver } from './driver.js';

/**
 * Makes the bucket where it is missing and sets what differs. What the runbook does not name is left as it is.
 *
 * @throws PermanentError `BucketTaken`, `BucketDenied`; TransientError `ObjectStoreUnreachable`
 */
export async function makeBucket(bucket: BucketDriver, store: ObjectStore): Promise<BucketMade> {
  const made = !(await bucket.exists());
  if (made) await bucket.create();
  const applied: string[] = [];
  // Before anything is written: the first object has a version as well.
  if (!(await bucket.isVersioned())) {
    await bucket.switchOnVersioning();
    applied.push('versioning');
  }
  const now = await bucket.configuration();
  const cors = store.cors.length > 0 && !isDeepStrictEqual(store.cors, now.cors);
  const wanted = policyOf(store);
  const policy = wanted !== undefined && !samePolicy(wanted, now.policy);
  await bucket.configure({ cors: cors ? store.cors : [], policy: policy ? wanted : undefined });
  if (cors) applied.push('CORS');
  if (policy) applied.push('policy');
  const set = applied.length === 0 ? 'everything was set as it should be' : `set: ${applied.join(', ')}`;
  return { made, applied, summary: `${bucket.title} ${made ? 'made anew' : 'is there'}; ${set}` };
}

function samePolicy(wanted: string, now: string | undefined): boolean {
  return now !== undefined && isDeepStrictEqual(JSON.parse(wanted), JSON.parse(now));
}

/** Nothing is written over what has no versions. @throws PermanentError `BucketNotVersioned` */
export async function requireVersioning(bucket: BucketDriver): Promise<void> {
  if (await bucket.isVersioned()) return;
  throw new PermanentError('BucketNotVersioned', `The ${bucket.title} does not keep versions.`, {
    why: 'What is deleted or overwritten there is gone.',
    next: 'Switch versioning on (the step that makes a lost bucket does), then retry the step.',
  });
}

/** @throws what the driver throws; PermanentError `BucketNotVersioned` */
export async function lookAt(bucket: BucketDriver): Promise<string> {
  await requireVersioning(bucket);
  const { value } = await bucket.list(undefined).next();
  return `${bucket.title} keeps versions and ${value === undefined || value.length === 0 ? 'is empty' : 'can be read'}`;
}

/** Buckets of an S3-compatible object store. */
import { z } from 'zod';
import { bucketFields } from '../bucket.js';
import { duration, failureDomain } from '../fields.js';

/** An S3-compatible bucket. */
export const bucket = z.strictObject(bucketFields);

export const vault = bucket.extend({ failureDomain });

export const anchor = bucket.extend({
  failureDomain,
  lockFor: duration.describe(
    'How long an anchor can neither be changed nor deleted (object lock, compliance mode)',
  ),
});

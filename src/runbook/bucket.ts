/** An S3-compatible bucket, as every section of a runbook writes it. */
import { z } from 'zod';
import { absolutePath, endpoint, secretRef, text } from './fields.js';

export const bucketFields = {
  endpoint: endpoint.optional().describe('Left out for Amazon S3'),
  region: text,
  bucket: z.string().min(3),
  pathStyle: z.boolean().default(false).describe('Bucket in the path instead of the host name'),
  caFile: absolutePath.optional().describe('Certificate authority of the endpoint'),
  accessKeyId: secretRef.optional().describe('A reference. Left out: the default credential chain'),
  secretAccessKey: secretRef.optional(),
};

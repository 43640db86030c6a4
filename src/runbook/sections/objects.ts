/** Files in object stores. */
import { z } from 'zod';
import { duration, failureDomain, identifier, name, seconds, tableName, text } from '../fields.js';
import { bucket } from './buckets.js';

const objectBucket = bucket.extend({ failureDomain });

const corsRule = z.strictObject({
  origins: z.array(text).min(1),
  methods: z.array(z.enum(['GET', 'PUT', 'POST', 'DELETE', 'HEAD'])).min(1),
  headers: z.array(text).default([]),
  expose: z.array(text).default([]),
  maxAge: seconds.optional().describe('Seconds that a browser may keep the answer'),
});

/** Files in an object store, and the copy that they come back from. */
export const objectStore = z.strictObject({
  driver: z.literal('s3'),
  title: text,
  component: name.describe('The component that the files belong to'),
  primary: objectBucket.describe('The bucket that applications use; its versions bring deleted files back'),
  secondary: objectBucket.optional().describe('The bucket that a lost one is filled from again'),
  syncedEvery: duration
    .optional()
    .describe(
      'How often what is new is copied to the secondary one: what the loss of the primary one loses at most',
    ),
  retention: z.array(text).optional().describe('What is kept how long, in words'),
  parallel: z.number().int().min(1).max(64).default(8).describe('Objects copied at once'),
  cors: z.array(corsRule).default([]).describe('What a new bucket allows to pages of other origins'),
  policy: text
    .refine(isJsonObject, 'a bucket policy as JSON')
    .optional()
    .describe('The bucket policy of a new bucket, as JSON; {{bucket}} in it is the name of the bucket'),
  references: z
    .strictObject({
      table: tableName,
      key: identifier.describe("Column that holds the object's key; rows without one are left out"),
      bytes: identifier.optional().describe('Column with the size of the file'),
      sha256: identifier
        .optional()
        .describe('Column with the SHA-256 of the content, in hexadecimal: every file is read for it'),
    })
    .optional()
    .describe('The rows that name the files: both are reconciled after a recovery'),
});

function isJsonObject(given: string): boolean {
  try {
    const value: unknown = JSON.parse(given);
    return typeof value === 'object' && value !== null && !Array.isArray(value);
  } catch {
    return false;
  }
}

/** Logical backups: `pg_dump` archives, encrypted and signed, kept in folders and buckets. */
import { z } from 'zod';
import { bucketFields } from './bucket.js';
import {
  absolutePath,
  ageRecipient,
  duration,
  ed25519PublicKey,
  failureDomain,
  identifier,
  name,
  objectPrefix,
  secretRef,
  text,
} from './fields.js';

const place = {
  title: text,
  failureDomain,
};

/** A place that holds whole archives. */
export const archiveCopy = z.discriminatedUnion('driver', [
  z.strictObject({
    driver: z.literal('s3'),
    ...place,
    ...bucketFields,
    prefix: objectPrefix.default('').describe('Before the name of the system: empty, or ending with /'),
    lockFor: duration
      .optional()
      .describe(
        'Each object is written under object lock in compliance mode, for so long; the bucket must have been made with object lock. Left out: as the bucket does by default',
      ),
  }),
  z.strictObject({
    driver: z.literal('folder'),
    ...place,
    path: absolutePath.describe('Made with mode 0700, its files with 0600'),
  }),
]);

const sum = z.strictObject({
  title: text,
  sql: text.describe('One query that returns one value; read with the dump, compared after a restore'),
});

export const archiveBackup = z.strictObject({
  driver: z.literal('archive'),
  database: identifier.optional().describe("Left out: the site's"),
  content: z
    .enum(['full', 'schema', 'data'])
    .default('full')
    .describe('Incremental does not exist: pg_dump always reads all of it'),
  layout: z
    .enum(['directory', 'custom'])
    .default('directory')
    .describe("pg_dump's format. `directory` is dumped and restored in parallel, `custom` by one process"),
  jobs: z.number().int().min(1).max(64).default(2).describe('Parallel jobs of pg_dump and pg_restore'),
  compression: z
    .number()
    .int()
    .min(0)
    .max(9)
    .optional()
    .describe('Level of gzip. Left out: 9 below 100 MB of database, 6 up to 1 GB, 3 above'),
  copies: z.array(archiveCopy).min(1).describe('Every copy, preferred one first'),
  recipients: z
    .array(ageRecipient)
    .min(1)
    .describe('Public keys of age that can read the archives; several while keys are rotated'),
  identities: z
    .array(secretRef)
    .default([])
    .describe('Their private keys, by reference; needed where archives are read'),
  signingKey: secretRef
    .optional()
    .describe('Ed25519 private key, PEM, by reference; needed where archives are made'),
  signers: z
    .array(ed25519PublicKey)
    .min(1)
    .describe('Public keys that an archive may be signed with; several while keys are rotated'),
  check: z
    .enum(['read', 'restore'])
    .default('read')
    .describe('After writing: read everything again, or restore it into a database that is then dropped'),
  largestBytes: z.number().int().min(1).optional().describe('An archive that is larger is refused'),
  sums: z.record(name, sum).default({}).describe('Values that must be the same after a restore'),
  takenEvery: duration.optional().describe('How often an archive is made: what it loses at most'),
  schedule: z.array(text).default([]).describe('What the owner takes and when, in words'),
  retention: z.array(text).default([]).describe('What is kept how long, in words'),
});

export type ArchiveBackup = z.output<typeof archiveBackup>;
export type ArchiveCopy = z.output<typeof archiveCopy>;

/** Physical backups and archived WAL. */
import { z } from 'zod';
import { duration, failureDomain, text } from '../fields.js';

const repository = z.strictObject({
  number: z.number().int().min(1).max(256).describe('repoN in the pgBackRest configuration'),
  title: text,
  failureDomain,
  cipher: z.enum(['aes-256-cbc', 'none']).optional().describe("pgBackRest's repoN-cipher-type"),
});

export const pgbackrestBackup = z.strictObject({
  driver: z.literal('pgbackrest'),
  stanza: text,
  repositories: z.array(repository).min(1).describe('Every copy, preferred one first'),
  processes: z.number().int().min(1).max(64).describe('Parallel processes for restore and backup'),
  walArchivedWithin: duration
    .optional()
    .describe('When a commit is in the archive at the latest: archive_timeout plus the transfer'),
  schedule: z.array(text).default([]).describe('What the owner takes and when, in words'),
  retention: z.array(text).default([]).describe('What is kept how long, in words'),
});

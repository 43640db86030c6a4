/** Somebody was in: back to the newest moment before that, in a clean site, with new credentials. */
import { z } from 'zod';
import { absolutePath, identifier, name, secretFile, secretRef, tableName, text } from '../../fields.js';
import { anchor } from '../buckets.js';
import { commandFields } from '../commands.js';
import { gate } from '../gates.js';
import { budgets, ledRecord, otherTargets, restored } from './shared.js';

const baseline = z.strictObject({
  roles: z.array(identifier).min(1).describe('Every role that belongs there'),
  superusers: z.array(identifier).min(1).describe('Those of them that are superusers'),
  schemas: z.array(identifier).min(1).describe('Schemas with tables of the owner'),
  extensions: z.array(text).default([]).describe('Beside plpgsql'),
  functions: z
    .array(
      z.strictObject({
        name: text.describe('schema.function(types of its arguments), as pg_get_function_identity_arguments'),
        sha256: z
          .string()
          .regex(/^[0-9a-f]{64}$/, 'a SHA-256 in hexadecimal')
          .optional()
          .describe('Of its body (pg_proc.prosrc). Left out: any body will do'),
      }),
    )
    .default([])
    .describe('Functions and procedures of the owner; those of extensions are known'),
  triggers: z.array(text).default([]).describe('schema.table.trigger; also: event trigger NAME'),
  others: z
    .array(text)
    .default([])
    .describe(
      'What else belongs there: "database NAME", "publication NAME", "subscription NAME", "server NAME"',
    ),
  randomColumns: z
    .array(text)
    .default([])
    .describe('schema.table.column that looks like chance by nature: signatures, tokens, ciphertext'),
});

const renewed = z.strictObject({
  newPassword: secretFile.describe(
    'Where the new password is written; the file must not be there before. The old one is what sites say',
  ),
});

const credentials = z.strictObject({
  admin: renewed.describe("Muster's own login"),
  application: renewed,
  replication: renewed.optional(),
  others: z
    .array(z.strictObject({ user: identifier, oldPassword: secretRef, newPassword: secretFile }))
    .default([])
    .describe('Further logins. A role that is named nowhere here keeps no password'),
});

const rotation = z.strictObject({
  title: text.describe('What is exchanged, for instance "keys of the payment processor"'),
  ...commandFields,
  proof: z
    .strictObject(commandFields)
    .optional()
    .describe('Tries the old one and ends with 0 only when it was refused. Left out: nothing proves it dead'),
});

export const breach = z.strictObject({
  ...restored,
  damaged: name.describe('Site of the primary that the intruder was in'),
  target: name.describe('Clean site: the copy is built there and takes over'),
  otherTargets,
  backup: name.describe('One of `backups`'),
  repositories: z
    .array(z.number().int().min(1))
    .min(1)
    .optional()
    .describe(
      'Where pgbackrest makes the backup: numbers of those repositories that the intruder could not change: locked, with keys of their own',
    ),
  copies: z
    .array(z.number().int().min(1))
    .min(1)
    .optional()
    .describe(
      'Where the backup is archives: numbers of those copies, from 1 in their order, that are buckets with versions under object lock. They are read as they were before the intruder',
    ),
  backupConfig: absolutePath
    .optional()
    .describe(
      "pgBackRest's configuration at the clean site, with these repositories alone and keys that the old primary never had. Left out: that of the site",
    ),
  record: ledRecord,
  application: name.describe('One of `applications`: stopped, tried on the copy, deployed anew, validated'),
  stopApplication: z
    .strictObject(commandFields)
    .optional()
    .describe("Ends the application: what it holds in memory may be the intruder's. Left out: people do"),
  baseline: baseline.describe('What belongs into the database: everything else is a sign of the intruder'),
  credentials,
  rotations: z.array(rotation).default([]).describe('Credentials that are no logins of the database'),
  evidence: anchor.describe('Bucket with object lock, elsewhere: evidence goes there'),
  tables: z
    .array(tableName)
    .default([])
    .describe('Whose content is looked at. Left out: every table of the schemas of the baseline'),
  gates: z.strictObject({
    isolate: gate.describe('Before the application is stopped and the primary fenced'),
    point: gate.describe('The moment to go back to'),
    security: gate.describe(
      'Before the point of no return; with a second factor where anybody who decides has an authenticator',
    ),
  }),
  budgets,
});

export type BreachSection = z.output<typeof breach>;

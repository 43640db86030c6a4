/** After a recovery to an earlier point: what was written after it, and is sound, is carried over. */
import { z } from 'zod';
import { duration, httpPath, name, secretRef, text } from '../../fields.js';
import { gate } from '../gates.js';
import { budgets } from './shared.js';

const salvageTable = z.strictObject({
  table: text.describe('schema.table'),
  title: text.describe('What its rows are, for people'),
  key: text.describe('Column that identifies a row, before and after'),
  sql: text.describe(
    'One query for the rows written at or after $1 (timestamptz), in the order in which they are entered again. Columns: key (text), refused (text: why a row is not sound; null: it is), and whatever `enter` takes',
  ),
  parameters: z.array(secretRef).default([]).describe('Secrets for $2, $3 ... of the query, by reference'),
  timeout: duration.prefault('10 min'),
  enter: z
    .strictObject({
      method: z.enum(['POST', 'PUT']),
      path: httpPath.describe('{{column}} becomes the value of that column'),
      body: z
        .record(z.string(), z.union([z.string(), z.number(), z.boolean()]))
        .describe('JSON body; the text {{column}} alone becomes the value of that column, with its type'),
      expectStatus: z
        .array(z.number().int().min(200).max(299))
        .min(1)
        .describe('Answers with which the row is in; entering it twice must be harmless'),
    })
    .describe('The function of the application by which a row is entered anew'),
});

export const salvage = z.strictObject({
  component: name.describe('The component whose data it is'),
  backup: name.describe('One of `backups`: what holds the log of the damaged primary up to its end'),
  damaged: name
    .optional()
    .describe(
      'Site of the damaged primary: where dumps are all there is, its quarantine holds what it had written last',
    ),
  at: z
    .array(name)
    .min(1)
    .describe('Sites at which the new primary may be; the one that takes writes is found'),
  application: name.describe('One of `applications`: rows are entered through it'),
  tables: z.array(salvageTable).min(1).describe('What is carried over, in this order'),
  gates: z.strictObject({ salvage: gate.describe('Before anything is entered') }),
  budgets,
});

export type SalvageSection = z.output<typeof salvage>;
export type SalvageTable = z.output<typeof salvageTable>;

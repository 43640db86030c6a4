/** Rows of chosen tables are wrong: they come back from a copy while the rest of the database stays live. */
import { z } from 'zod';
import { name, text } from '../../fields.js';
import { gate } from '../gates.js';
import { budgets } from './shared.js';

const chosenTable = z.strictObject({
  table: text.describe('schema.table; it has a primary key'),
  stays: z
    .array(text)
    .default([])
    .describe('Columns that are left as they are in the live database, because they go on changing'),
  afterwards: z
    .array(z.strictObject({ title: text, sql: text.describe('One statement that changes this table only') }))
    .default([])
    .describe('What puts derived columns right once the rows are back, in the same transaction'),
});

export const corruptedTables = z.strictObject({
  component: name.describe('The component whose data it is'),
  live: name.describe('Site of the primary, which goes on serving'),
  target: name.describe('Site with room for the private copy that the rows are taken from'),
  backup: name.describe('One of `backups`'),
  tables: z.array(chosenTable).min(1).describe('What may be brought back by itself'),
  gates: z.strictObject({ tables: gate.describe('Before rows are replaced in the live database') }),
  budgets,
});

export type CorruptedTablesSection = z.output<typeof corruptedTables>;
export type ChosenTable = z.output<typeof chosenTable>;

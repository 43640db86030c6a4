/** What must be back when, and how much of it may be lost. */
import { z } from 'zod';
import { duration, endpoint, identifier, name, tableName, text } from '../fields.js';

export const component = z.strictObject({
  rto: duration.describe('How long this part may be away'),
  dependsOn: z.array(name).default([]).describe('Components without which this one does not work'),
  note: text.optional(),
});

/** Where acknowledgements outside the database can be read, to count what a recovery lost. */
const acknowledged = z.strictObject({
  driver: z.literal('http-ndjson'),
  url: endpoint.describe('Answers ?since=ISO&until=ISO with one JSON object a line: {id, at, ...}'),
});

export const dataClass = z.strictObject({
  rpo: duration.describe('How much of the newest data may be lost'),
  component: name.describe('The component that holds it'),
  table: tableName.describe('schema.table that is counted'),
  key: identifier.describe('Column that identifies a record'),
  time: identifier.describe('timestamptz column that says when the record was last written'),
  acknowledged: acknowledged
    .optional()
    .describe('A record outside the database of what was acknowledged to users'),
});

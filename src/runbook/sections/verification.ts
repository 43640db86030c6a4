/** What must hold in the data. */
import { z } from 'zod';
import { duration, name, secretRef, text } from '../fields.js';

/** A query that returns the rows which break the rule: none means that it holds. */
export const invariant = z.strictObject({
  name,
  title: text.describe('The rule, as a sentence that is true when it holds'),
  sql: text.describe('One query that returns the rows which break the rule'),
  parameters: z.array(secretRef).default([]).describe('Secrets for $1, $2 ... of the query, by reference'),
  timeout: duration.prefault('10 min'),
});

/** What has to be made before a system can run at another site. */
import { z } from 'zod';
import { absolutePath, duration, identifier, secretRef, text } from '../fields.js';
import { commandFields, environment } from './commands.js';

/** What has to be made before a system can run at another site. */
export const infrastructure = z.discriminatedUnion('driver', [
  z.strictObject({
    driver: z.literal('terraform'),
    title: text,
    directory: absolutePath.describe('The root module'),
    program: text.default('terraform').describe('`terraform`, `tofu`, or a path to either'),
    variables: z.record(identifier, z.union([z.string(), z.number(), z.boolean()])).default({}),
    secretVariables: z.record(identifier, secretRef).default({}),
    environment,
    destroys: z
      .enum(['refused', 'shown'])
      .default('refused')
      .describe('What becomes of a plan that deletes or replaces something'),
    timeout: duration.prefault('60 min'),
  }),
  z.strictObject({
    title: text,
    ...commandFields,
    check: z
      .array(text)
      .min(1)
      .optional()
      .describe('Program and arguments that look whether it could be done, and change nothing'),
  }),
]);

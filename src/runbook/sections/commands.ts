/** Programs of the owner's. */
import { z } from 'zod';
import { absolutePath, duration, text } from '../fields.js';

export const environment = z
  .record(z.string().regex(/^[A-Za-z_][A-Za-z0-9_]*$/, 'the name of an environment variable'), z.string())
  .default({})
  .describe('Beside PATH, LANG and HOME. Secrets by reference');

/** A program of the owner's: see docs/provisioning.md for what it is told and what it answers. */
export const commandFields = {
  driver: z.literal('command'),
  command: z.array(text).min(1).describe('Program and arguments; no secrets'),
  directory: absolutePath.default('/').describe('Where it is started'),
  environment,
  timeout: duration.prefault('30 min'),
};

/** What the sections of several scenarios have in common. */
import { z } from 'zod';
import { duration, name } from '../../fields.js';

/** What every recovery of a database names. */
export const restored = {
  component: name.describe('The component whose RTO is the target of the run'),
  restores: z
    .array(name)
    .min(1)
    .describe('Every component that is back when the run has validated the service'),
};
export const ledRecord = name.describe('One of `dns`: the record that leads applications to the database');
export const budgets = z
  .record(name, duration)
  .default({})
  .describe('Step -> budget, where it differs from the scenario');
export const otherTargets = z
  .array(name)
  .default([])
  .describe('Sites that a person may choose instead, while nothing is promoted');

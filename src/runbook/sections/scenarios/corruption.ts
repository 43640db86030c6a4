/** The newest data is bad: back to the newest good moment. */
import { z } from 'zod';
import { name } from '../../fields.js';
import { gate } from '../gates.js';
import { budgets, ledRecord, otherTargets, restored } from './shared.js';

export const corruption = z.strictObject({
  ...restored,
  damaged: name.describe('Site of the damaged primary'),
  target: name.describe('Site that the recovered copy is built at'),
  otherTargets,
  backup: name.describe('One of `backups`'),
  record: ledRecord,
  application: name.describe('One of `applications`: what is tried on the copy and validated at the end'),
  gates: z.strictObject({
    point: gate.describe('Before the primary is fenced'),
    promote: gate.describe('Before the point of no return'),
  }),
  budgets,
});

export type CorruptionSection = z.output<typeof corruption>;

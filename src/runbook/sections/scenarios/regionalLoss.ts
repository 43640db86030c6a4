/** The region of the primary is lost: the other region from its own copies only. */
import { z } from 'zod';
import { name } from '../../fields.js';
import { gate } from '../gates.js';
import { budgets, ledRecord, otherTargets, restored } from './shared.js';

export const regionalLoss = z.strictObject({
  ...restored,
  lost: name.describe('Site of the primary whose region is lost'),
  target: name.describe('Site in another region that the new primary is built at'),
  otherTargets,
  backup: name.describe('One of `backups`; only what of it lies outside of the lost region is read'),
  infrastructure: name
    .optional()
    .describe('One of `infrastructure`: made in the other region first. Left out: it stands'),
  files: z
    .array(name)
    .default([])
    .describe('Of `objects`: the secondary buckets of these become the ones in use'),
  record: ledRecord,
  application: name.describe('One of `applications`: tried on the copy, deployed, and validated at the end'),
  gates: z.strictObject({
    point: gate.describe('Before the lost region is given up and its primary fenced'),
    promote: gate.describe('Before the point of no return'),
  }),
  budgets,
});

export type RegionalLossSection = z.output<typeof regionalLoss>;

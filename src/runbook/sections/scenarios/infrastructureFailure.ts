/** The server of the primary is gone: what was archived, on another one. */
import { z } from 'zod';
import { name } from '../../fields.js';
import { gate } from '../gates.js';
import { budgets, ledRecord, otherTargets, restored } from './shared.js';

export const infrastructureFailure = z.strictObject({
  ...restored,
  lost: name.describe('Site of the primary whose server is gone'),
  target: name.describe('Site that the new primary is built at'),
  otherTargets,
  backup: name.describe('One of `backups`: the newest one and all WAL that was archived are restored'),
  record: ledRecord,
  application: name.describe(
    'One of `applications`: tried on the copy, brought up, and validated at the end',
  ),
  gates: z.strictObject({
    point: gate.describe('Before the lost primary is fenced'),
    promote: gate.describe('Before the point of no return'),
  }),
  budgets,
});

export type InfrastructureFailureSection = z.output<typeof infrastructureFailure>;

/** The zone of the primary is lost: its standby takes over. */
import { z } from 'zod';
import { identifier, name } from '../../fields.js';
import { gate } from '../gates.js';
import { budgets, ledRecord, restored } from './shared.js';

export const azLoss = z.strictObject({
  ...restored,
  lost: name.describe('Site of the primary whose zone is lost'),
  standby: name.describe('Site of the streaming standby in another zone: it takes over'),
  newStandby: z
    .strictObject({
      site: name.describe('A free site: neither the lost one nor that of the standby'),
      slot: identifier.describe('Replication slot on the new primary'),
    })
    .optional()
    .describe('Where the new primary gets a standby of its own. Left out: none is built'),
  backup: name.describe('One of `backups`: the archive that the standby catches up from'),
  record: ledRecord,
  application: name.describe(
    'One of `applications`: tried on the standby, brought up, and validated at the end',
  ),
  gates: z.strictObject({
    failover: gate.describe('Before the primary is fenced and the standby cut off from it'),
    promote: gate.describe('Before the point of no return'),
  }),
  budgets,
});

export type AzLossSection = z.output<typeof azLoss>;

/** The system was moved by a recovery and goes home: a planned switchover without loss. */
import { z } from 'zod';
import { identifier, name } from '../../fields.js';
import { gate } from '../gates.js';
import { budgets, ledRecord, restored } from './shared.js';

export const failback = z.strictObject({
  ...restored,
  home: name.describe('Site that the system goes back to: the one with the role primary'),
  from: name.describe('Site where the system runs since it was moved; asked of record, vault and server'),
  otherFrom: z
    .array(name)
    .default([])
    .describe('Other sites that a recovery may have moved it to: the one that the record leads to is left'),
  slot: identifier
    .optional()
    .describe('Replication slot of the standby, on either side; of archives there is none'),
  backup: name.describe(
    'One of `backups`. pgbackrest: a standby is built at home and takes over. archive: writes are stopped, and a last archive is loaded at home',
  ),
  record: ledRecord,
  application: name.describe('One of `applications`: tried on the copy at home, and validated at the end'),
  gates: z.strictObject({
    switchover: gate.describe('Before the service is interrupted, and before the point of no return'),
  }),
  budgets,
});

export type FailbackSection = z.output<typeof failback>;

/** The primary's provider is out: the hot standby at another one, else backup and restore there. */
import { z } from 'zod';
import { duration, name } from '../../fields.js';
import { gate } from '../gates.js';
import { budgets, ledRecord, otherTargets, restored } from './shared.js';

export const providerOutage = z.strictObject({
  ...restored,
  lost: name.describe(
    'Site of the primary whose provider is out; its failure domain begins with the provider',
  ),
  standby: z
    .strictObject({
      site: name.describe('Site of the streaming standby at another provider: it takes over where it is fit'),
      maxLag: duration.describe(
        'How far it may lie behind what was acknowledged or is known of the primary; beyond that a backup is proposed',
      ),
    })
    .optional()
    .describe('Left out: there is none, and a backup is restored'),
  target: name.describe('Site at another provider that a backup is restored at'),
  otherTargets,
  backup: name.describe('One of `backups`; only what of it lies with other providers is read'),
  infrastructure: name
    .optional()
    .describe('One of `infrastructure`: made at the other provider first. Left out: it stands'),
  files: z
    .array(name)
    .default([])
    .describe('Of `objects`: the secondary buckets of these become the ones in use'),
  record: ledRecord,
  application: name.describe('One of `applications`: tried on the copy, deployed, and validated at the end'),
  gates: z.strictObject({
    point: gate.describe('Before the provider is given up and the primary there fenced'),
    promote: gate.describe('Before the point of no return'),
  }),
  budgets,
});

export type ProviderOutageSection = z.output<typeof providerOutage>;

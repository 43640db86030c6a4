/** The usual copies are all bad: every copy anywhere, in the order of least loss. */
import { z } from 'zod';
import { name } from '../../fields.js';
import { gate } from '../gates.js';
import { budgets, ledRecord, restored } from './shared.js';

export const backupLoss = z.strictObject({
  ...restored,
  damaged: name.describe('Site of the damaged primary: its own files are tried as well'),
  standby: name.optional().describe('Site of a streaming standby: it is copied, and stays as it is'),
  target: name.describe('Site where copies are tried, and where the one that is sound takes over'),
  backup: name.describe(
    'One of `backups`: each of its backups in each repository or copy is tried, and every archive of `backups` besides',
  ),
  record: ledRecord,
  application: name.describe('One of `applications`: tried on the copies, and validated at the end'),
  gates: z.strictObject({
    point: gate.describe('Before the damaged primary is fenced: shows every copy and what it loses'),
    promote: gate.describe('Before the point of no return'),
  }),
  budgets,
});

export type BackupLossSection = z.output<typeof backupLoss>;

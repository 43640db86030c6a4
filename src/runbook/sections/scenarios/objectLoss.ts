/** Files were deleted or overwritten by mistake, or their bucket is lost. */
import { z } from 'zod';
import { name } from '../../fields.js';
import { gate } from '../gates.js';
import { budgets } from './shared.js';

export const objectLoss = z.strictObject({
  component: name.describe('The component whose RTO is the target of the run'),
  restores: z.array(name).min(1).describe('Every component that is back when rows and files were reconciled'),
  store: name.describe('One of `objects`: where the files are'),
  database: name.describe('Site of the database whose rows name the files'),
  gates: z.strictObject({
    files: gate.describe('Before anything is written into the bucket in use'),
  }),
  budgets,
});

export type ObjectLossSection = z.output<typeof objectLoss>;

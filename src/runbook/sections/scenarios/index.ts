/** Every scenario that a runbook may have a section for; one file each. */
import { z } from 'zod';
import { azLoss } from './azLoss.js';
import { backupLoss } from './backupLoss.js';
import { badDeployment } from './badDeployment.js';
import { breach } from './breach.js';
import { corruptedTables } from './corruptedTables.js';
import { corruption } from './corruption.js';
import { failback } from './failback.js';
import { infrastructureFailure } from './infrastructureFailure.js';
import { objectLoss } from './objectLoss.js';
import { providerOutage } from './providerOutage.js';
import { regionalLoss } from './regionalLoss.js';
import { salvage } from './salvage.js';

export const scenarios = z.strictObject({
  corruption: corruption.optional().describe('The newest data is bad: back to the newest good moment'),
  azLoss: azLoss.optional().describe('The zone of the primary is lost: its standby takes over'),
  infrastructureFailure: infrastructureFailure
    .optional()
    .describe('The server of the primary is gone: newest backup and all archived WAL, on another one'),
  objectLoss: objectLoss.optional().describe('Files are lost: versions from before, or the bucket anew'),
  regionalLoss: regionalLoss
    .optional()
    .describe('The region of the primary is lost: the other region from its own copies only'),
  providerOutage: providerOutage
    .optional()
    .describe('The provider of the primary is out: its standby or the backups at another one'),
  backupLoss: backupLoss
    .optional()
    .describe('The usual copies are all bad: every copy anywhere, in the order of least loss'),
  badDeployment: badDeployment
    .optional()
    .describe('A release is bad: back to the last good one, with the database where the release migrated it'),
  failback: failback.optional().describe('Home again after a recovery moved the system, without loss'),
  breach: breach
    .optional()
    .describe('Somebody was in: back to before that, in a clean site, with new credentials'),
  corruptedTables: corruptedTables
    .optional()
    .describe('Rows of chosen tables are wrong: they come back while the rest stays live'),
  salvage: salvage
    .optional()
    .describe('After a recovery to an earlier point: what was written after it and is sound is carried over'),
});

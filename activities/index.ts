/** Everything that workflows can ask for, composed from one folder a kind. */
import { keepLost } from '../src/store/recorder.js';
import { assessActivities } from './assess/index.js';
import { backupActivities } from './backup/index.js';
import type { MusterActivities } from './contract.js';
import { copiesActivities } from './copies/index.js';
import { credentialsActivities } from './credentials/index.js';
import { custodyActivities } from './custody/index.js';
import { deployActivities } from './deploy/index.js';
import { startActivities } from './deploy/start.js';
import { dnsActivities } from './dns/index.js';
import { failbackActivities } from './failback/index.js';
import { fenceActivities } from './fence/index.js';
import { intrusionActivities } from './intrusion/index.js';
import { appendJournal, keepRun } from './journal/append.js';
import { readProgress } from './look.js';
import { lossActivities } from './loss/index.js';
import { notifyActivities } from './notify/index.js';
import { objectsActivities } from './objects/index.js';
import { outageActivities } from './outage/index.js';
import { pointActivities } from './point/index.js';
import { preserveActivities } from './preserve/index.js';
import { promoteActivities } from './promote/index.js';
import { proofActivities } from './proof/index.js';
import { provisionActivities } from './provision/index.js';
import { checkReadiness } from './readiness.js';
import { releaseActivities } from './release/index.js';
import { writeReport } from './report/write.js';
import { restoreActivities } from './restore/index.js';
import { salvageActivities } from './salvage/index.js';
import { standbyActivities } from './standby/index.js';
import { tablesActivities } from './tables/index.js';
import { validateActivities } from './validate/index.js';
import { verifyActivities } from './verify/index.js';

export function createActivities(): MusterActivities {
  return {
    ...assessActivities(),
    ...pointActivities(),
    ...fenceActivities(),
    ...preserveActivities(),
    ...provisionActivities(),
    ...restoreActivities(),
    ...releaseActivities(),
    ...verifyActivities(),
    ...standbyActivities(),
    ...failbackActivities(),
    ...copiesActivities(),
    ...startActivities(),
    ...promoteActivities(),
    ...dnsActivities(),
    ...deployActivities(),
    ...objectsActivities(),
    ...outageActivities(),
    ...validateActivities(),
    ...lossActivities({ keepLost }),
    ...salvageActivities(),
    ...tablesActivities(),
    ...backupActivities(),
    ...intrusionActivities(),
    ...custodyActivities(),
    ...credentialsActivities(),
    ...proofActivities(),
    ...notifyActivities(),
    checkReadiness,
    appendJournal,
    keepRun,
    writeReport,
    readProgress,
    nothing: async () => ({ summary: 'nothing' }),
  };
}

import type { MusterActivities } from '../contract.js';
import { stopApplication } from '../deploy/stop.js';
import type { CredentialsActivities } from './contract.js';
import { openPrimary } from './open.js';
import { proveOldDead } from './prove.js';
import { rotateCredentials } from './rotate.js';

/** After a breach: what is old must let nobody in. */
export function credentialsActivities(): Pick<MusterActivities, keyof CredentialsActivities> {
  return { stopApplication, rotateCredentials, proveOldDead, openPrimary };
}

import type { MusterActivities } from '../contract.js';
import type { CustodyActivities } from './contract.js';
import { secureEvidence } from './secure.js';
import { captureState } from './state.js';

/** Evidence is secured. */
export function custodyActivities(): Pick<MusterActivities, keyof CustodyActivities> {
  return { captureState, secureEvidence };
}

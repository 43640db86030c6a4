/** Whether a decision is by whom it says: signatures and codes, judged against the roster. */
import type { MusterActivities } from '../contract.js';
import { verifyProof } from './verify.js';

export function proofActivities(): Pick<MusterActivities, 'verifyProof'> {
  return { verifyProof: verifyProof() };
}

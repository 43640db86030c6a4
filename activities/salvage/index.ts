/** What was written after a recovery point, brought into the recovered system where it is sound. */
import type { MusterActivities } from '../contract.js';
import { carryOver } from './carry.js';
import { endSalvage, findSalvage } from './find.js';

export function salvageActivities(): Pick<MusterActivities, 'findSalvage' | 'endSalvage' | 'carryOver'> {
  return { findSalvage, endSalvage, carryOver };
}

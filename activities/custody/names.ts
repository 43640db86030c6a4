import type { StepRef } from '../contract.js';

/** Where the evidence of a run lies. */
export function prefixOf({ system, runId }: Pick<StepRef, 'system' | 'runId'>): string {
  return `evidence/${system}/${encodeURIComponent(runId)}/`;
}

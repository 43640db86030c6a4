/** The plan that the harness strikes: Payymo's recovery from corruption. */
import { resolve } from 'node:path';
import type { PlanDocument } from '../../src/model/plan.js';
import { loadRunbook } from '../../src/runbook/load.js';
import { corruptionScenario } from '../../workflows/corruption.js';

export async function struckPlan(): Promise<PlanDocument> {
  const { runbook } = await loadRunbook(resolve(__dirname, '../../runbooks/payymo.yaml'));
  return corruptionScenario.buildPlan(runbook).document;
}

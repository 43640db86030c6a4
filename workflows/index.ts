/** Every export is a workflow type; nothing else is exported. */
import type { CorruptionParams, RunInput, RunResult } from '../src/model/run.js';
import type { Runbook } from '../src/runbook/schema.js';
import { corruptionScenario } from './corruption.js';
import { runScenario } from './engine/scenario-workflow.js';

export function corruption(input: RunInput<Runbook, CorruptionParams>): Promise<RunResult> {
  return runScenario(corruptionScenario, input);
}

export { deliverNotice } from './deliver-notice.js';

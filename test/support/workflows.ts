/** Workflow types of the tests: the real ones, and a small scenario that exercises the engine. */

import type { RunInput, RunResult } from '../../src/model/run.js';
import type { Runbook } from '../../src/runbook/schema.js';
import { runScenario } from '../../workflows/engine/scenario-workflow.js';
import { crossedScenario } from './crossed-scenario.js';
import { forkedScenario } from './forked-scenario.js';
import { type ToyParams, toyScenario } from './toy-scenario.js';

export * from '../../workflows/index.js';
export { noticing, watchingTime } from './noticing.js';
export { telling } from './telling-workflow.js';
export { waking } from './waking-workflow.js';

export function toy(input: RunInput<Runbook, ToyParams>): Promise<RunResult> {
  return runScenario(toyScenario, input);
}

export function crossed(input: RunInput<Runbook, ToyParams>): Promise<RunResult> {
  return runScenario(crossedScenario, input);
}

export function forked(input: RunInput<Runbook, ToyParams>): Promise<RunResult> {
  return runScenario(forkedScenario, input);
}

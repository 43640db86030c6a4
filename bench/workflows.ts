/** Workflow types of the benchmarks: a chain of steps that do nothing, and the same activities called bare. */
import { proxyActivities } from '@temporalio/workflow';
import type { MusterActivities } from '../activities/contract.js';
import type { RunInput, RunResult } from '../src/model/run.js';
import type { Runbook } from '../src/runbook/schema.js';
import { runScenario } from '../workflows/engine/scenario-workflow.js';
import { chainScenario } from './chain-scenario.js';

export function chain(input: RunInput<Runbook, Record<string, never>>): Promise<RunResult> {
  return runScenario(chainScenario, input);
}

const bare = proxyActivities<MusterActivities>({ startToCloseTimeout: '1 min', heartbeatTimeout: '10 s' });

/** @param count activities one after another */
export async function bareActivities(count: number): Promise<void> {
  for (let index = 0; index < count; index += 1) {
    await bare.nothing({
      at: { runId: 'bare', system: 'bench', scenario: 'bare', mode: 'drill', step: 'bare' },
    });
  }
}

/** What a step costs when its activity does nothing, beside the same activity called without Muster. */

import { fileURLToPath } from 'node:url';
import { Client, Connection } from '@temporalio/client';
import { DefaultLogger, NativeConnection, Runtime, Worker } from '@temporalio/worker';
import { activityInterceptor } from '../activities/interceptor.js';
import { createLog } from '../src/log.js';
import type { RunInput } from '../src/model/run.js';
import type { Runbook } from '../src/runbook/schema.js';
import { ensureSearchAttributes } from '../src/temporal/search-attributes.js';
import { planHash } from '../workflows/engine/hash.js';
import { CHAIN_LENGTH, chainScenario } from './chain-scenario.js';
import { compare, type Measurement } from './measurement.js';
import type { Settings } from './settings.js';
import { withTemporalServer } from './temporal-server.js';

const TASK_QUEUE = 'bench';

/** What was promised for a step, and what the same activity without Muster took on the machine that it was promised for. */
const LIMIT_MS = 15;
const FLOOR_MS = 10.6;

/** Steps of which each needs the one before, beside the same activities called one after another, in turn. */
export async function measureStep({ runs, say }: Settings): Promise<Measurement> {
  const { steps, bare } = await withTemporalServer((address) => measure(address, runs));
  const measured = compare('step', LIMIT_MS / FLOOR_MS, runs, [
    { name: 'stepMs', values: steps },
    { name: 'bareMs', values: bare },
  ]);
  say(`a step ${measured.raw.stepMs?.toFixed(1)} ms, bare ${measured.raw.bareMs?.toFixed(1)} ms`);
  return { ...measured, raw: { ...measured.raw, limitMs: LIMIT_MS } };
}

interface StepTimes {
  readonly steps: readonly number[];
  readonly bare: readonly number[];
}

const runbook = { system: 'bench', title: 'Benchmark', people: [], scenarios: {} } as unknown as Runbook;

async function measure(address: string, runs: number): Promise<StepTimes> {
  Runtime.install({ logger: new DefaultLogger('ERROR') });
  const connection = await Connection.connect({ address });
  const native = await NativeConnection.connect({ address });
  await ensureSearchAttributes(connection, 'default');
  const began: number[] = [];
  const worker = await Worker.create({
    connection: native,
    taskQueue: TASK_QUEUE,
    workflowsPath: fileURLToPath(new URL('./workflows.js', import.meta.url)),
    activities: {
      nothing: async () => {
        began.push(performance.now());
        return { summary: 'nothing' };
      },
      appendJournal: async () => undefined,
      keepRun: async () => undefined,
      writeReport: async () => ({ summary: 'none' }),
    },
    interceptors: { activity: [activityInterceptor(createLog('bench'))] },
  });
  const client = new Client({ connection });
  const timesOf = async (workflow: string, workflowId: string, argument: unknown): Promise<number[]> => {
    began.length = 0;
    await client.workflow.execute(workflow, { workflowId, taskQueue: TASK_QUEUE, args: [argument] });
    return differences(began);
  };
  const steps: number[] = [];
  const bare: number[] = [];
  await worker.runUntil(async () => {
    for (let run = 0; run <= runs; run += 1) {
      const alone = await timesOf('bareActivities', `bare-${run}`, CHAIN_LENGTH);
      const chain = await timesOf('chain', `chain-${run}`, chainInput(`chain-${run}`));
      // The first of each warms up.
      if (run === 0) continue;
      bare.push(...alone);
      steps.push(...chain);
    }
  });
  await native.close();
  await connection.close();
  return { steps, bare };
}

function chainInput(runId: string): RunInput<Runbook, Record<string, never>> {
  return {
    runId,
    mode: 'drill',
    commander: 'bench',
    requestedBy: 'benchmark',
    detectedAt: new Date().toISOString(),
    planHash: planHash(chainScenario.buildPlan(runbook).document),
    expectations: {},
    params: {},
    runbook,
  };
}

/** Between neighbours. */
export function differences(times: readonly number[]): number[] {
  return times.slice(1).map((time, index) => time - (times[index] ?? time));
}

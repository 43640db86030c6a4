/** What a step costs when its activity does nothing, beside the same activity called without Muster. */

import { fileURLToPath } from 'node:url';
import { Client, Connection } from '@temporalio/client';
import { DefaultLogger, NativeConnection, Runtime, Worker } from '@temporalio/worker';
import { activityInterceptor } from '../activities/interceptor.js';
import { payloadSettings } from '../src/embedded/payload-settings.js';
import { createLog } from '../src/log.js';
import type { RunInput } from '../src/model/run.js';
import type { Runbook } from '../src/runbook/schema.js';
import { dataConverterFor } from '../src/temporal/codec-converter.js';
import { ensureSearchAttributes } from '../src/temporal/search-attributes.js';
import { planHash } from '../workflows/engine/hash.js';
import { CHAIN_LENGTH, chainScenario } from './chain-scenario.js';
import { compare, type Measurement } from './measurement.js';
import type { Settings } from './settings.js';
import { withTemporalServer } from './temporal-server.js';

const TASK_QUEUE = 'bench';
const BARE_TASK_QUEUE = 'bench-bare';

/** What was promised for a step, and what the same activity without Muster took on the machine that it was promised for. */
const LIMIT_MS = 15;
const FLOOR_MS = 10.6;

/** Steps of which each needs the one before, beside the same activities called one after another, in turn. */
export async function measureStep({ runs, say }: Settings): Promise<Measurement> {
  const { steps, bare } = await withTemporalServer(async (address, folder) =>
    measure(address, runs, await payloadSettings(folder, process.env)),
  );
  const measured = compare('step', LIMIT_MS / FLOOR_MS, runs, [
    { name: 'stepMs', values: steps },
    { name: 'bareMs', values: bare },
  ]);
  say(`a step ${measured.raw.stepMs?.toFixed(1)} ms, bare ${measured.raw.bareMs?.toFixed(1)} ms`);
  return { ...measured, raw: { ...measured.raw, limitMs: LIMIT_MS } };
}

type Environment = Readonly<Record<string, string | undefined>>;

interface StepTimes {
  readonly steps: readonly number[];
  readonly bare: readonly number[];
}

const runbook = { system: 'bench', title: 'Benchmark', people: [], scenarios: {} } as unknown as Runbook;

async function measure(address: string, runs: number, env: Environment): Promise<StepTimes> {
  Runtime.install({ logger: new DefaultLogger('ERROR') });
  const connection = await Connection.connect({ address });
  const native = await NativeConnection.connect({ address });
  await ensureSearchAttributes(connection, 'default');
  const began: number[] = [];
  const common = {
    connection: native,
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
  };
  // Muster encrypts what it hands to Temporal; without Muster nobody does.
  const dataConverter = await dataConverterFor(env);
  const [worker, bareWorker] = [
    await Worker.create({ ...common, taskQueue: TASK_QUEUE, dataConverter }),
    await Worker.create({ ...common, taskQueue: BARE_TASK_QUEUE }),
  ];
  const client = new Client({ connection, dataConverter });
  const bareClient = new Client({ connection });
  const timesOf = async (work: Promise<unknown>): Promise<number[]> => {
    began.length = 0;
    await work;
    return differences(began);
  };
  const steps: number[] = [];
  const bare: number[] = [];
  const both = (work: () => Promise<void>) => worker.runUntil(() => bareWorker.runUntil(work));
  await both(async () => {
    for (let run = 0; run <= runs; run += 1) {
      const alone = await timesOf(
        bareClient.workflow.execute('bareActivities', {
          workflowId: `bare-${run}`,
          taskQueue: BARE_TASK_QUEUE,
          args: [CHAIN_LENGTH],
        }),
      );
      const chain = await timesOf(
        client.workflow.execute('chain', {
          workflowId: `chain-${run}`,
          taskQueue: TASK_QUEUE,
          args: [chainInput(`chain-${run}`)],
        }),
      );
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

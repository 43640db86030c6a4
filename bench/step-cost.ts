/** What a step costs when its activity does nothing, beside the same activity called without Muster. */

import { spawn } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Client, Connection } from '@temporalio/client';
import { DefaultLogger, NativeConnection, Runtime, Worker } from '@temporalio/worker';
import { findPrograms } from '../lab/parts/lookup.js';
import { temporalPart } from '../lab/parts/temporal.js';
import { freePorts } from '../lab/ports.js';
import { waitFor } from '../lab/wait.js';
import type { RunInput, RunResult } from '../src/model/run.js';
import type { Runbook } from '../src/runbook/schema.js';
import { ensureSearchAttributes } from '../src/temporal/search-attributes.js';
import { planHash } from '../workflows/engine/hash.js';
import { CHAIN_LENGTH, chainScenario } from './chain-scenario.js';
import { median } from './statistics.js';

export interface StepCost {
  readonly stepMs: number;
  readonly bareMs: number;
  readonly runs: number;
}

const runbook = { system: 'bench', title: 'Benchmark', people: [], scenarios: {} } as unknown as Runbook;

/** @param runs how often each is measured, in turn */
export async function measureStepCost(runs: number): Promise<StepCost> {
  const folder = await mkdtemp(join(tmpdir(), 'muster-bench-'));
  const programs = await findPrograms();
  const loopback = { addresses: ['127.0.0.1'] };
  const ports = await freePorts({ temporal: loopback, temporalUi: loopback, temporalHttp: loopback });
  const part = await temporalPart({
    program: programs.temporal,
    folder,
    logFile: join(folder, 'log'),
    ports,
  });
  const server = spawn(part.command, part.args, { cwd: folder, stdio: 'ignore' });
  const ended = new Promise((resolve) => server.once('exit', resolve));
  try {
    await waitFor({ what: 'the Temporal server', deadlineMs: 30_000 }, part.answers);
    return await measure(part.address, runs);
  } finally {
    server.kill('SIGTERM');
    await ended;
    await rm(folder, { recursive: true, force: true });
  }
}

async function measure(address: string, runs: number): Promise<StepCost> {
  Runtime.install({ logger: new DefaultLogger('ERROR') });
  const connection = await Connection.connect({ address });
  const native = await NativeConnection.connect({ address });
  await ensureSearchAttributes(connection, 'default');
  const worker = await Worker.create({
    connection: native,
    taskQueue: 'bench',
    workflowsPath: fileURLToPath(new URL('./workflows.js', import.meta.url)),
    bundlerOptions: { ignoreModules: [] },
    activities: {
      nothing: async () => ({ summary: 'nothing' }),
      appendJournal: async () => undefined,
      keepRun: async () => undefined,
      writeReport: async () => ({ summary: 'none' }),
    },
  });
  const client = new Client({ connection });
  const steps: number[] = [];
  const bare: number[] = [];
  await worker.runUntil(async () => {
    for (let run = 0; run <= runs; run += 1) {
      const took = (await client.workflow.execute('bareActivities', {
        workflowId: `bare-${run}`,
        taskQueue: 'bench',
        args: [CHAIN_LENGTH],
      })) as number[];
      const chain = await stepTimes(client, run);
      // The first of each warms up.
      if (run === 0) continue;
      bare.push(...took);
      steps.push(...chain);
    }
  });
  await native.close();
  await connection.close();
  return { stepMs: median(steps), bareMs: median(bare), runs };
}

/** Milliseconds between the starts of steps that follow each other. */
async function stepTimes(client: Client, run: number): Promise<number[]> {
  const input: RunInput<Runbook, Record<string, never>> = {
    runId: `chain-${run}`,
    mode: 'drill',
    requestedBy: 'benchmark',
    detectedAt: new Date().toISOString(),
    planHash: planHash(chainScenario.buildPlan(runbook).document),
    expectations: {},
    params: {},
    runbook,
  };
  const result = (await client.workflow.execute('chain', {
    workflowId: input.runId,
    taskQueue: 'bench',
    args: [input],
  })) as RunResult;
  const starts = result.view.steps.map((step) => Date.parse(step.startedAt ?? ''));
  return starts.slice(1).map((start, index) => start - (starts[index] ?? start));
}

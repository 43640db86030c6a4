/** How long a proven decision takes to be answered, alone and beside 200 waiting runs, and the memory that these take. */
import { type ChildProcess, fork } from 'node:child_process';
import { generateKeyPairSync, type KeyObject, sign } from 'node:crypto';
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { Client, Connection, type WorkflowHandle } from '@temporalio/client';
import { NativeConnection, Worker } from '@temporalio/worker';
import { builtProgram } from '../lab/built.js';
import { type Decision, statementOf } from '../src/model/decision.js';
import type { CorruptionParams, RunInput, RunView } from '../src/model/run.js';
import { loadSystem } from '../src/runbook/load.js';
import type { Runbook } from '../src/runbook/schema.js';
import { WORKER_ENV, WORKER_NODE_OPTIONS } from '../src/worker-process.js';
import { corruptionScenario } from '../workflows/corruption.js';
import { planHash } from '../workflows/engine/hash.js';
import { compare, type Measurement } from './measurement.js';
import { parsePeak } from './memory.js';
import type { Settings } from './settings.js';
import { median } from './statistics.js';
import { withTemporalServer } from './temporal-server.js';

const WAITING_RUNS = 200;
/** Runs that are begun together. */
const AT_ONCE = 10;
const LIMIT_MB = 500;
const LIMIT_MS = 100;
/** Answers of a bare update handler on the machine that the limit was promised for, in milliseconds. */
const FLOOR_MS = 6;
const APPROVER = 'approver';

export async function measureDecisions({ runs, say }: Settings): Promise<readonly Measurement[]> {
  return withTemporalServer(async (address) => {
    const connection = await Connection.connect({ address });
    const client = new Client({ connection });
    const worker = await startWorker(address);
    try {
      const runbook = await benchRunbook();
      const bare = await bareAnswers(address, client, runs);
      const alone: number[] = [];
      for (let run = 0; run < runs; run += 1) alone.push(await decideOnce(client, runbook, `alone-${run}`));
      say(`a decision ${median(alone).toFixed(1)} ms, a bare update ${median(bare).toFixed(1)} ms`);
      const waiting: WorkflowHandle[] = [];
      while (waiting.length < WAITING_RUNS) {
        const begun = await Promise.all(
          Array.from({ length: AT_ONCE }, (_, index) =>
            startRun(client, runbook, `waiting-${waiting.length + index}`),
          ),
        );
        for (const handle of begun) await waitsAtGate(handle);
        waiting.push(...begun);
      }
      const beside: number[] = [];
      for (let run = 0; run < runs; run += 1) beside.push(await decideOnce(client, runbook, `beside-${run}`));
      // One that has waited longest, not the newest.
      const oldest: number[] = [];
      for (const handle of waiting.slice(0, runs)) oldest.push(await answerTime(handle, runbook));
      const peakMb = Math.round(parsePeak(await readFile(`/proc/${worker.pid}/status`, 'utf8')) / 1e6);
      say(
        `beside ${WAITING_RUNS} waiting runs ${median(beside).toFixed(1)} ms; the worker has taken ${peakMb} MB`,
      );
      const decision = compare('decision', LIMIT_MS / FLOOR_MS, runs, [
        { name: 'decisionMs', values: alone },
        { name: 'bareUpdateMs', values: bare },
      ]);
      const crowd = compare('decision-beside-200', LIMIT_MS / FLOOR_MS, runs, [
        { name: 'besideMs', values: [...beside, ...oldest] },
        { name: 'bareUpdateMs', values: bare },
      ]);
      const memory = compare('waiting-200', 1, 1, [
        { name: 'peakMb', values: [peakMb] },
        { name: 'limitMb', values: [LIMIT_MB] },
      ]);
      return [{ ...decision, raw: { ...decision.raw, limitMs: LIMIT_MS } }, crowd, memory];
    } finally {
      worker.disconnect();
      await once(worker, 'exit');
      await connection.close();
    }
  });
}

const TASK_QUEUE = 'bench-decisions';
const keys = generateKeyPairSync('ed25519');

/** Payymo's runbook with one approver, who proves who they are with a key. */
async function benchRunbook(): Promise<Runbook> {
  const folder = fileURLToPath(new URL('../../runbooks', import.meta.url));
  const { runbook } = await loadSystem(folder, 'payymo');
  const pem = keys.publicKey.export({ type: 'spki', format: 'pem' }).toString();
  const { anchor: _unused, ...rest } = runbook;
  return {
    ...rest,
    people: [
      {
        name: APPROVER,
        roles: ['database-lead', 'incident-commander'],
        contacts: [],
        proofs: { keys: [pem] },
      },
    ],
  };
}

async function startWorker(address: string): Promise<ChildProcess> {
  const worker = fork(builtProgram('bench/waiting-worker.js'), [address, TASK_QUEUE], {
    stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
    execArgv: [...WORKER_NODE_OPTIONS],
    env: { ...process.env, ...WORKER_ENV, MUSTER_PAYLOAD_ENCRYPTION: 'off' },
  });
  await once(worker, 'message');
  return worker;
}

async function bareAnswers(address: string, client: Client, runs: number): Promise<number[]> {
  const taskQueue = 'bench-bare';
  const worker = await Worker.create({
    connection: await NativeConnection.connect({ address }),
    taskQueue,
    workflowsPath: fileURLToPath(new URL('./bare-update.js', import.meta.url)),
  });
  const times: number[] = [];
  await worker.runUntil(async () => {
    const handle = await client.workflow.start('bareUpdates', {
      workflowId: 'bare',
      taskQueue,
      args: [runs + 1],
    });
    for (let run = 0; run <= runs; run += 1) {
      const begun = performance.now();
      await handle.executeUpdate('bareUpdate', { args: ['text'] });
      // The first one warms up.
      if (run > 0) times.push(performance.now() - begun);
    }
    await handle.result();
  });
  return times;
}

async function decideOnce(client: Client, runbook: Runbook, runId: string): Promise<number> {
  return answerTime(await startRun(client, runbook, runId), runbook);
}

function startRun(client: Client, runbook: Runbook, runId: string): Promise<WorkflowHandle> {
  const input: RunInput<Runbook, CorruptionParams> = {
    runId,
    mode: 'real',
    requestedBy: APPROVER,
    commander: APPROVER,
    detectedAt: new Date().toISOString(),
    planHash: planHash(corruptionScenario.buildPlan(runbook).document),
    expectations: {},
    params: { before: '2026-03-01T02:59:39Z' },
    runbook,
  };
  return client.workflow.start('corruption', { workflowId: runId, taskQueue: TASK_QUEUE, args: [input] });
}

async function waitsAtGate(handle: WorkflowHandle): Promise<RunView> {
  for (;;) {
    const view = await handle.query<RunView>('status');
    const done = view.steps.find(({ name }) => name === 'verify-invariants')?.status === 'done';
    if (done && view.openDecisions.some(({ gate }) => gate === 'point')) return view;
  }
}

/** Milliseconds from sending a signed approval to its answer. */
async function answerTime(handle: WorkflowHandle, runbook: Runbook): Promise<number> {
  const view = await waitsAtGate(handle);
  const decision = approval(view, keys.privateKey);
  const begun = performance.now();
  await handle.executeUpdate('decide', { args: [decision] });
  const took = performance.now() - begun;
  await handle.terminate(`measured for ${runbook.system}`);
  return took;
}

function approval(view: RunView, key: KeyObject): Decision {
  const decision: Decision = { on: 'point', choice: 'approve', by: APPROVER };
  const at = new Date().toISOString();
  const opening = view.openDecisions.find(({ gate }) => gate === 'point')?.since ?? '';
  const { runId, planHash: plan } = view;
  const statement = statementOf({ runId, planHash: plan, opening, decision, at });
  return {
    ...decision,
    proof: { at, signature: sign(null, Buffer.from(statement), key).toString('base64') },
  };
}

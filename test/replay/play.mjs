/**
 * Records histories of corruption recoveries that did not go as planned: Payymo's plan, one person, and activities that only
 * answer, so that no lab is needed. To be made anew when the plan, or what the engine does, has changed on purpose:
 * `npm run build && node test/replay/play.mjs`, all of them or those that are named.
 */
import { writeFileSync } from 'node:fs';
import process from 'node:process';
import { fileURLToPath } from 'node:url';
import { gzipSync } from 'node:zlib';
import { ApplicationFailure } from '@temporalio/activity';
import { Client, Connection } from '@temporalio/client';
import proto from '@temporalio/proto';
import { DefaultLogger, NativeConnection, Runtime, Worker } from '@temporalio/worker';
import { createActivities } from '../../dist/activities/index.js';
import { withTemporalServer } from '../../dist/bench/temporal-server.js';
import { builtProgram } from '../../dist/lab/built.js';
import { loadSystem } from '../../dist/src/runbook/load.js';
import { ensureSearchAttributes } from '../../dist/src/temporal/search-attributes.js';
import { corruptionScenario } from '../../dist/workflows/corruption.js';
import { planHash } from '../../dist/workflows/engine/hash.js';

const taskQueue = 'muster';
const workflowId = 'payymo.real';
const by = 'on-call';
const at = '2026-03-01T02:59:39Z';

/** What any step gives, as far as later steps and gates look at it. */
const output = {
  accepted: true,
  methods: ['totp'],
  used: [],
  summary: 'done',
  time: at,
  loses: {},
  backup: { label: 'none', type: 'full' },
  usableRepositories: [1],
  walSegments: 1,
  invariants: [],
  checks: [],
  lookedAt: [1],
  steps: {},
  token: 1,
  refusedWrite: { at, as: 'payymo_app', answer: 'no pg_hba.conf entry' },
};

const approve = (run, gate, more = {}) => run.decide({ on: gate, choice: 'approve', by, ...more });
const copyVerified = { step: 'verify-invariants', status: 'done' };

/** Each is given the run and makes it do what its name says; `fails` names activities that fail for good the first time. */
const plays = {
  'corruption-changed-point': {
    fails: [],
    async play(run) {
      await run.until('gate-point', copyVerified);
      await approve(run, 'point', { change: { point: '2026-03-01T02:58:30Z' } });
      await run.until('gate-promote');
      await approve(run, 'promote');
    },
  },
  'corruption-step-retried': {
    fails: ['restoreDatabase', 'verifyStructure', 'fencePrimary', 'protectAgain'],
    async play(run) {
      await run.until('restore');
      await run.decide({ on: 'restore', choice: 'retry', by, reason: 'the repository answers again' });
      await run.until('gate-point', 'verify-structure');
      // What was built for the old target is undone and built again.
      await run.decide({ on: 'verify-structure', choice: 'retry', by, change: { target: 'recovery' } });
      await run.until('gate-point', copyVerified, { step: 'verify-structure', status: 'done' });
      await run.decide({ on: 'run', choice: 'hold', by, reason: 'the network team works there' });
      await approve(run, 'point');
      await run.decide({ on: 'run', choice: 'resume', by });
      await run.until('fence-primary');
      await run.decide({ on: 'fence-primary', choice: 'retry', by });
      await run.until('gate-promote');
      await approve(run, 'promote');
      await run.until('protect-again');
      await run.decide({ on: 'protect-again', choice: 'skip', by, reason: 'taken by hand' });
    },
  },
  'corruption-aborted': {
    fails: [],
    async play(run) {
      await run.until('gate-point', copyVerified);
      await run.decide({ on: 'point', choice: 'deny', by, reason: 'the amount is wrong already' });
      await approve(run, 'point');
      await run.until('gate-promote');
      await run.decide({ on: 'run', choice: 'abort', by, reason: 'a false alarm' });
    },
  },
};

Runtime.install({ logger: new DefaultLogger('ERROR') });
const wanted = process.argv.slice(2);
for (const [name, { fails, play }] of Object.entries(plays)) {
  if (wanted.length > 0 && !wanted.includes(name)) continue;
  const { events, bytes } = await withTemporalServer((address) => record(address, fails, play));
  const file = fileURLToPath(new URL(`../histories/${name}.binpb.gz`, import.meta.url));
  writeFileSync(file, bytes);
  process.stdout.write(`${name}: ${events} events, ${bytes.length} bytes\n`);
}

async function record(address, fails, play) {
  const connection = await Connection.connect({ address });
  await ensureSearchAttributes(connection, 'default');
  const client = new Client({ connection, identity: 'muster' });
  const worker = await Worker.create({
    connection: await NativeConnection.connect({ address }),
    identity: 'muster@worker',
    taskQueue,
    workflowBundle: { codePath: builtProgram('workflow-bundle.js') },
    activities: answering(new Set(fails)),
  });
  const history = await worker.runUntil(async () => {
    const handle = await client.workflow.start('corruption', {
      workflowId,
      taskQueue,
      args: [await input()],
    });
    await play({
      decide: (decision) => handle.executeUpdate('decide', { args: [decision] }),
      until: (...conditions) => until(handle, conditions),
    });
    await handle.result();
    return handle.fetchHistory();
  });
  await connection.close();
  const encoded = proto.temporal.api.history.v1.History.encode(history).finish();
  return { events: history.events.length, bytes: gzipSync(encoded, { level: 9 }) };
}

function answering(failing) {
  const answer = (name) => async () => {
    if (failing.delete(name)) {
      const failure = ApplicationFailure.nonRetryable(`${name} failed`, 'Broken', { next: 'Mend it.' });
      // It would name folders of the machine.
      failure.stack = '';
      throw failure;
    }
    return output;
  };
  return Object.fromEntries(Object.keys(createActivities()).map((name) => [name, answer(name)]));
}

async function input() {
  const folder = fileURLToPath(new URL('../../runbooks', import.meta.url));
  const { runbook } = await loadSystem(folder, 'payymo');
  const roles = ['incident-commander', 'database-lead', 'technical-director'];
  const known = { ...runbook, people: [{ name: by, roles, contacts: [] }], notifications: {} };
  return {
    runId: 'payymo-corruption-20260301-030211',
    mode: 'real',
    requestedBy: by,
    commander: by,
    detectedAt: new Date().toISOString(),
    planHash: planHash(corruptionScenario.buildPlan(known).document),
    expectations: {},
    params: { before: at },
    runbook: known,
  };
}

/** @param conditions steps that wait for a decision, or have a status */
async function until(handle, conditions) {
  const deadline = Date.now() + 30_000;
  for (;;) {
    const { steps, openDecisions } = await handle.query('status');
    const holds = (condition) =>
      typeof condition === 'string'
        ? openDecisions.some(({ step }) => step === condition)
        : steps.some(({ name, status }) => name === condition.step && status === condition.status);
    if (conditions.every(holds)) return;
    if (Date.now() > deadline) throw new Error(`never: ${JSON.stringify(conditions)}`);
  }
}

/**
 * A whole recovery in the lab: a real disaster, a worker killed in the middle of the restore, gates decided with Temporal's
 * own tools, and an independent look at what came out.
 */

import { Resolver } from 'node:dns/promises';
import { readFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import type { Client } from '@temporalio/client';
import { Connection, Client as TemporalClient } from '@temporalio/client';
import type { DataConverter } from '@temporalio/common';
import type { temporal } from '@temporalio/proto';
import { Worker } from '@temporalio/worker';
import type { LossReport, ReportFiles } from '../../activities/contract.js';
import { withVault } from '../../activities/vault/index.js';
import { readPromotions } from '../../activities/vault/promotion.js';
import { breakCorruption, type Corruption } from '../../lab/break/corruption.js';
import { waitForPayments } from '../../lab/demo/payments.js';
import { labEnvironment } from '../../lab/environment.js';
import { findPrograms } from '../../lab/parts/lookup.js';
import { provenInLab } from '../../lab/people.js';
import { upLab } from '../../lab/world.js';
import type { RunResult, RunView } from '../../src/model/run.js';
import { loadRunbook } from '../../src/runbook/load.js';
import { dataConverterFor } from '../../src/temporal/codec-converter.js';
import { onLedger, useLab } from '../support/lab.js';
import { muster, run } from '../support/muster-process.js';

const WORKFLOW = 'payymo.real';

const lab = useLab({ worker: 'when-built' });
let env: Record<string, string>;
let connection: Connection;
let client: Client;
let dataConverter: DataConverter;
let damage: Corruption;
let result: RunResult;

async function view(): Promise<RunView> {
  return client.workflow.getHandle(WORKFLOW).query('status');
}

async function until(condition: (seen: RunView) => boolean, what: string): Promise<RunView> {
  const deadline = Date.now() + 120_000;
  for (;;) {
    const seen = await view().catch(() => undefined);
    if (seen !== undefined && condition(seen)) return seen;
    const failed = seen?.openDecisions.find((open) => open.gate === undefined);
    if (failed !== undefined) throw new Error(failed.question);
    if (Date.now() > deadline) throw new Error(`never: ${what}`);
    await new Promise((later) => setTimeout(later, 100));
  }
}

const opens = (gate: string) => (seen: RunView) => seen.openDecisions.some((open) => open.gate === gate);
const stepIs = (name: string, status: string) => (seen: RunView) =>
  seen.steps.some((step) => step.name === name && step.status === status);

beforeAll(async () => {
  env = labEnvironment(lab.state);
  connection = await Connection.connect({ address: lab.state.temporal.address });
  dataConverter = await dataConverterFor(env);
  client = new TemporalClient({ connection, dataConverter });
}, 180_000);
afterAll(() => connection?.close());

it('recovers a corrupted ledger, whatever happens to the worker', async () => {
  await waitForPayments(lab.state, 20);
  damage = await breakCorruption(lab.state);
  await waitForPayments(lab.state, 20);

  const begun = await muster(
    [
      'recover',
      'corruption',
      'payymo',
      '--before',
      damage.startedAt,
      '--by',
      'on-call',
      '--yes',
      '--no-watch',
      '--json',
    ],
    env,
  );
  expect(begun).toMatchObject({ code: 0 });
  expect(JSON.parse(begun.stdout)).toMatchObject({ system: 'payymo', workflowId: WORKFLOW });

  // While nobody has decided, the copy is built; its worker dies in the middle and another one goes on.
  await until(stepIs('restore', 'running'), 'the restore begins');
  process.kill(lab.state.parts.worker?.pid as number, 'SIGKILL');
  await upLab({ dir: lab.dir, log: () => undefined });
  const waiting = await until(
    (seen) => opens('point')(seen) && stepIs('verify-application', 'done')(seen),
    'the copy is verified while the gate waits',
  );
  expect(waiting.steps.find((step) => step.name === 'fence-primary')?.status).toBe('pending');
  expect((await muster(['status', 'payymo', '--json'], env)).code).toBe(3);

  const { temporal: temporalCli } = await findPrograms();
  const address = ['--address', lab.state.temporal.address, '--workflow-id', WORKFLOW, '--name', 'decide'];
  // Without it an approval would count all the same, but the answer could not be read.
  address.push('--codec-endpoint', lab.state.payloads?.codecUrl ?? 'none');
  const approval = { choice: 'approve', by: 'database-lead' } as const;
  // Who has a key signs: the word alone counts for nothing.
  const unproven = await run(temporalCli, [
    ...['workflow', 'update', 'execute', ...address],
    ...['--input', JSON.stringify({ on: 'point', ...approval })],
  ]);
  expect(unproven.code).not.toBe(0);
  expect(`${unproven.stdout}${unproven.stderr}`).toContain('database-lead needs a signature');
  const update = await run(temporalCli, [
    ...['workflow', 'update', 'execute', ...address],
    ...[
      '--input',
      JSON.stringify(await provenInLab(lab.state.people, waiting, { on: 'point', ...approval })),
      '--output',
      'json',
    ],
  ]);
  expect(update.stderr).toBe('');
  expect(update.stdout).toContain('point: approved by database-lead');

  const last = await until(opens('promote'), 'the gate of the promotion opens');
  const signal = await run(temporalCli, [
    ...['workflow', 'signal', ...address],
    ...['--input', JSON.stringify(await provenInLab(lab.state.people, last, { on: 'promote', ...approval }))],
  ]);
  expect(signal.code).toBe(0);
  result = (await client.workflow.getHandle(WORKFLOW).result()) as RunResult;
  expect(result.view.status).toBe('recovered');
  const gates = result.view.steps.filter((step) => step.kind === 'gate');
  expect(gates.map(({ decisions }) => decisions.map(({ provenBy }) => provenBy))).toEqual([
    [['ed25519']],
    [['ed25519', 'totp']],
  ]);
}, 300_000);

it('leaves a ledger that obeys every rule and lacks nothing but the payments it lists as lost', async () => {
  const { recovery } = lab.state.ledger.sites;
  const { runbook } = await loadRunbook(resolve(lab.state.runbooks, 'payymo.yaml'));
  const acknowledged = (await (await fetch(new URL('/acknowledged', lab.state.payymo.clientUrl))).text())
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as { id: string; at: string });
  await onLedger(
    lab.state,
    lab.state.ledger.admin,
    async (ledger) => {
      for (const { sql, parameters } of runbook.verification.invariants) {
        const key =
          parameters.length === 0
            ? []
            : [(await readFile(lab.state.ledger.signingKey.replace('file:', ''), 'utf8')).trim()];
        expect((await ledger.query(sql, key)).rows).toEqual([]);
      }
      const { rows } = await ledger.query<{ id: string }>('select id from ledger.transactions');
      const present = new Set(rows.map(({ id }) => id));
      const missing = acknowledged.filter(({ id }) => !present.has(id));
      const loss = (result.outputs['measure-loss'] as LossReport).classes.transactions;
      expect(missing.length).toBeGreaterThan(0);
      expect(loss?.lostRecords).toBe(missing.length);
      // Only what was acknowledged at or after the point is lost, and everything before it is there.
      expect(missing.filter(({ at }) => at < damage.startedAt)).toEqual([]);
      expect(loss?.actualMs).toBeLessThan(loss?.targetMs ?? 0);
    },
    recovery,
  );
}, 60_000);

it('has promoted once, fenced the old side for good, and moved the name', async () => {
  const { runbook } = await loadRunbook(resolve(lab.state.runbooks, 'payymo.yaml'));
  const promotions = await withVault(runbook.vault, new AbortController().signal, (vault) =>
    readPromotions(vault, 'payymo'),
  );
  expect(promotions).toHaveLength(1);
  expect(promotions[0]).toMatchObject({ site: 'recovery', done: { timeline: 2 } });

  await expect(
    onLedger(
      lab.state,
      lab.state.ledger.app,
      (ledger) => ledger.query('select 1'),
      lab.state.ledger.sites.west,
    ),
  ).rejects.toThrow(/ECONNREFUSED/);

  const resolver = new Resolver();
  resolver.setServers([lab.state.dns.resolver]);
  expect(await resolver.resolve4(lab.state.dns.record)).toEqual([lab.state.ledger.sites.recovery.address]);
  await waitForPayments(lab.state, 5);
}, 90_000);

it('has signed a report that openssl and muster both accept', async () => {
  const report = result.outputs.report as ReportFiles;
  const checked = await run('openssl', [
    ...['pkeyutl', '-verify', '-pubin', '-inkey', report.publicKey, '-rawin'],
    ...['-in', report.json, '-sigfile', report.signature],
  ]);
  expect(checked.stdout).toContain('Signature Verified Successfully');
  expect((await muster(['report', 'verify', resolve(report.json, '..')], env)).code).toBe(0);
});

it('keeps a journal without a gap, and a history that reads well and replays', async () => {
  expect((await muster(['journal', 'verify', result.view.runId], env)).code).toBe(0);
  const history = await client.workflow.getHandle(WORKFLOW).fetchHistory();
  const nameless = (history.events ?? []).filter(
    (event: temporal.api.history.v1.IHistoryEvent) =>
      (event.activityTaskScheduledEventAttributes != null || event.timerStartedEventAttributes != null) &&
      event.userMetadata?.summary == null,
  );
  expect(nameless.map((event) => event.eventId?.toString())).toEqual([]);
  const bundle = resolve(__dirname, '../../dist/workflow-bundle.js');
  await Worker.runReplayHistory({ workflowBundle: { codePath: bundle }, dataConverter }, history, WORKFLOW);
}, 60_000);

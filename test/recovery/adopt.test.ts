/** The Temporal server and its data are gone, the worker and the store with it: the run goes on from what is anchored. */
import { type ChildProcess, spawn } from 'node:child_process';
import { cp, rm } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { Client, Connection } from '@temporalio/client';
import type pg from 'pg';
import type { Promotion } from '../../activities/contract.js';
import { waitForPayments } from '../../lab/demo/payments.js';
import { labEnvironment } from '../../lab/environment.js';
import { layoutOf } from '../../lab/layout.js';
import { findPrograms } from '../../lab/parts/lookup.js';
import { startPart, untilAnswers } from '../../lab/parts/part.js';
import { temporalPart } from '../../lab/parts/temporal.js';
import { freePorts } from '../../lab/ports.js';
import { type ProcessMark, stopProcess } from '../../lab/process.js';
import { upLab } from '../../lab/world.js';
import type { RunView } from '../../src/model/run.js';
import { dataConverterFor } from '../../src/temporal/codec-converter.js';
import { eventually } from '../support/eventually.js';
import { freeze, killPart } from '../support/faults.js';
import {
  APPROVER,
  COMMANDER,
  gateOpens,
  printed,
  runEnds,
  SYSTEM,
  stepIs,
  stepOf,
  useIncident,
  WORKFLOW,
} from '../support/incident.js';
import { onLedger, useLab } from '../support/lab.js';

const lab = useLab({ worker: 'when-built' });
const incident = useIncident(lab);
/** The lost server as it was, to come back later. */
const oldFolder = () => join(lab.dir, 'temporal-lost');
let before: RunView;

function onCopy<T>(work: (client: pg.Client) => Promise<T>): Promise<T> {
  const { admin, sites } = lab.state.ledger;
  return onLedger(lab.state, admin, work, sites.recovery);
}

function processOf(copy: pg.Client, condition: string): Promise<number> {
  return eventually(async () => {
    const { rows } = await copy.query(`select pid from pg_stat_activity where ${condition}`);
    if (rows[0] === undefined) throw new Error(`no process with ${condition}`);
    return rows[0].pid as number;
  }, 60_000);
}

interface Verdict {
  readonly ok: boolean;
  readonly problems: readonly string[];
  readonly head: { readonly entries: number };
}

async function verified(...more: readonly string[]): Promise<Verdict> {
  return printed<Verdict>(await incident.muster('journal', 'verify', SYSTEM, '--json', ...more));
}

it('anchors what happens while it happens; a journal that lives is not taken over', async () => {
  const damage = await incident.happen();
  await incident.begin(damage.startedAt);
  await incident.until(gateOpens('point'), 'the gate of the point opens');
  await incident.approve('point');
  await incident.until(gateOpens('promote'), 'the gate of the promotion opens');
  await eventually(async () =>
    expect(await verified('--anchor-only')).toMatchObject({ ok: true, problems: [] }),
  );
  const refused = await incident.muster('adopt', SYSTEM, '--by', COMMANDER, '--yes', '--json');
  expect(refused.code).toBe(2);
  expect(printed<{ error: { code: string } }>(refused).error.code).toBe('RunActive');
}, 150_000);

it('goes on from the anchors alone, with what was done and decided; what was under way is found done', async () => {
  await onCopy(async (copy) => {
    // The copy's own process of recovery stands still, so that the server is lost while the promotion is under way.
    const recovery = freeze(await processOf(copy, "backend_type = 'startup'"));
    try {
      await incident.approve('promote');
      const caller = "query like '%pg_promote%' and state = 'active' and pid <> pg_backend_pid()";
      await processOf(copy, caller);
      before = await incident.until(stepIs('promote', 'running'), 'the promotion is under way');
      await killPart(lab, 'temporal');
      await killPart(lab, 'worker');
      await killPart(lab, 'store');
    } finally {
      recovery();
    }
    await eventually(async () => {
      expect((await copy.query('select pg_is_in_recovery() as still')).rows).toEqual([{ still: false }]);
    });
  });
  const { temporal } = layoutOf(lab.dir);
  await cp(temporal, oldFolder(), { recursive: true });
  await rm(temporal, { recursive: true });
  await upLab({ dir: lab.dir, log: () => undefined });
  await killPart(lab, 'store');

  const args = ['adopt', SYSTEM, '--from-anchor', '--by', COMMANDER, '--yes', '--no-watch', '--json'];
  const adopted = await incident.muster(...args);
  expect(adopted.stderr).not.toContain('BAD');
  expect(adopted.code).toBe(0);
  expect(printed(adopted)).toMatchObject({ runId: before.runId, adoption: 1 });

  const seen = await incident.until(runEnds, 'the run ends');
  expect(seen).toMatchObject({
    status: 'recovered',
    runId: before.runId,
    requestedBy: COMMANDER,
    adopted: { by: COMMANDER },
    clock: { detectedAt: before.clock.detectedAt, startedAt: before.clock.startedAt },
  });
  expect(seen.clock.actualMs).toBeGreaterThan(Date.parse(before.asOf) - Date.parse(before.clock.detectedAt));
  const { outputs } = await incident.result();
  expect(outputs.promote).toMatchObject({ alreadyDone: true } satisfies Partial<Promotion>);
}, 170_000);

it('does nothing again that was done, and asks nobody again', async () => {
  const { events } = await incident.client.workflow.getHandle(WORKFLOW).fetchHistory();
  const called = (events ?? []).flatMap(({ activityTaskScheduledEventAttributes: scheduled }) =>
    scheduled?.activityType?.name ? [scheduled.activityType.name] : [],
  );
  expect(called).toContain('promote');
  for (const done of ['proposePoint', 'restoreDatabase', 'fencePrimary', 'preserveDamaged', 'verifyDump']) {
    expect(called).not.toContain(done);
  }
  const seen = await incident.view();
  expect(stepOf(seen, 'restore')).toMatchObject({ begun: 1, startedAt: stepOf(before, 'restore').startedAt });
  expect(stepOf(seen, 'promote').begun).toBe(2);
  const gates = seen.steps.filter(({ gate }) => gate !== undefined);
  expect(gates.map(({ begun, decisions }) => [begun, decisions.map(({ by }) => by)])).toEqual([
    [1, [APPROVER]],
    [1, [APPROVER]],
  ]);
  expect((await incident.claims()).map(({ kind }) => kind)).toEqual(['fence', 'promotion', 'adoption']);
  await waitForPayments(lab.state, 5);
});

it('leaves one whole journal, in the anchors and, once it is back, in the store', async () => {
  await eventually(async () =>
    expect(await verified('--anchor-only')).toMatchObject({ ok: true, problems: [] }),
  );
  await upLab({ dir: lab.dir, log: () => undefined });
  await eventually(async () => expect(await verified()).toMatchObject({ ok: true, problems: [] }), 40_000);
}, 90_000);

it('the lost server, come back with its worker, is refused what must not be done twice', async () => {
  const ports = await freePorts({
    temporal: { addresses: ['127.0.0.1'] },
    temporalUi: { addresses: ['127.0.0.1'] },
    temporalHttp: { addresses: ['127.0.0.1'] },
  });
  const part = await temporalPart({
    program: findPrograms().temporal,
    folder: oldFolder(),
    logFile: join(lab.dir, 'logs', 'temporal-lost.log'),
    ports,
  });
  let server: ProcessMark | undefined;
  let worker: ChildProcess | undefined;
  let connection: Connection | undefined;
  try {
    server = await startPart(part);
    await untilAnswers(part, server);
    worker = spawn(process.execPath, [resolve(__dirname, '../../dist/src/worker.js')], {
      env: { ...process.env, ...labEnvironment(lab.state), TEMPORAL_ADDRESS: part.address },
      stdio: 'ignore',
    });
    connection = await Connection.connect({ address: part.address });
    const dataConverter = await dataConverterFor(incident.env);
    const handle = new Client({ connection, dataConverter }).workflow.getHandle(WORKFLOW);
    await eventually(async () => {
      const { failure } = stepOf(await handle.query<RunView>('status'), 'promote');
      expect(failure).toMatchObject({
        code: 'RunAdopted',
        message: expect.stringContaining(`was taken over by ${COMMANDER}`),
      });
    }, 60_000);
  } finally {
    await connection?.close();
    worker?.kill('SIGKILL');
    if (server !== undefined) await stopProcess(server, 'SIGKILL');
  }
  expect((await incident.claims()).map(({ kind }) => kind)).toEqual(['fence', 'promotion', 'adoption']);
  await eventually(async () => expect(await verified()).toMatchObject({ ok: true, problems: [] }));
}, 120_000);

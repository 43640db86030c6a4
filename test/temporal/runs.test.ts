/** Client operations against a real server and real runs. */
import { Context } from '@temporalio/activity';
import type { Progress } from '../../src/model/run.js';
import { decide } from '../../src/temporal/decide.js';
import { lookAt } from '../../src/temporal/observe.js';
import { stepOfActivity } from '../../src/temporal/progress.js';
import { activeRuns, findRun, findRunById, startRun } from '../../src/temporal/runs.js';
import { ensureSearchAttributes } from '../../src/temporal/search-attributes.js';
import { requireWorker } from '../../src/temporal/workers.js';
import { type CliTestWorld, openCliWorld } from '../support/cli-world.js';
import { eventually } from '../support/eventually.js';
import { held } from '../support/toy-world.js';

let world: CliTestWorld;
beforeAll(async () => {
  world = await openCliWorld();
});
afterAll(() => world.close());
beforeEach(() => world.toy.behave.clear());

const atGate = (run: Parameters<typeof lookAt>[1], gate: string) =>
  eventually(async () => {
    const { view } = await lookAt(world.session, run);
    const open = view?.openDecisions.find((each) => each.gate === gate);
    if (view === undefined || open === undefined) throw new Error(`not at the gate ${gate}`);
    return { view, open };
  });

test('a second run of a system is refused, naming the first and who began it; a drill is another matter', async () => {
  const first = await world.start();
  const again = startRun(world.session, {
    system: first.system,
    scenario: 'toy',
    taskQueue: world.toy.worker.taskQueue,
    summary: '',
    details: '',
    rtoDeadline: new Date().toISOString(),
    input: {
      runId: 'second',
      mode: 'real',
      requestedBy: 'bob',
      commander: 'bob',
      detectedAt: new Date().toISOString(),
      planHash: '',
      expectations: {},
      params: {},
      runbook: {},
    },
  });
  await expect(again).rejects.toMatchObject({
    code: 'RunActive',
    message: expect.stringMatching(
      new RegExp(`${first.system} has an active real run: ${first.runId}, started by ada`),
    ),
  });
  const found = await findRun(world.session, first.system);
  expect(found).toMatchObject({ temporalRunId: first.temporalRunId, active: true, requestedBy: 'ada' });
});

test('runs are found by system, by their id, and among those that are active', async () => {
  const { system, runId = '', workflowId } = await world.start('drill');
  expect(await findRun(world.session, system)).toMatchObject({ workflowId, mode: 'drill', runId });
  expect(await findRun(world.session, system, 'real')).toBeUndefined();
  await eventually(async () => {
    expect(await findRunById(world.session, runId)).toMatchObject({ workflowId });
    expect((await activeRuns(world.session)).map((run) => run.workflowId)).toContain(workflowId);
  });
});

test('progress of running activities is read by step, with the attempt', async () => {
  const work = held();
  const report: Progress = { done: 6, total: 8, unit: 'files', ratePerSecond: 2, text: 'copying' };
  world.toy.behave.set('build', (call) => {
    Context.current().heartbeat(report);
    return work.behaviour(call);
  });
  const run = await world.start();
  const activity = await eventually(async () => {
    const look = await lookAt(world.session, run);
    if (look.activity?.build?.progress === undefined) throw new Error('no progress yet');
    return look.activity;
  });
  expect(activity.build).toEqual({ attempt: 1, progress: report });
  work.release('built');
  expect([stepOfActivity('restore'), stepOfActivity('restore.12')]).toEqual(['restore', 'restore']);
});

test('a decision that is sent twice counts once and is answered twice', async () => {
  const run = await world.start();
  const { open } = await atGate(run, 'point');
  const decision = { on: 'point', choice: 'approve', by: 'ada' } as const;
  const first = await decide(world.session, run, decision, open);
  expect(await decide(world.session, run, decision, open)).toEqual(first);
  const { view } = await atGate(run, 'promote');
  expect(view.steps.find((step) => step.name === 'gate-point')?.decisions).toHaveLength(1);
});

test('a queue from which nobody takes work is refused, saying how to start a worker', async () => {
  await expect(requireWorker(world.session, 'nobody-is-here')).rejects.toMatchObject({
    code: 'NoWorker',
    next: expect.stringContaining('worker'),
  });
  const seen = await requireWorker(world.session, world.toy.worker.taskQueue);
  expect(seen.identities).not.toHaveLength(0);
  expect(seen.agoMs).toBeLessThan(120_000);
});

test('search attributes can be registered again and again', async () => {
  await ensureSearchAttributes(world.session.connection, 'default');
  await ensureSearchAttributes(world.session.connection, 'default');
  const { customAttributes } = await world.session.connection.operatorService.listSearchAttributes({
    namespace: 'default',
  });
  expect(Object.keys(customAttributes ?? {})).toEqual(
    expect.arrayContaining([
      'MusterSystem',
      'MusterScenario',
      'MusterMode',
      'MusterStatus',
      'MusterStep',
      'MusterRtoDeadline',
    ]),
  );
});

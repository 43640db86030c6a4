/** What a real run tells through its channels, and that nothing of it holds the run up. */

import { toFailure } from '../../activities/interceptor.js';
import { notifyActivities } from '../../activities/notify/index.js';
import type { Notice } from '../../src/model/notice.js';
import type { Channel, Runbook } from '../../src/runbook/schema.js';
import { eventually } from '../support/eventually.js';
import { type HttpReceiver, httpReceiver } from '../support/receivers.js';
import { openToyWorld, permanent, statuses, type ToyRun, type ToyWorld } from '../support/toy-world.js';

let world: ToyWorld;
let there: HttpReceiver;
const { sendNotice } = notifyActivities();

beforeAll(async () => {
  process.env.TEST_TOLD_SECRET = 'whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw';
  world = await openToyWorld({
    sendNotice: (input: Parameters<typeof sendNotice>[0]) =>
      sendNotice(input).catch((error: unknown) => Promise.reject(toFailure(error))),
  });
});
afterAll(async () => {
  await world.worker.stop();
  delete process.env.TEST_TOLD_SECRET;
});
beforeEach(async () => {
  world.behave.clear();
  world.journal.length = 0;
  there = await httpReceiver();
});
afterEach(() => there.close());

const hook = (port: number): Channel => ({
  driver: 'webhook',
  url: `http://127.0.0.1:${port}`,
  secret: 'env:TEST_TOLD_SECRET',
});
const approve = (on: string) => ({ on, choice: 'approve' as const, by: 'ada' });
const start = (notifications: Record<string, Channel>, more: Partial<Runbook> = {}) =>
  world.start({}, {}, undefined, { notifications, ...more });

/** Notices about one run, in the order of their numbers: they travel side by side. */
const told = (): Notice[] =>
  there.received
    .map(({ body }) => (JSON.parse(body) as { data: Notice }).data)
    .sort((one, other) => Number(/\d+$/.exec(one.id)) - Number(/\d+$/.exec(other.id)));

async function untilTold(good: (all: Notice[]) => boolean): Promise<Notice[]> {
  await eventually(async () => {
    if (!good(told())) throw new Error(`never: ${JSON.stringify(told().map(({ kind }) => kind))}`);
  });
  return told();
}

async function lead(run: ToyRun): Promise<void> {
  await run.waitsFor('gate-point');
  await run.decide(approve('point'));
  await run.waitsFor('gate-promote');
  await run.decide(approve('promote'));
  await run.result();
}

it('tells of start, gates with those who decide them, decisions, and the end, which settles them', async () => {
  await lead(await start({ all: hook(there.port) }));
  const all = await untilTold((notices) => notices.length === 6);
  expect(all.map(({ kind, matter, settles, to }) => [kind, matter, settles.length > 0, to])).toEqual([
    ['started', 'run', false, expect.any(Array)],
    ['gate-opened', 'gate.point', false, expect.arrayContaining(['ada'])],
    ['decided', 'gate.point', true, expect.any(Array)],
    ['gate-opened', 'gate.promote', false, expect.arrayContaining(['ada'])],
    ['decided', 'gate.promote', true, expect.any(Array)],
    ['ended', 'run', true, expect.any(Array)],
  ]);
  expect(all.flatMap(({ to }) => to)).not.toContain('bob');
  expect(all[1]?.actions[0]?.label).toBe('muster approve toy point');
  const written = world.journal.filter(({ kind }) => kind === 'notice').map(({ text }) => text);
  expect(written).toHaveLength(6);
  expect(written[1]).toContain('Told: all');
});

it('a failure, its retry, hold and resume, hand-over and abort are told as what they are', async () => {
  world.behave.set('build', () => {
    throw permanent('no room');
  });
  const run = await start({ all: hook(there.port) });
  await run.waitsFor('build');
  world.behave.delete('build');
  await run.decide({ on: 'build', choice: 'retry', by: 'ada' });
  await run.decide({ on: 'run', choice: 'hold', by: 'ada', reason: 'wait for the processor' });
  await run.decide({ on: 'run', choice: 'resume', by: 'ada' });
  await run.decide({ on: 'run', choice: 'abort', by: 'ada', reason: 'test over' });
  await run.result();
  const all = await untilTold((notices) => notices.some(({ kind }) => kind === 'ended'));
  const of = (kind: Notice['kind']) => all.filter((notice) => notice.kind === kind);
  expect(of('step-failed')[0]).toMatchObject({
    matter: 'step.build',
    text: expect.stringContaining('no room'),
  });
  expect(of('decided').map(({ title, settles }) => [title, settles])).toEqual([
    ['build: retry decided by ada.', ['step.build']],
    ['The run is being aborted by ada.', []],
  ]);
  expect(of('held')[0]).toMatchObject({ title: 'The run is held by ada.', matter: 'hold' });
  expect(of('resumed')[0]?.settles).toEqual(['hold']);
  expect(of('ended')[0]).toMatchObject({
    severity: 'critical',
    settles: expect.arrayContaining(['run', 'gate.point']),
  });
});

it('a gate is told again to those who can decide it when what it shows has changed', async () => {
  const run = await world.start({}, { approvals: 2 }, undefined, {
    notifications: { all: hook(there.port) },
  });
  await run.waitsFor('gate-point');
  await run.decide(approve('point'));
  await run.decide({ ...approve('point'), by: 'cy', change: { point: '2026-03-01T11:00:00Z' } });
  const all = await untilTold((notices) => notices.length === 5);
  expect(all.map(({ kind, title }) => [kind, title])).toEqual([
    ['started', expect.any(String)],
    ['gate-opened', 'point waits for lead.'],
    ['decided', 'point: approved by ada.'],
    ['decided', 'point: approved by cy.'],
    ['gate-opened', 'point is asked anew, of lead.'],
  ]);
  expect(all[4]?.to).toEqual(['ada', 'cy', 'eve']);
  expect(all[4]?.text).toContain('what was said before does not count any more');
  expect(all[4]?.facts).toContainEqual({ label: 'proposal', value: 'propose of 2026-03-01T11:00:00Z' });
  await run.decide({ on: 'run', choice: 'abort', by: 'ada', reason: 'test over' });
  await run.result();
});

it('so is one that was decided, when a step that failed gets another input', async () => {
  world.behave.set('build', ({ saw }) => {
    if (saw === 'propose of noon') throw permanent('No room.');
    return 'built';
  });
  const run = await start({ all: hook(there.port) });
  await run.waitsFor('gate-point');
  await run.decide(approve('point'));
  await run.waitsFor('build');
  await run.decide({ on: 'build', choice: 'retry', by: 'ada', change: { point: '2026-03-01T11:00:00Z' } });
  await run.waitsFor('gate-point');
  const opened = (notices: Notice[]) => notices.filter(({ kind }) => kind === 'gate-opened');
  const all = opened(await untilTold((notices) => opened(notices).length === 2));
  expect(all.map(({ title, to }) => [title, to])).toEqual([
    ['point waits for lead.', ['ada', 'cy', 'eve']],
    ['point is asked anew, of lead.', ['ada', 'cy', 'eve']],
  ]);
  await run.decide({ on: 'run', choice: 'abort', by: 'ada', reason: 'test over' });
  await run.result();
});

it('an override is told to everybody', async () => {
  const run = await start({ all: hook(there.port) }, { breakGlass: { roles: ['lead'], people: 1 } });
  await run.waitsFor('gate-point');
  await run.decide({ on: 'point', choice: 'override', by: 'ada', reason: 'nobody else answers' });
  const all = await untilTold((notices) => notices.some(({ kind }) => kind === 'override'));
  const loud = all.find(({ kind }) => kind === 'override');
  expect(loud).toMatchObject({ severity: 'critical', text: 'nobody else answers' });
  expect(loud?.to).toEqual(expect.arrayContaining(['ada', 'bob']));
  await run.decide({ on: 'run', choice: 'abort', by: 'ada', reason: 'test over' });
  await run.result();
});

it('receivers that are dead or silent hold nothing up: the run ends, says what is undelivered, and it follows', async () => {
  const dead = await httpReceiver();
  const silent = await httpReceiver();
  silent.answers.push(...Array.from({ length: 100 }, () => () => undefined));
  await dead.close();
  const run = await start({ dead: hook(dead.port), silent: hook(silent.port), alive: hook(there.port) });
  await run.waitsFor('gate-point');
  const view = await run.until(({ undelivered }) => undelivered.some(({ problem }) => problem !== undefined));
  expect(view.undelivered[0]).toMatchObject({ receiver: 'dead', state: 'waiting' });
  const before = performance.now();
  await lead(run);
  // No receiver's patience (15 s) is in it.
  expect(performance.now() - before).toBeLessThan(10_000);
  const after = await run.view();
  expect(after.status).toBe('recovered');
  expect(statuses(after).promote).toBe('done');
  await untilTold((notices) => notices.length === 6);

  const again = await httpReceiver(dead.port);
  const ids = () => new Set(again.received.map(({ headers }) => headers['webhook-id']));
  await eventually(async () => {
    if (ids().size < 6) throw new Error(`only ${ids().size} arrived`);
  }, 40_000);
  expect(again.received).toHaveLength(6);
  await Promise.all([again.close(), silent.close()]);
  for (const { id } of told()) {
    await world.worker.client.workflow.getHandle(`notice.${id}`).terminate('test over');
  }
});

import type { temporal } from '@temporalio/proto';
import { eventually } from '../support/eventually.js';
import { held, openToyWorld, statuses, type ToyWorld } from '../support/toy-world.js';

let world: ToyWorld;

beforeAll(async () => {
  world = await openToyWorld();
});
afterAll(() => world.worker.stop());
beforeEach(() => world.behave.clear());

type Event = temporal.api.history.v1.IHistoryEvent;

const GATHER = 'gather: journal, search attributes, budgets';
const approve = (on: string) => ({ on, choice: 'approve' as const, by: 'ada' });
const summaryOf = (event: Event) =>
  JSON.parse(Buffer.from(event.userMetadata?.summary?.data ?? []).toString() || '""') as string;
const timersOf = (events: readonly Event[]) =>
  events.filter((event) => event.timerStartedEventAttributes != null).map(summaryOf);

it('costs steps no timer of their own, and shows every state in the end', async () => {
  const run = await world.start();
  const shown = async () => (await run.handle.describe()).searchAttributes;
  await run.waitsFor('gate-point');
  await run.until((view) => statuses(view).verify === 'done');
  const deadline = Date.now() + 20_000;
  while ((await shown()).MusterStep?.[0] !== 'gate-point') {
    if (Date.now() > deadline) throw new Error('the gate is never shown');
  }
  expect(await shown()).toMatchObject({ MusterStatus: ['waiting'], MusterSystem: ['toy'] });

  await run.decide(approve('point'));
  await run.waitsFor('gate-promote');
  await run.decide(approve('promote'));
  await run.result();
  expect(await shown()).toMatchObject({ MusterStatus: ['recovered'] });

  const events = (await run.handle.fetchHistory()).events ?? [];
  const isGather = (event: Event) => summaryOf(event) === GATHER;
  expect(events.filter(isGather).length).toBeGreaterThan(0);
  // A step only gets a timer in the task in which a gathering pause ends: it was begun before and goes on.
  const pauses = new Set(events.filter(isGather).map((event) => event.eventId?.toString()));
  const ended = events.flatMap((event, index) =>
    pauses.has(event.timerFiredEventAttributes?.startedEventId?.toString()) ? [index] : [],
  );
  for (const [index, event] of events.entries()) {
    if (!/^(propose|build|verify|fence|promote|cutover|protect): /.test(summaryOf(event))) continue;
    if (event.timerStartedEventAttributes == null) continue;
    expect(ended.some((at) => index - at > 0 && index - at < 12)).toBe(true);
  }
});

it('watches the budget of a step that lasts, by name, and keeps what was written down meanwhile', async () => {
  const build = held();
  world.behave.set('build', build.behaviour);
  const run = await world.start();
  const watched = async () => timersOf((await run.handle.fetchHistory()).events ?? []);
  await eventually(async () => expect(await watched()).toContain('build: 50 % of 1 min used'));
  await eventually(async () => {
    const begun = world.journal.some(({ kind, step }) => kind === 'step-started' && step === 'build');
    if (!begun) throw new Error('the beginning is never in the journal');
  });
  build.release('built');
  await run.waitsFor('gate-point');
  await run.decide({ on: 'run', choice: 'abort', by: 'ada', reason: 'test over' });
  await run.result();
});

it('sends what people have said in the breath in which they are answered', async () => {
  const run = await world.start();
  await run.waitsFor('gate-point');
  await run.decide({ on: 'run', choice: 'hold', by: 'ada', reason: 'wait for the bank' });
  const events = (await run.handle.fetchHistory()).events ?? [];
  const answered = events.findIndex((event) => event.workflowExecutionUpdateCompletedEventAttributes != null);
  const isTask = (event: Event) => event.workflowTaskCompletedEventAttributes != null;
  const from = events.slice(0, answered).map(isTask).lastIndexOf(true);
  const next = events.findIndex((event, at) => at > from && isTask(event));
  const sent = events.slice(from, next).flatMap(({ activityTaskScheduledEventAttributes: scheduled }) => {
    if (scheduled?.activityType?.name !== 'appendJournal') return [];
    return [Buffer.from(scheduled.input?.payloads?.[0]?.data ?? []).toString()];
  });
  expect(sent).toEqual([expect.stringContaining('wait for the bank')]);
  await run.decide({ on: 'run', choice: 'resume', by: 'ada' });
  await run.decide({ on: 'run', choice: 'abort', by: 'ada', reason: 'test over' });
  await run.result();
});

it('hands each batch of the journal over with what the one before was answered with', async () => {
  let batches = 0;
  world.takeEntries = async () => {
    batches += 1;
    return `hash ${batches}`;
  };
  try {
    const run = await world.start();
    await run.waitsFor('gate-point');
    await run.decide({ on: 'run', choice: 'abort', by: 'ada', reason: 'test over' });
    await run.result();
    const events = (await run.handle.fetchHistory()).events ?? [];
    const handed = events.flatMap(({ activityTaskScheduledEventAttributes: scheduled }) => {
      if (scheduled?.activityType?.name !== 'appendJournal') return [];
      const input = Buffer.from(scheduled.input?.payloads?.[0]?.data ?? []).toString();
      return [(JSON.parse(input) as { after: string }).after];
    });
    expect(handed.length).toBeGreaterThan(1);
    expect(handed.slice(1)).toEqual(handed.slice(1).map((_, at) => `hash ${at + 1}`));
  } finally {
    world.takeEntries = async () => undefined;
  }
});

/** Who commands and what they can do: hold, resume, hand over, skip, retry with a changed input, go on without a fence. */
import type { Decision } from '../../src/model/decision.js';
import { openToyWorld, permanent, statuses, type ToyRun, type ToyWorld } from '../support/toy-world.js';

let world: ToyWorld;

beforeAll(async () => {
  world = await openToyWorld();
});
afterAll(() => world.worker.stop());
beforeEach(() => {
  world.journal.length = 0;
  world.calls.length = 0;
  world.behave.clear();
});

const on = (choice: Decision['choice'], by: string, more: Partial<Decision> = {}): Decision => ({
  on: 'run',
  choice,
  by,
  ...more,
});
const breaks = (step: string, message = 'broken') =>
  world.behave.set(step, () => {
    throw permanent(message);
  });
const called = (step: string) => world.calls.filter((call) => call.step === step);

async function end(run: ToyRun): Promise<void> {
  await run.decide(on('abort', 'ada', { reason: 'test over' }));
  await run.result();
}

async function throughGates(run: ToyRun): Promise<void> {
  for (const gate of ['point', 'promote']) {
    await run.waitsFor(`gate-${gate}`);
    await run.decide({ on: gate, choice: 'approve', by: 'ada' });
  }
}

describe('a run that is held', () => {
  it('begins nothing new, says who holds it and why, and goes on where it was', async () => {
    const run = await world.start();
    await run.until((view) => statuses(view).verify === 'done');
    expect(await run.refused(on('resume', 'ada'))).toContain('The run is not held.');
    expect(await run.refused(on('hold', 'bob'))).toContain('needs a reason');
    await run.decide(on('hold', 'bob', { reason: 'the network team works there' }));
    expect(await run.refused(on('hold', 'ada', { reason: 'again' }))).toContain('bob holds the run already');
    await run.decide({ on: 'point', choice: 'approve', by: 'ada' });
    const held = await run.view();
    expect(held).toMatchObject({
      status: 'waiting',
      hold: { by: 'bob', reason: 'the network team works there', since: expect.any(String) },
    });
    expect(statuses(held)).toMatchObject({ 'gate-point': 'done', fence: 'pending' });
    expect(held.steering.map(({ choice }) => choice)).toEqual(['resume', 'hand-over', 'abort']);
    expect(await run.refused(on('resume', 'bob'))).toContain('ada commands this run: bob cannot resume.');
    await run.decide(on('resume', 'ada'));
    const going = await run.until((view) => statuses(view).fence === 'done');
    expect(going.hold).toBeUndefined();
    expect(going.clock.waitingMs).toBeGreaterThan(0);
    await end(run);
    expect(world.journal.map(({ kind }) => kind)).toEqual(expect.arrayContaining(['held', 'resumed']));
  });
});

describe('the command', () => {
  it('is handed over explicitly, and taken by an incident commander where it must be', async () => {
    const run = await world.start();
    await run.waitsFor('gate-point');
    expect((await run.view()).commander).toBe('ada');
    expect(await run.refused(on('hand-over', 'bob', { to: 'bob' }))).toContain('ada commands this run');
    expect(await run.refused(on('hand-over', 'ada', { to: 'zoe' }))).toBe('zoe is not on the roster of toy.');
    expect(await run.refused(on('hand-over', 'ada'))).toContain('who commands from then on');
    await run.decide(on('hand-over', 'ada', { to: 'bob' }));
    expect((await run.view()).commander).toBe('bob');
    expect(await run.refused(on('abort', 'ada', { reason: 'mine' }))).toContain('bob commands this run');
    await run.decide(on('hand-over', 'dee', { to: 'dee' }));
    await run.decide(on('abort', 'dee', { reason: 'test over' }));
    await run.result();
    expect(
      world.journal.filter(({ kind }) => kind === 'handed-over').map(({ by, text }) => [by, text]),
    ).toEqual([
      ['ada', 'bob commands from now on'],
      ['dee', 'dee commands from now on'],
    ]);
  });
});

describe('a step that failed for good', () => {
  it('is skipped with a reason where it may be, and the run ends recovered', async () => {
    breaks('protect', 'no room');
    const run = await world.start();
    await throughGates(run);
    const view = await run.waitsFor('protect');
    expect(view.openDecisions[0]?.choices).toEqual([
      { choice: 'retry', consequence: expect.any(String) },
      { choice: 'skip', consequence: 'there is no fresh backup' },
    ]);
    expect(await run.refused({ on: 'protect', choice: 'skip', by: 'ada' })).toContain('needs a reason');
    await run.decide({ on: 'protect', choice: 'skip', by: 'ada', reason: 'taken by hand' });
    const ended = (await run.result()).view;
    expect(ended.status).toBe('recovered');
    expect(ended.steps.find(({ name }) => name === 'protect')).toMatchObject({
      status: 'skipped',
      summary: 'skipped by ada: taken by hand',
    });
  });

  it('cannot be skipped where others rest on it', async () => {
    breaks('build');
    const run = await world.start();
    await run.waitsFor('build');
    expect(await run.refused({ on: 'build', choice: 'skip', by: 'ada', reason: 'x' })).toContain(
      'build cannot be skipped',
    );
    await end(run);
  });

  it('is tried again with another point: what rests on the old one is done and asked again', async () => {
    breaks('build', 'that backup is damaged');
    const run = await world.start();
    await run.waitsFor('gate-point');
    await run.decide({ on: 'point', choice: 'approve', by: 'ada' });
    const failed = await run.waitsFor('build');
    expect(failed.openDecisions.find(({ step }) => step === 'build')?.changes).toEqual({
      point: 'a moment, ISO 8601 with a zone',
    });
    await run.until((view) => statuses(view).fence === 'done');
    const retry: Decision = { on: 'build', choice: 'retry', by: 'ada' };
    expect(await run.refused({ ...retry, change: { target: 'moon' } })).toBe(
      'target cannot be changed at build. Can be changed here: point.',
    );
    world.behave.delete('build');
    await run.decide({ ...retry, change: { point: '2026-03-01T11:00:00Z' } });
    await run.waitsFor('gate-point');
    await throughGates(run);
    const { view, outputs } = await run.result();
    expect(view.status).toBe('recovered');
    expect(outputs.promote).toEqual({
      summary: 'promote of verify of build of propose of 2026-03-01T11:00:00Z',
    });
    expect(called('fence').map(({ saw }) => saw)).toEqual([
      'propose of noon',
      'propose of 2026-03-01T11:00:00Z',
    ]);
  });

  it('gets a new input itself', async () => {
    breaks('propose', 'nothing covers noon');
    const run = await world.start();
    await run.waitsFor('propose');
    world.behave.delete('propose');
    await run.decide({
      on: 'propose',
      choice: 'retry',
      by: 'ada',
      change: { point: '2026-03-01T11:00:00Z' },
    });
    const view = await run.until((later) => statuses(later).verify === 'done');
    expect(view.steps.find(({ name }) => name === 'verify')?.summary).toContain('2026-03-01T11:00:00Z');
    await end(run);
  });

  it('cannot get another input once the copy is promoted', async () => {
    breaks('protect');
    const run = await world.start();
    await throughGates(run);
    const view = await run.waitsFor('protect');
    expect(view.openDecisions[0]?.changes).toEqual({});
    await run.decide({ on: 'protect', choice: 'skip', by: 'ada', reason: 'test over' });
    await run.result();
  });
});

describe('a fence that cannot be proven', () => {
  const override = (by: string): Decision => ({
    on: 'fence',
    choice: 'override',
    by,
    reason: 'the site burns',
  });

  it('is gone without only when those of the runbook say so, and loudly', async () => {
    breaks('fence', 'nobody answers');
    const run = await world.start();
    await run.waitsFor('gate-point');
    await run.decide({ on: 'point', choice: 'approve', by: 'ada' });
    const view = await run.waitsFor('fence');
    expect(
      view.openDecisions.find(({ step }) => step === 'fence')?.choices.map(({ choice }) => choice),
    ).toEqual(['retry', 'override', 'abort']);
    expect(await run.refused(override('ada'))).toContain('ada (lead) cannot override');
    await run.decide(override('dee'));
    await run.waitsFor('gate-promote');
    expect((await run.view()).overrides).toMatchObject([
      { on: 'fence', by: ['dee'], without: 'the proof that the old primary takes no writes' },
    ]);
    expect(called('fence-without-proof').map(({ saw }) => saw)).toEqual(['dee: the site burns']);
    await end(run);
  });

  it('stays failed while the primary can be reached', async () => {
    breaks('fence', 'a write got in');
    breaks('fence-without-proof', 'a server is there');
    const run = await world.start();
    await run.waitsFor('gate-point');
    await run.decide({ on: 'point', choice: 'approve', by: 'ada' });
    await run.waitsFor('fence');
    expect(await run.refused(override('dee'))).toContain('fence stays as it is: a server is there');
    const view = await run.view();
    expect(statuses(view).fence).toBe('waiting');
    expect(view.overrides).toEqual([]);
    expect(await run.refused({ on: 'build', choice: 'override', by: 'dee', reason: 'x' })).toContain(
      'build is done',
    );
    await end(run);
  });
});

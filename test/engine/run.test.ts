import type { RunView } from '../../src/model/run.js';
import { held, openToyWorld, permanent, statuses, type ToyWorld } from '../support/toy-world.js';

let world: ToyWorld;

beforeAll(async () => {
  world = await openToyWorld();
});
afterAll(() => world.worker.stop());
beforeEach(() => {
  world.calls.length = 0;
  world.journal.length = 0;
  world.reports.length = 0;
  world.kept.length = 0;
  world.behave.clear();
});

const names = () => world.calls.map((call) => call.step);
const approve = (on: string) => ({ on, choice: 'approve' as const, by: 'ada' });

describe('a run that goes well', () => {
  it('does safe work while the gate waits, production work only behind it, and ends recovered', async () => {
    const run = await world.start();
    const atGate = await run.until(({ steps }) =>
      steps.some((step) => step.name === 'verify' && step.status === 'done'),
    );
    expect(statuses(atGate)).toMatchObject({ 'gate-point': 'waiting', build: 'done', fence: 'pending' });
    expect(names()).toEqual(['propose', 'build', 'verify']);
    expect(atGate.status).toBe('waiting');

    const answer = await run.decide(approve('point'));
    expect(answer).toEqual({ accepted: true, text: 'point: approved by ada. fences' });
    await run.waitsFor('gate-promote');
    await run.decide(approve('promote'));
    const { view, outputs } = await run.result();

    expect(view.status).toBe('recovered');
    expect(new Set(Object.values(statuses(view)))).toEqual(new Set(['done']));
    expect(names()).toEqual(['propose', 'build', 'verify', 'fence', 'promote', 'cutover', 'protect']);
    expect(outputs.promote).toEqual({ summary: 'promote of verify of build of propose of noon' });
    expect(view.clock.actualMs).toBe(view.clock.beforeStartMs + view.clock.workingMs + view.clock.waitingMs);
    expect(view.components).toEqual([
      { name: 'database', targetMs: 3_600_000, actualMs: expect.any(Number) },
    ]);
    expect(world.kept).toEqual([view]);
    expect(world.reports[0]?.view.status).toBe('recovered');
  });

  it('writes everything into the journal, the intent of what cannot be taken back before the act', async () => {
    const order: string[] = [];
    world.behave.set('fence', () => {
      order.push(
        ...world.journal.filter((entry) => entry.step === 'fence').map((entry) => entry.kind),
        'act',
      );
      return 'fenced';
    });
    const run = await world.start();
    await run.waitsFor('gate-point');
    await run.decide(approve('point'));
    await run.waitsFor('gate-promote');
    await run.decide({ ...approve('promote'), reason: 'all rungs passed' });
    await run.result();

    expect(order).toEqual(['step-intent', 'act']);
    expect(world.journal.map((entry) => entry.index)).toEqual(world.journal.map((_, index) => index + 1));
    expect(world.journal[0]?.kind).toBe('run-started');
    expect(world.journal.at(-1)).toMatchObject({ kind: 'run-ended', text: 'recovered' });
    expect(world.journal.filter((entry) => entry.kind === 'decision')).toMatchObject([
      { by: 'ada', step: 'gate-point' },
      { by: 'ada', text: 'approve promote: all rungs passed', facts: [{ label: 'verified' }] },
    ]);
  });
});

describe('a changed point', () => {
  it('does again what was built on the old one, also what is under way, and nothing else', async () => {
    const first = held();
    world.behave.set('verify', (call) =>
      call.saw.includes('noon') ? first.behaviour(call) : 'verified anew',
    );
    const run = await world.start();
    await run.until((view) => statuses(view).verify === 'running');
    const answer = await run.decide({ ...approve('point'), change: { point: '2026-03-01T11:00:00Z' } });
    expect(answer.text).toContain('with propose of 2026-03-01T11:00:00Z');
    const view = await run.waitsFor('gate-promote');

    expect(view.openDecisions[0]?.facts).toEqual([{ label: 'verified', value: 'verified anew' }]);
    expect(view.steps.find((step) => step.name === 'build')).toMatchObject({
      begun: 2,
      summary: 'build of propose of 2026-03-01T11:00:00Z',
    });
    expect(names().filter((name) => name === 'fence')).toHaveLength(1);
    expect(
      world.journal.filter((entry) => entry.kind === 'step-invalidated').map((entry) => entry.step),
    ).toEqual(['build', 'verify']);
    await run.decide({ on: 'run', choice: 'abort', by: 'ada', reason: 'test over' });
    await run.result();
  });

  it('is refused when it turns out to be unusable; the gate stays open', async () => {
    world.behave.set('propose', (call) => {
      if (call.saw !== 'noon') throw permanent('no backup covers it');
      return 'noon';
    });
    const run = await world.start();
    await run.waitsFor('gate-point');
    const message = await run.refused({ ...approve('point'), change: { point: '2020-01-01T00:00:00Z' } });
    expect(message).toContain('That point cannot be used: no backup covers it Mend it. Nothing was changed.');
    await run.decide(approve('point'));
    await run.waitsFor('gate-promote');
    await run.decide({ on: 'run', choice: 'abort', by: 'ada', reason: 'test over' });
    await run.result();
  });
});

describe('a step that fails for good', () => {
  it('waits for a person and goes on after a retry', async () => {
    let broken = true;
    world.behave.set('build', () => {
      if (broken) throw permanent('disk full');
      return 'built';
    });
    const run = await world.start();
    const view = await run.waitsFor('build');
    expect(view.openDecisions.find((open) => open.step === 'build')).toMatchObject({
      question: 'build failed: disk full Mend it.',
      choices: [{ choice: 'retry' }, { choice: 'abort', consequence: 'ends the run and undoes: tear down' }],
    });
    broken = false;
    await run.decide({ on: 'build', choice: 'retry', by: 'ada' });
    const after = await run.until((later) => statuses(later).verify === 'done');
    expect(after.steps.find((step) => step.name === 'build')).toMatchObject({ begun: 2, summary: 'built' });
    await run.decide({ on: 'run', choice: 'abort', by: 'ada', reason: 'test over' });
    await run.result();
  });
});

describe('abort', () => {
  it('cancels what is under way and undoes what was begun, newest first', async () => {
    const fence = held();
    world.behave.set('fence', fence.behaviour);
    const run = await world.start();
    await run.waitsFor('gate-point');
    await run.until((view) => statuses(view).verify === 'done');
    await run.decide(approve('point'));
    await run.until((view) => statuses(view).fence === 'running');
    const answer = await run.decide({ on: 'run', choice: 'abort', by: 'ada', reason: 'false alarm' });
    expect(answer.text).toBe('Accepted: it ends the run and undoes: lift the fence; tear down.');
    const { view } = await run.result();

    expect(view.status).toBe('aborted');
    expect(view.outcome).toBe('aborted by ada: false alarm');
    expect(names().slice(-2)).toEqual(['undo-fence', 'undo-build']);
    expect(names()).not.toContain('promote');
    expect(statuses(view)).toMatchObject({ fence: 'undone', build: 'undone', report: 'done' });
    expect(world.reports[0]?.view.status).toBe('aborted');
  });

  it('tells what could not be undone and ends as failed', async () => {
    world.behave.set('undo-build', () => {
      throw permanent('still mounted');
    });
    const run = await world.start();
    await run.waitsFor('gate-point');
    await run.until((view) => statuses(view).verify === 'done');
    await run.decide({ on: 'run', choice: 'abort', by: 'ada', reason: 'false alarm' });
    const { view } = await run.result();
    expect(view.status).toBe('failed');
    expect(view.warnings.map((warning) => warning.text)).toEqual([
      'Undo of build failed: still mounted Do it by hand: tear down.',
    ]);
  });

  it('is refused past the point of no return, also when the workflow is cancelled', async () => {
    const promotion = held();
    world.behave.set('promote', promotion.behaviour);
    const run = await world.start();
    await run.waitsFor('gate-point');
    await run.decide(approve('point'));
    await run.waitsFor('gate-promote');
    await run.decide(approve('promote'));
    await run.until((view) => statuses(view).promote === 'running');
    expect(await run.refused({ on: 'run', choice: 'abort', by: 'ada', reason: 'late doubt' })).toContain(
      'The point of no return has passed',
    );
    await run.handle.cancel();
    await run.until((view) => view.warnings.some((warning) => warning.text.includes('asked to cancel')));
    promotion.release('promoted');
    const { view } = await run.result();
    expect(view.status).toBe('recovered');
    expect(names()).not.toContain('undo-fence');
  });

  it('is what cancelling the workflow means before the point of no return', async () => {
    const run = await world.start();
    await run.until((view) => statuses(view).verify === 'done');
    await run.handle.cancel();
    const { view } = await run.result();
    expect(view).toMatchObject({
      status: 'aborted',
      outcome: 'aborted by Temporal: the workflow was cancelled',
    });
    expect(names()).toContain('undo-build');
  });
});

describe('a step that crawls', () => {
  it('is known to cost the RTO by what it reports, long before its budget is used up', async () => {
    const { behaviour, release } = held();
    world.behave.set('build', behaviour);
    world.progress = { build: { done: 1, total: 1_000, ratePerSecond: 0.1, unit: 'files', text: 'copying' } };
    const run = await world.start({ build: 12_000 });
    const told = ({ warnings }: RunView) => warnings.some(({ text }) => text.includes('will miss its RTO'));
    const view = await run.until(told);
    expect(view.warnings.map(({ text }) => text).join()).toMatch(
      /^database will miss its RTO of 1 h by .*, because of build$/,
    );
    release('built');
    world.progress = {};
    await run.decide({ on: 'run', choice: 'abort', by: 'ada', reason: 'test over' });
    await run.result();
  });
});

describe('decisions', () => {
  it('are refused with the reason and what is possible', async () => {
    const run = await world.start();
    await run.waitsFor('gate-point');
    await run.until((view) => statuses(view).verify === 'done');
    expect(await run.refused(approve('promote'))).toBe(
      'promote does not wait for a decision yet: before it come fence. Possible now: point (approve, deny, override); run (hold, hand-over, abort).',
    );
    expect(await run.refused({ ...approve('point'), by: 'zoe' })).toBe(
      'zoe is not on the roster of toy. On it: ada, bob, cy, dee, eve.',
    );
    expect(await run.refused({ ...approve('point'), by: 'bob' })).toBe(
      'bob (intern) cannot decide point: it asks for lead.',
    );
    expect(await run.refused({ on: 'point', choice: 'deny', by: 'ada' })).toContain('needs a reason');
    expect(await run.refused({ ...approve('point'), change: { point: 'yesterday' } })).toContain(
      'yesterday is not a time',
    );
    expect(await run.refused({ on: 'point', choice: 'retry', by: 'ada' })).toContain('is a gate');
    expect(await run.refused({ choice: 'approve', by: 'ada' } as never)).toBe('A decision needs on, a text.');
    await run.decide(approve('point'));
    await run.waitsFor('gate-promote');
    expect(await run.refused(approve('point'))).toMatch(
      /^point is decided already: approved by ada, at \d\d:\d\d:\d\d UTC\. Possible now: promote/,
    );
    expect(await run.refused(approve('nowhere'))).toContain(
      'There is no gate or step nowhere in this run. Its gates: point, promote.',
    );
    expect(await run.refused({ on: 'build', choice: 'retry', by: 'ada' })).toMatch(/^build is done, at /);
    await run.decide({ on: 'run', choice: 'abort', by: 'ada', reason: 'test over' });
    await run.result();
  });

  it('keep a denied gate open, with the reason shown', async () => {
    const run = await world.start();
    await run.waitsFor('gate-point');
    await run.decide({ on: 'point', choice: 'deny', by: 'ada', reason: 'too much lost' });
    const view = await run.view();
    expect(view.openDecisions[0]?.question).toBe('This point? Denied by ada: too much lost');
    await run.decide(approve('point'));
    await run.waitsFor('gate-promote');
    await run.decide({ on: 'run', choice: 'abort', by: 'ada', reason: 'test over' });
    await run.result();
  });

  it('come as signals too; a refused signal is seen in the warnings', async () => {
    const run = await world.start();
    await run.waitsFor('gate-point');
    await run.handle.signal('decide', { ...approve('point'), by: 'bob' });
    const view = await run.until((later) => later.warnings.length > 0);
    expect(view.warnings[0]?.text).toContain('bob (intern) cannot decide point');
    await run.handle.signal('decide', approve('point'));
    const later = await run.waitsFor('gate-promote');
    expect(later.steps.find((step) => step.name === 'gate-point')?.decisions).toMatchObject([
      { by: 'ada', channel: 'signal' },
    ]);
    await run.decide({ on: 'run', choice: 'abort', by: 'ada', reason: 'test over' });
    await run.result();
  });
});

describe('budgets', () => {
  it('warn at 50, 80 and 100 % and cancel nothing', async () => {
    const build = held();
    world.behave.set('build', build.behaviour);
    const run = await world.start({ build: 300 });
    const view = await run.until((later) => later.warnings.length === 3);
    expect(view.warnings.map((warning) => warning.text)).toEqual([
      'build: 50 % of 300 ms used',
      'build: 80 % of 300 ms used',
      'build: 100 % of 300 ms used',
    ]);
    expect(statuses(view).build).toBe('running');
    build.release('built late');
    await run.until((later) => statuses(later).verify === 'done');
    await run.decide({ on: 'run', choice: 'abort', by: 'ada', reason: 'test over' });
    await run.result();
  });
});

describe('a gate that nobody decides in time', () => {
  it('reminds, and reminds again', async () => {
    const run = await world.start({}, { expires: 300 });
    const view = await run.until((later) =>
      later.warnings.some(({ text }) => text.startsWith('point: open for')),
    );
    expect(view.warnings.map(({ text }) => text).slice(0, 3)).toEqual([
      'gate point: 50 % of 300 ms used; lead is awaited',
      'gate point: 80 % of 300 ms used; lead is awaited',
      'point: nobody decided within 300 ms; lead is awaited: This point?',
    ]);
    await run.decide({ on: 'run', choice: 'abort', by: 'ada', reason: 'test over' });
    await run.result();
  });

  it('escalates: others may decide then, and not before', async () => {
    const run = await world.start({}, { expires: 600, atExpiry: 'escalate', escalateTo: ['intern'] });
    await run.waitsFor('gate-point');
    expect(await run.refused({ ...approve('point'), by: 'bob' })).toContain('it asks for lead.');
    const view = await run.until(({ openDecisions }) =>
      openDecisions.some(({ roles }) => roles.includes('intern')),
    );
    expect(view.openDecisions[0]?.roles).toEqual(['lead', 'intern']);
    await run.decide({ ...approve('point'), by: 'bob' });
    await run.waitsFor('gate-promote');
    await run.decide({ on: 'run', choice: 'abort', by: 'ada', reason: 'test over' });
    await run.result();
  });

  it('is denied where the runbook says so, and stays open', async () => {
    const run = await world.start({}, { expires: 300, atExpiry: 'deny' });
    const view = await run.until(
      ({ openDecisions }) => openDecisions[0]?.question.includes('Denied') === true,
    );
    expect(view.openDecisions[0]?.question).toBe(
      'This point? Denied by the runbook: point: nobody decided within 300 ms',
    );
    expect(names()).not.toContain('fence');
    await run.decide(approve('point'));
    await run.waitsFor('gate-promote');
    await run.decide({ on: 'run', choice: 'abort', by: 'ada', reason: 'test over' });
    await run.result();
  });

  it('goes on by itself where the runbook says so, and the record says that nobody decided', async () => {
    const run = await world.start({}, { expires: 300, atExpiry: 'proceed' });
    const view = await run.waitsFor('gate-promote');
    expect(view.steps.find(({ name }) => name === 'gate-point')?.decisions).toMatchObject([
      { choice: 'approve', by: 'the runbook', channel: 'expiry' },
    ]);
    await run.decide({ on: 'run', choice: 'abort', by: 'ada', reason: 'test over' });
    await run.result();
  });
});

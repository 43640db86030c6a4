/** Two things at once, and things in the wrong order: what people and the engine do to a run at the same moment. */
import { Context } from '@temporalio/activity';
import { crossedScenario } from '../support/crossed-scenario.js';
import { alive, held, openToyWorld, statuses, type ToyWorld } from '../support/toy-world.js';

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
const saw = (step: string) => world.calls.filter((call) => call.step === step).map((call) => call.saw);
const approve = (on: string) => ({ on, choice: 'approve' as const, by: 'ada' });
const earlier = '2026-03-01T11:00:00Z';
const abort = { on: 'run', choice: 'abort' as const, by: 'ada', reason: 'false alarm' };

/** Work that goes on for a while after it was told to stop, as a statement on a server does. */
function stubborn() {
  let release: () => void = () => undefined;
  const released = new Promise<void>((resolve) => {
    release = resolve;
  });
  let told: () => void = () => undefined;
  const stopped = new Promise<void>((resolve) => {
    told = resolve;
  });
  return {
    stopped,
    release,
    behaviour: () =>
      alive(
        (async () => {
          Context.current().cancelled.catch(told);
          await released;
          return 'done all the same';
        })(),
      ),
  };
}

describe('work that does not stop at once', () => {
  it('is waited for before anything is undone', async () => {
    const fence = stubborn();
    world.behave.set('fence', fence.behaviour);
    const run = await world.start();
    await run.waitsFor('gate-point');
    await run.decide(approve('point'));
    await run.until(() => names().includes('fence'));
    await run.decide(abort);
    await fence.stopped;
    expect((await run.view()).status).toBe('undoing');
    expect(names()).not.toContain('undo-build');
    expect(names()).not.toContain('undo-fence');
    fence.release();
    const { view } = await run.result();
    expect(names().slice(-2)).toEqual(['undo-fence', 'undo-build']);
    expect(statuses(view)).toMatchObject({ fence: 'undone', build: 'undone' });
  });

  it('is waited for before it is done again on another point', async () => {
    const build = stubborn();
    let changed = false;
    world.behave.set('build', (call) => (changed ? `build of ${call.saw}` : build.behaviour()));
    const run = await world.start();
    await run.until((view) => names().includes('build') && view.openDecisions.length === 1);
    const decided = run.decide({ ...approve('point'), change: { point: earlier } });
    await build.stopped;
    changed = true;
    expect(saw('build')).toEqual(['propose of noon']);
    build.release();
    await decided;
    const view = await run.waitsFor('gate-promote');
    expect(saw('build')).toEqual(['propose of noon', `propose of ${earlier}`]);
    expect(view.steps.find((step) => step.name === 'build')?.summary).toBe(`build of propose of ${earlier}`);
    await run.decide(abort);
    await run.result();
  });
});

describe('while the point is being changed', () => {
  it('nothing begins on the old one', async () => {
    const [slow, apart] = [stubborn(), held()];
    let first = true;
    world.behave.set('slow', () => (first ? slow.behaviour() : 'slow'));
    world.behave.set('apart', apart.behaviour);
    const run = await world.start({}, {}, crossedScenario);
    await run.until(({ steps }) => {
      const now = Object.fromEntries(steps.map(({ name, status }) => [name, status]));
      return now.build === 'done' && names().includes('slow') && names().includes('apart');
    });
    const decided = run.decide({ ...approve('point'), change: { point: earlier } });
    await slow.stopped;
    first = false;
    apart.release('apart');
    await run.until((view) => statuses(view).apart === 'done');
    expect(names()).not.toContain('join');
    slow.release();
    await decided;
    await run.until((view) => statuses(view).join === 'done');
    expect(saw('join')).toEqual([`build of propose of ${earlier}`]);
    await run.decide(abort);
    await run.result();
  });

  it('what was approved on the old one is asked again', async () => {
    const run = await world.start({}, {}, crossedScenario);
    await run.waitsFor('gate-review');
    await run.decide(approve('review'));
    await run.decide({ ...approve('point'), change: { point: earlier } });
    const view = await run.waitsFor('gate-review');
    expect(view.openDecisions[0]?.facts).toEqual([
      { label: 'built', value: `build of propose of ${earlier}` },
    ]);
    expect(names()).not.toContain('end');
    await run.decide(approve('review'));
    expect((await run.result()).view.status).toBe('recovered');
  });

  it('the gate does not go on by itself with the old one', async () => {
    const [revision, verify] = [held(), held()];
    world.behave.set('propose', (call) => (call.saw === 'noon' ? 'noon' : revision.behaviour(call)));
    world.behave.set('verify', (call) => (call.saw.includes('noon') ? verify.behaviour(call) : 'verified'));
    const run = await world.start({ verify: 1_600 }, { expires: 400, atExpiry: 'proceed' });
    await run.until((view) => names().includes('verify') && view.openDecisions.length === 1);
    const decided = run.decide({ ...approve('point'), change: { point: earlier } });
    // By then the gate has expired.
    await run.until((view) => view.warnings.some(({ text }) => text.startsWith('verify: 50 %')));
    expect(names()).not.toContain('fence');
    revision.release('eleven');
    await decided;
    const view = await run.waitsFor('gate-promote');
    expect(saw('fence')).toEqual(['eleven']);
    expect(view.steps.find(({ name }) => name === 'gate-point')?.decisions).toMatchObject([
      { by: 'ada', channel: 'update' },
    ]);
    await run.decide(abort);
    await run.result();
  });

  it('an abort comes first: the change is refused, and what was begun is undone as it was', async () => {
    const revision = held();
    world.behave.set('propose', (call) => (call.saw === 'noon' ? 'noon' : revision.behaviour(call)));
    const run = await world.start();
    await run.until((view) => statuses(view).verify === 'done');
    const refused = run.refused({ ...approve('point'), change: { point: earlier } });
    await run.until(() => saw('propose').includes(earlier));
    await run.decide(abort);
    expect(await refused).toBe('The run was aborted by ada; nothing can be decided any more.');
    const { view, outputs } = await run.result();
    expect(view.status).toBe('aborted');
    expect(statuses(view)).toMatchObject({ build: 'undone', verify: 'done' });
    expect(outputs.propose).toEqual({ summary: 'noon' });
    expect(view.steps.find(({ name }) => name === 'gate-point')?.decisions).toMatchObject([
      { choice: 'abort' },
    ]);
  });

  it('an abort comes first also while work on the old point is still being stopped', async () => {
    const build = stubborn();
    world.behave.set('build', build.behaviour);
    const run = await world.start();
    await run.until((view) => names().includes('build') && view.openDecisions.length === 1);
    const refused = run.refused({ ...approve('point'), change: { point: earlier } });
    await build.stopped;
    await run.decide(abort);
    build.release();
    expect(await refused).toBe('The run was aborted by ada; nothing can be decided any more.');
    const { view, outputs } = await run.result();
    expect(statuses(view)).toMatchObject({ build: 'undone', fence: 'pending' });
    expect(outputs.propose).toEqual({ summary: 'propose of noon' });
    expect(saw('build')).toEqual(['propose of noon']);
  });

  it('is written down with what the approver had seen, not with what came of it', async () => {
    const run = await world.start();
    await run.waitsFor('gate-point');
    await run.decide({ ...approve('point'), change: { point: earlier } });
    const view = await run.waitsFor('gate-promote');
    expect(view.steps.find(({ name }) => name === 'gate-point')?.decisions).toMatchObject([
      { saw: [{ label: 'proposal', value: 'propose of noon' }], changed: `propose of ${earlier}` },
    ]);
    await run.decide(abort);
    await run.result();
  });
});

describe('once a run is being undone', () => {
  it('each undo outlasts the restart of what it needs, for nobody is asked to retry it', async () => {
    let failures = 2;
    world.behave.set('undo-build', () => {
      failures -= 1;
      if (failures >= 0) throw new Error('the vault is being restarted');
      return 'torn down';
    });
    const run = await world.start();
    await run.until((view) => statuses(view).verify === 'done');
    await run.decide(abort);
    expect((await run.result()).view.status).toBe('aborted');
    const { events } = await run.handle.fetchHistory();
    const scheduled = events?.map((event) => event.activityTaskScheduledEventAttributes);
    const undo = scheduled?.find((each) => each?.activityId?.startsWith('undo-build'));
    expect(undo?.retryPolicy?.maximumAttempts).toBe(15);
  });

  it('no gate goes on by itself and nobody is reminded', async () => {
    const build = stubborn();
    world.behave.set('build', build.behaviour);
    const run = await world.start({ build: 2_000 }, { expires: 600, atExpiry: 'proceed' });
    await run.until((view) => names().includes('build') && view.openDecisions.length === 1);
    await run.decide(abort);
    // By then the gate would have expired.
    await run.until((view) => view.warnings.some(({ text }) => text.startsWith('build: 50 %')));
    build.release();
    const { view } = await run.result();
    const decisions = view.steps.find(({ name }) => name === 'gate-point')?.decisions ?? [];
    expect(decisions).toMatchObject([{ choice: 'abort', by: 'ada' }]);
    const aborted = decisions[0]?.at ?? '';
    expect(view.warnings.filter(({ at, text }) => at > aborted && !text.startsWith('build'))).toEqual([]);
  });

  it('cancelling the workflow does not take the place of who aborted it', async () => {
    const undo = held();
    world.behave.set('undo-build', undo.behaviour);
    const run = await world.start();
    await run.until((view) => statuses(view).verify === 'done');
    await run.decide(abort);
    await run.until(() => names().includes('undo-build'));
    await run.handle.cancel();
    await run.handle.signal('decide', approve('point'));
    await run.until((view) => view.warnings.length > 0);
    undo.release('torn down');
    expect((await run.result()).view.outcome).toBe('aborted by ada: false alarm');
  });

  it('a signal that comes too late is refused, and the journal says so', async () => {
    const run = await world.start();
    await run.until((view) => statuses(view).verify === 'done');
    let late: Promise<void> | undefined;
    const { keep } = world;
    world.keep = async () => {
      late ??= run.handle.signal('decide', approve('point'));
      await late;
    };
    await run.decide(abort);
    await run.result();
    world.keep = keep;
    expect(world.journal.filter(({ kind }) => kind === 'warning')).toMatchObject([
      { text: expect.stringContaining('A signal was refused. The run was aborted by ada') },
    ]);
    expect(world.journal.map(({ index }) => index)).toEqual(world.journal.map((_, index) => index + 1));
  });
});

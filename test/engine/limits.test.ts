/** What a run refuses and bounds by itself, whoever speaks with it and however long it takes. */
import { randomUUID } from 'node:crypto';
import { ApplicationFailure } from '@temporalio/activity';
import { planHash } from '../../workflows/engine/hash.js';
import { crossedScenario } from '../support/crossed-scenario.js';
import { toyScenario } from '../support/toy-scenario.js';
import {
  openToyWorld,
  permanent,
  statuses,
  ToyRun,
  type ToyWorld,
  toyRunbook,
} from '../support/toy-world.js';

let world: ToyWorld;

beforeAll(async () => {
  world = await openToyWorld();
});
afterAll(() => world.worker.stop());
beforeEach(() => {
  world.calls.length = 0;
  world.journal.length = 0;
  world.behave.clear();
});

const names = () => world.calls.map((call) => call.step);
const approve = (on: string) => ({ on, choice: 'approve' as const, by: 'ada' });
const abort = { on: 'run', choice: 'abort' as const, by: 'ada', reason: 'test over' };

/** A run begun by whoever may speak with Temporal, past the command line. */
async function startedByHand(scenario: string, change: object): Promise<ToyRun> {
  const runbook = toyRunbook();
  const plan = (scenario === 'toy' ? toyScenario : crossedScenario).buildPlan(runbook);
  const runId = `toy-${randomUUID()}`;
  const input = {
    runId,
    mode: 'real',
    requestedBy: 'ada',
    detectedAt: new Date().toISOString(),
    planHash: planHash(plan.document),
    expectations: {},
    params: { point: 'noon' },
    runbook,
    ...change,
  };
  const { client, taskQueue } = world.worker;
  return new ToyRun(await client.workflow.start(scenario, { workflowId: runId, taskQueue, args: [input] }));
}

describe('a run that was started past the command line', () => {
  it.each([
    ['a mode that there is none of', { mode: 'Drill' }, 'mode is "Drill"; allowed are real and drill.'],
    [
      'no time of detection',
      { detectedAt: 'yesterday' },
      'detectedAt is "yesterday"; it is a time, ISO 8601.',
    ],
    ['something that is no runbook', { runbook: null }, 'cannot be planned, and nothing was begun'],
    ['the plan of another version', { planHash: 'f'.repeat(64) }, 'different versions of Muster'],
    ['a drill that would reach production', { mode: 'drill' }, 'these steps do: fence, promote, cutover'],
  ])('ends at once on %s', async (_what, change, message) => {
    const run = await startedByHand('toy', change);
    expect(await run.failure()).toContain(message);
    expect(world.calls).toEqual([]);
    expect(world.journal).toEqual([]);
  });

  it('may be a drill of what keeps to the sandbox', async () => {
    const run = await startedByHand('crossed', { mode: 'drill' });
    await run.waitsFor('gate-review');
    await run.decide(approve('review'));
    await run.decide(approve('point'));
    expect((await run.result()).view).toMatchObject({ status: 'recovered', mode: 'drill' });
  });
});

describe('what people send', () => {
  it('has to fit into every record of the run', async () => {
    const run = await world.start();
    await run.waitsFor('gate-point');
    const long = 'x'.repeat(2_001);
    expect(await run.refused({ ...approve('point'), reason: long })).toBe(
      'reason of a decision has 2000 characters at most; these are 2001.',
    );
    await run.handle.signal('decide', { ...approve('point'), by: 'y'.repeat(500_000) });
    const view = await run.until(({ warnings }) => warnings.length > 0);
    expect(view.warnings[0]?.text).toBe(
      'A signal was refused. by of a decision has 200 characters at most; these are 500000.',
    );
    await run.decide(abort);
    await run.result();
  });

  it('is all in the journal, however much it is; the view stays small', async () => {
    const run = await world.start();
    await run.until((view) => statuses(view).verify === 'done');
    const wrong = { ...approve('point'), by: 'zoe' };
    await Promise.all(Array.from({ length: 250 }, () => run.handle.signal('decide', wrong)));
    await run.decide(abort);
    const { view } = await run.result();
    expect(view.warnings).toHaveLength(200);
    expect(view.warnings[100]?.text).toBe('There were more warnings here: the journal holds all of them.');
    expect(world.journal.filter(({ kind }) => kind === 'warning')).toHaveLength(250);
  });
});

it('a gate that stays open reminds less and less often', async () => {
  const run = await world.start({}, { expires: 60 });
  const view = await run.until(({ clock }) => clock.waitingMs > 2_000);
  const reminders = view.warnings.filter(({ text }) => text.startsWith('point: open for'));
  expect(reminders.length).toBeGreaterThan(4);
  expect(reminders.length).toBeLessThan(20);
  await run.decide(abort);
  await run.result();
});

it('what a tool says without end is cut', async () => {
  world.behave.set('build', () => {
    throw permanent('disk full '.repeat(2_000));
  });
  const run = await world.start();
  const view = await run.waitsFor('build');
  expect(view.steps.find(({ name }) => name === 'build')?.failure?.message).toHaveLength(4_001);
  await run.decide(abort);
  await run.result();
});

describe('a journal that nobody takes', () => {
  it('holds the fence up for a moment only, and is written in the end', async () => {
    let broken = true;
    world.takeEntries = async () => {
      if (broken) throw new Error('neither store nor spool');
    };
    const run = await world.start({ fence: 2_000 });
    await run.waitsFor('gate-point');
    await run.decide(approve('point'));
    const view = await run.waitsFor('gate-promote');
    expect(statuses(view).fence).toBe('done');
    expect(view.warnings.map(({ text }) => text)).toContainEqual(
      expect.stringContaining(
        'fence goes on although neither store nor spool has taken its intent for 200 ms',
      ),
    );
    expect(world.journal).toEqual([]);
    broken = false;
    await run.decide(abort);
    await run.result();
    expect(world.journal.map(({ index }) => index)).toEqual(world.journal.map((_, index) => index + 1));
    expect(world.journal.at(-1)).toMatchObject({ kind: 'run-ended' });
  });
});

describe('a promotion that fails', () => {
  const promoting = async (details: object) => {
    world.behave.set('promote', () => {
      throw ApplicationFailure.nonRetryable('the copy has moved', 'NotAtPoint', details);
    });
    const run = await world.start();
    await run.waitsFor('gate-point');
    await run.decide(approve('point'));
    await run.waitsFor('gate-promote');
    await run.decide(approve('promote'));
    return { run, view: await run.waitsFor('promote') };
  };

  it('and has done nothing can be called off', async () => {
    const { run, view } = await promoting({ next: 'Begin again.', nothingDone: true });
    expect(view.pointOfNoReturnPassed).toBe(false);
    expect(view.openDecisions[0]?.choices.map(({ choice }) => choice)).toEqual(['retry', 'abort']);
    await run.decide(abort);
    expect((await run.result()).view.status).toBe('aborted');
    expect(names().slice(-2)).toEqual(['undo-fence', 'undo-build']);
  });

  it('and may have done something can only be done again', async () => {
    const { run, view } = await promoting({ next: 'Look.' });
    expect(view.pointOfNoReturnPassed).toBe(true);
    expect(await run.refused(abort)).toContain('The point of no return has passed');
    world.behave.delete('promote');
    await run.decide({ on: 'promote', choice: 'retry', by: 'ada' });
    expect((await run.result()).view.status).toBe('recovered');
  });
});

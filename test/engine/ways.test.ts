/** A plan with two ways: one is gone, the other has nothing to do; people may turn round until nothing can be taken back. */
import { forkedScenario } from '../support/forked-scenario.js';
import { openToyWorld, permanent, statuses, type ToyWorld } from '../support/toy-world.js';

let world: ToyWorld;

beforeAll(async () => {
  world = await openToyWorld();
});
afterAll(() => world.worker.stop());
beforeEach(() => {
  world.calls.length = 0;
  world.behave.clear();
  world.behave.set('look', () => 'ready');
});

const names = () => world.calls.map((call) => call.step);
const approve = (on: string) => ({ on, choice: 'approve' as const, by: 'ada' });

it('does nothing on the way that is not gone, and says so', async () => {
  const run = await world.start({}, {}, forkedScenario);
  await run.waitsFor('gate-point');
  await run.decide(approve('point'));
  const seen = await run.waitsFor('gate-promote');
  expect(seen.openDecisions[0]?.facts).toEqual([
    { label: 'ready', value: expect.stringContaining('verify-ready') },
    { label: 'built', value: 'nothing to do: it is not built' },
  ]);
  await run.decide(approve('promote'));
  const { view } = await run.result();
  expect(view.status).toBe('recovered');
  expect(names()).toEqual(['look', 'fence', 'make-ready', 'verify-ready', 'promote']);
});

it('goes the other way when an approver says so at the gate', async () => {
  const run = await world.start({}, {}, forkedScenario);
  await run.waitsFor('gate-point');
  expect(await run.refused({ ...approve('point'), change: { target: 'nowhere' } })).toContain('ready, built');
  await run.decide({ ...approve('point'), change: { target: 'built' } });
  await run.waitsFor('gate-promote');
  expect(names().filter((name) => /make|verify/.test(name))).toEqual(['make-built', 'verify-built']);
  await run.decide({ on: 'run', choice: 'abort', by: 'ada', reason: 'enough was seen' });
  expect((await run.result()).view.status).toBe('aborted');
  // What was never made is not unmade either.
  expect(
    names()
      .filter((name) => /^un/.test(name))
      .sort(),
  ).toEqual(['undo-fence', 'unmake-built']);
});

it('turns round at a step that failed: what was made is undone, fence and approval stand', async () => {
  world.behave.set('verify-ready', () => {
    throw permanent('a page is bad');
  });
  const run = await world.start({}, {}, forkedScenario);
  await run.waitsFor('gate-point');
  await run.decide(approve('point'));
  const failed = await run.waitsFor('verify-ready');
  expect(failed.openDecisions[0]?.changes).toEqual({ target: 'ready or built' });
  await run.decide({ on: 'verify-ready', choice: 'retry', by: 'ada', change: { target: 'built' } });
  const seen = await run.waitsFor('gate-promote');
  expect(statuses(seen)).toMatchObject({ 'gate-point': 'done', fence: 'done', 'verify-ready': 'done' });
  await run.decide(approve('promote'));
  await run.result();
  expect(names()).toEqual([
    ...['look', 'fence', 'make-ready', 'verify-ready', 'unmake-ready'],
    ...['make-built', 'verify-built', 'promote'],
  ]);
  expect(world.calls.at(-1)?.saw).toContain('verify-built');
});

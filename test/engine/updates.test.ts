/** Who commands is reminded of people outside, as often as the runbook says, until the service is back. */

import type { RunView } from '../../src/model/run.js';
import { updateDue } from '../../workflows/engine/updates.js';
import { toyScenario } from '../support/toy-scenario.js';
import { openToyWorld, type ToyWorld } from '../support/toy-world.js';

let world: ToyWorld;
beforeAll(async () => {
  world = await openToyWorld();
});
afterAll(() => world.worker.stop());

const approve = (on: string) => ({ on, choice: 'approve' as const, by: 'ada' });
const reminders = ({ warnings }: RunView) => warnings.filter(({ text }) => text.startsWith('people outside'));

it('reminds at once and again, with the command, and no more once the service is back', async () => {
  const run = await world.start({}, {}, toyScenario, { updates: { every: 400 } });
  const seen = await run.until((view) => reminders(view).length >= 2);
  expect(reminders(seen)[0]?.text).toBe(
    'people outside wait for an update: muster update toy --next "400 ms"',
  );
  await run.waitsFor('gate-point');
  await run.decide(approve('point'));
  await run.waitsFor('gate-promote');
  await run.decide(approve('promote'));
  const { view } = await run.result();
  expect(view.status).toBe('recovered');
  const back = Date.parse(view.clock.detectedAt) + (view.clock.actualMs ?? 0);
  expect(reminders(view).filter(({ at }) => Date.parse(at) > back)).toEqual([]);
}, 30_000);

it('a runbook that says nothing of it reminds nobody', async () => {
  const run = await world.start();
  expect(reminders(await run.waitsFor('gate-point'))).toEqual([]);
  await run.decide({ on: 'run', choice: 'abort', by: 'ada', reason: 'seen' });
  await run.result();
}, 30_000);

it('names the channel, and says when there is good news', () => {
  const view = { system: 'toy', mode: 'real', commander: 'ada', clock: { actualMs: 1 }, steps: [] };
  const people = [{ name: 'ada', roles: ['lead'], contacts: ['mailto:ada@toy'] }];
  const notice = updateDue(
    { every: 1_800_000, channel: 'status-page' },
    'back',
  )({
    view: view as unknown as RunView,
    people,
  });
  expect(notice).toMatchObject({
    kind: 'update-due',
    title: 'The service is back: tell people outside.',
    to: ['ada'],
  });
  expect(notice.actions[0]?.label).toBe('muster update toy --next "30 min" --send status-page');
});

/** What can be known of runs when their worker is gone. */
import { decide } from '../../src/temporal/decide.js';
import { lookAt } from '../../src/temporal/observe.js';
import type { RunHandle } from '../../src/temporal/runs.js';
import { type CliTestWorld, openCliWorld } from '../support/cli-world.js';
import { eventually } from '../support/eventually.js';

let world: CliTestWorld;
beforeAll(async () => {
  world = await openCliWorld();
});
afterAll(() => world.session.close());

const openAt = (run: RunHandle, gate: string) =>
  eventually(async () => {
    const { view } = await lookAt(world.session, run);
    const open = view?.openDecisions.find((each) => each.gate === gate);
    if (open === undefined) throw new Error(`not at the gate ${gate}`);
    return open;
  });

test('a run that is over still tells how it ended, one under way is told to be silent', async () => {
  const [over, underWay] = [await world.start(), await world.start()];
  for (const gate of ['point', 'promote']) {
    await decide(world.session, over, { on: gate, choice: 'approve', by: 'ada' }, await openAt(over, gate));
  }
  await world.session.client.workflow.getHandle(over.workflowId).result();
  await openAt(underWay, 'point');
  await world.toy.worker.stop();

  expect((await lookAt(world.session, over)).view?.status).toBe('recovered');
  const late = decide(world.session, over, { on: 'promote', choice: 'deny', by: 'ada' }, undefined);
  await expect(late).rejects.toMatchObject({ code: 'RunOver' });
  const silent = await lookAt(world.session, underWay);
  expect(silent.view).toBeUndefined();
  expect(silent.trouble).toContain('the worker of this run does not answer');
  const status = await world.muster('status', underWay.system);
  expect(status.stdout).toMatch(/NO ANSWER +the worker of this run does not answer/);
});

/** A drill gives way to a real recovery of its system. */

import { workflowIdOf } from '../../src/temporal/names.js';
import { preEmptDrill } from '../../src/temporal/pre-empt.js';
import { refuseSecondRun } from '../../src/temporal/runs.js';
import { type CliTestWorld, openCliWorld } from '../support/cli-world.js';

let world: CliTestWorld;
beforeAll(async () => {
  world = await openCliWorld();
});
afterAll(() => world.close());

test('a drill that is active undoes what it made and ends, naming the real run', async () => {
  const { system, runId } = await world.start('drill');
  await world.musterUntil(({ stdout }) => stdout.includes(`approve ${system} point`), 'status', system);
  const by = { runId: 'real-run', by: 'ada' };
  expect(await preEmptDrill(world.session, system, by)).toEqual({ drill: runId });
  const ended = await world.musterUntil(({ stdout }) => stdout.includes('ABORTED'), 'status', system);
  expect(ended.stdout).toContain('the real recovery real-run goes first');
  // It is told as ended before Temporal has closed it.
  await world.session.client.workflow.getHandle(workflowIdOf(system, 'drill')).result();
  // Nobody is there any more who could give way.
  expect(await preEmptDrill(world.session, system, by)).toBeUndefined();
});

test('a real run gives way to nobody, and the second of its system is refused by who runs what since when', async () => {
  const { system, runId } = await world.start();
  expect(await preEmptDrill(world.session, system, { runId: 'other', by: 'ada' })).toBeUndefined();
  await expect(refuseSecondRun(world.session, system, 'real')).rejects.toMatchObject({
    code: 'RunActive',
    message: expect.stringMatching(new RegExp(`${runId}, started by ada at \\d{4}-`)),
  });
  await world.muster('abort', system, '--by', 'ada', '--reason', 'end of the test');
});

import type { TemporalSession } from '../../src/temporal/connection.js';
import { lookAt } from '../../src/temporal/observe.js';
import type { RunHandle } from '../../src/temporal/runs.js';

const run = { workflowId: 'payymo.real', temporalRunId: 'one', system: 'payymo' } as RunHandle;

function describedWith(attempt: number | undefined, query: () => Promise<unknown>): TemporalSession {
  const pendingWorkflowTask = attempt === undefined ? undefined : { attempt };
  const describe = async () => ({ status: { name: 'RUNNING' }, raw: { pendingWorkflowTask } });
  return {
    target: { address: 'here' },
    client: { options: {}, workflow: { getHandle: () => ({ describe, query }) } },
    connection: { withDeadline: (_deadline: number, work: () => unknown) => work() },
  } as unknown as TemporalSession;
}

test('a run whose task was lost with its worker is not asked', async () => {
  let asked = 0;
  const ask = async () => {
    asked += 1;
    return { status: 'running' };
  };
  expect(await lookAt(describedWith(2, ask), run)).toEqual({
    activity: {},
    trouble:
      'the worker of this run does not answer (its workflow task was lost and is given again, attempt 2)',
  });
  expect(asked).toBe(0);
  expect(await lookAt(describedWith(1, ask), run)).toEqual({ view: { status: 'running' }, activity: {} });
  expect(await lookAt(describedWith(undefined, ask), run)).toMatchObject({ view: { status: 'running' } });
});

/** A decision that Temporal does not pass on is answered in words that help. */
import { ServiceError } from '@temporalio/client';
import type { TemporalSession } from '../../src/temporal/connection.js';
import { decide } from '../../src/temporal/decide.js';
import type { RunHandle } from '../../src/temporal/runs.js';

const run = { workflowId: 'payymo.real', temporalRunId: 'one', system: 'payymo' } as RunHandle;
const hold = { on: 'run', choice: 'hold', by: 'on-call', reason: 'a test' } as const;

/** What the server and its client say once a worker has failed at a run again and again. */
function stumbling(code: number, details: string): TemporalSession {
  const cause = Object.assign(new Error(`${code} ${details}`), { code, details, metadata: {} });
  const executeUpdate = async () => {
    throw new ServiceError('Workflow Update failed', { cause });
  };
  return {
    client: { workflow: { getHandle: () => ({ executeUpdate }) } },
    connection: { withDeadline: (_deadline: number, work: () => unknown) => work() },
  } as unknown as TemporalSession;
}

test('a run over which its worker stumbles', async () => {
  const session = stumbling(
    9,
    'Unable to perform workflow execution update due to Workflow Task in failed state.',
  );
  await expect(decide(session, run, hold, undefined)).rejects.toMatchObject({
    code: 'RunStumbles',
    message:
      'The decision to hold run was not taken: the worker fails at this run, and tries again and again.',
    next: expect.stringContaining('muster status payymo'),
  });
});

test('anything else is passed on as it is', async () => {
  await expect(decide(stumbling(13, 'broken'), run, hold, undefined)).rejects.toThrow(
    'Workflow Update failed',
  );
});

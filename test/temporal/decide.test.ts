/** A decision that Temporal does not pass on is answered in words that help. */
import { ServiceError, WorkflowUpdateFailedError } from '@temporalio/client';
import type { TemporalSession } from '../../src/temporal/connection.js';
import { decide } from '../../src/temporal/decide.js';
import type { RunHandle } from '../../src/temporal/runs.js';

const run = { workflowId: 'payymo.real', temporalRunId: 'one', system: 'payymo' } as RunHandle;
const hold = { on: 'run', choice: 'hold', by: 'on-call', reason: 'a test' } as const;

type Sent = (name: string, options: { readonly updateId: string }) => Promise<unknown>;

/** What the server and its client say once a worker has failed at a run again and again. */
function stumbling(code: number, details: string): TemporalSession {
  const cause = Object.assign(new Error(`${code} ${details}`), { code, details, metadata: {} });
  return answering(async () => {
    throw new ServiceError('Workflow Update failed', { cause });
  });
}

function answering(executeUpdate: Sent): TemporalSession {
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

test('a word that a worker has passed over is given once more, under another ID', async () => {
  const ids: string[] = [];
  const session = answering(async (_name, { updateId }) => {
    ids.push(updateId);
    if (ids.length > 1) return { accepted: true, text: 'held' };
    throw new WorkflowUpdateFailedError(
      'Workflow Update failed',
      new Error("Workflow Update ID one wasn't processed by worker."),
    );
  });
  expect(await decide(session, run, hold, undefined)).toEqual({ accepted: true, text: 'held' });
  expect(new Set(ids).size).toBe(2);
});

test('a refusal is not asked again', async () => {
  let asked = 0;
  const session = answering(async () => {
    asked += 1;
    throw new WorkflowUpdateFailedError('Workflow Update failed', new Error('It is held already.'));
  });
  await expect(decide(session, run, hold, undefined)).rejects.toMatchObject({ code: 'DecisionRefused' });
  expect(asked).toBe(1);
});

test('anything else is passed on as it is', async () => {
  await expect(decide(stumbling(13, 'broken'), run, hold, undefined)).rejects.toThrow(
    'Workflow Update failed',
  );
});

/**
 * A run is asked how it stands while no worker is there, something happens to it meanwhile, and a decision is sent. The worker
 * that comes is given the question first, with a history that it has never been told to work on.
 */
import { Client, Connection, type WorkflowHandle, WorkflowUpdateFailedError } from '@temporalio/client';
import { Worker } from '@temporalio/worker';
import { eventually } from '../support/eventually.js';
import { IN_CLEAR, sharedTemporal, startWorker, type TestWorker, testBundle } from '../support/temporal.js';

async function waiting(handle: WorkflowHandle): Promise<void> {
  const { raw } = await handle.describe();
  if (raw.pendingWorkflowTask == null) throw new Error('nothing has happened to it yet');
}

/** The task that is done again may take the word with it: the sender is told that it was not processed, and gives it again. */
async function approve(handle: WorkflowHandle): Promise<void> {
  for (;;) {
    try {
      return await handle.executeUpdate('tell', { args: ['approve'] });
    } catch (error) {
      const why = error instanceof WorkflowUpdateFailedError ? (error.cause?.message ?? '') : '';
      if (!why.includes("wasn't processed by worker")) throw error;
    }
  }
}

it('keeps a run replayable that was asked while it waited for a worker', async () => {
  const first = await startWorker({});
  const { taskQueue } = first;
  const connection = await Connection.connect({ address: (await sharedTemporal()).address });
  let second: TestWorker | undefined;
  try {
    const { workflow } = new Client({ connection });
    const run = await workflow.start('waking', { taskQueue, workflowId: taskQueue, args: [4_000] });
    await run.query('told');
    await first.stop();
    const asked = Array.from({ length: 3 }, () => run.query('told').catch(() => undefined));
    await eventually(() => waiting(run));
    const decided = approve(run);
    second = await startWorker({}, IN_CLEAR, taskQueue);
    await Promise.all([...asked, decided]);
    expect(await run.query('told')).toEqual(['approve']);
    const history = await run.fetchHistory();
    await Worker.runReplayHistory({ workflowBundle: await testBundle() }, history);
  } finally {
    await second?.stop();
    await connection.close();
  }
}, 180_000);

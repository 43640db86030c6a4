/** Whether anybody takes the work. */
import { RefusedError } from '../errors.js';
import { TASK_QUEUE } from '../model/task-queue.js';
import type { TemporalSession } from './connection.js';
import { CALL_MS } from './runs.js';

// temporal.api.enums.v1.TaskQueueType
const WORKFLOW = 1;
const ACTIVITY = 2;

/**
 * Looks whether a worker polls the queue for workflows and for activities.
 *
 * @returns milliseconds since the one that is rarer was seen, by this machine's clock; a worker asks again at least once a
 *   minute, and the server forgets one that does not within five
 * @throws RefusedError `NoWorker` with how to start one
 */
export async function requireWorker(
  session: TemporalSession,
  taskQueue: string = TASK_QUEUE,
): Promise<number> {
  const seen = await Promise.all([WORKFLOW, ACTIVITY].map((type) => lastSeen(session, taskQueue, type)));
  const oldest = Math.min(...seen);
  if (oldest > 0) return Math.max(0, Date.now() - oldest);
  const { address, namespace } = session.target;
  throw new RefusedError(
    'NoWorker',
    `No worker takes work from the queue ${taskQueue} at ${address} (namespace ${namespace}). Nothing has been started.`,
    {
      next: 'Start one where the recovery is to run: node dist/src/worker.js (in the lab: muster lab up). Then give the command again.',
      details: { address, namespace, taskQueue },
    },
  );
}

/** When the latest poll was, milliseconds since 1970; 0 where there is none. */
async function lastSeen(session: TemporalSession, taskQueue: string, taskQueueType: number): Promise<number> {
  const { pollers } = await session.connection.withDeadline(Date.now() + CALL_MS, () =>
    session.connection.workflowService.describeTaskQueue({
      namespace: session.target.namespace,
      taskQueue: { name: taskQueue },
      taskQueueType,
    }),
  );
  return Math.max(
    0,
    ...(pollers ?? []).map(({ lastAccessTime }) => Number(lastAccessTime?.seconds ?? 0) * 1000),
  );
}

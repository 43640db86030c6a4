/** Whether anybody takes the work. */
import { RefusedError } from '../errors.js';
import { TASK_QUEUE } from '../model/task-queue.js';
import type { TemporalSession } from './connection.js';
import { CALL_MS } from './runs.js';

// temporal.api.enums.v1.TaskQueueType
const WORKFLOW = 1;
const ACTIVITY = 2;

export interface WorkersSeen {
  /**
   * Milliseconds since one was seen, by this machine's clock. A worker asks at least once a minute; the server forgets one
   * that has not asked for five.
   */
  readonly agoMs: number;
  /** As they call themselves: `muster@host:pid`. */
  readonly identities: readonly string[];
}

/**
 * Looks whether a worker polls the queue, for workflows and for activities.
 * @throws RefusedError `NoWorker` with how to start one
 */
export async function requireWorker(
  session: TemporalSession,
  taskQueue: string = TASK_QUEUE,
): Promise<WorkersSeen> {
  const [workflows, activities] = await Promise.all([
    pollersOf(session, taskQueue, WORKFLOW),
    pollersOf(session, taskQueue, ACTIVITY),
  ]);
  const seenAt = Math.min(newest(workflows), newest(activities));
  if (seenAt > 0) {
    return {
      agoMs: Math.max(0, Date.now() - seenAt),
      identities: activities.map(({ identity }) => identity),
    };
  }
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

interface Poller {
  readonly identity: string;
  /** Milliseconds since 1970. */
  readonly seenAt: number;
}

async function pollersOf(
  session: TemporalSession,
  taskQueue: string,
  taskQueueType: number,
): Promise<readonly Poller[]> {
  const { pollers } = await session.connection.withDeadline(Date.now() + CALL_MS, () =>
    session.connection.workflowService.describeTaskQueue({
      namespace: session.target.namespace,
      taskQueue: { name: taskQueue },
      taskQueueType,
    }),
  );
  return (pollers ?? []).map(({ identity, lastAccessTime }) => ({
    identity: identity ?? '',
    seenAt: Number(lastAccessTime?.seconds ?? 0) * 1000,
  }));
}

function newest(pollers: readonly Poller[]): number {
  return Math.max(0, ...pollers.map(({ seenAt }) => seenAt));
}

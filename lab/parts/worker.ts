import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { TASK_QUEUE } from '../../src/model/task-queue.js';
import { partsFile } from '../../src/parts.js';
import { WORKER_ENV, WORKER_NODE_OPTIONS } from '../../src/worker-process.js';
import { projectRoot } from '../built.js';
import { labEnvironment } from '../environment.js';
import type { LabState } from '../state.js';
import type { PartContext } from './all.js';
import type { PartSpec } from './part.js';

/** Muster's worker; undefined while it has not been built. It answers when Temporal has seen it ask for work. */
export function workerPart({ layout, state }: PartContext): PartSpec | undefined {
  const dist = join(projectRoot(), 'dist');
  const program = join(dist, 'src', 'worker.js');
  if (![program, join(dist, 'workflow-bundle.js')].every((file) => existsSync(file))) return undefined;
  return {
    name: 'worker',
    command: process.execPath,
    args: [...WORKER_NODE_OPTIONS, program],
    env: { ...labEnvironment(state), ...WORKER_ENV, MUSTER_PARTS: partsFile() },
    cwd: layout.worker,
    address: state.temporal.address,
    logFile: join(layout.logs, 'worker.log'),
    stopSignal: 'SIGKILL',
    deadlineMs: 60_000,
    answers: () => asksForWork(state, ''),
    answersAs: (pid) => asksForWork(state, `:${pid}`),
  };
}

/** Temporal remembers those who asked for minutes: the worker is told from an earlier one by the end of its identity. */
async function asksForWork({ temporal }: LabState, identityEnd: string): Promise<void> {
  const queue = `${temporal.httpUrl}/api/v1/namespaces/${temporal.namespace}/task-queues/${TASK_QUEUE}`;
  const answer = await fetch(`${queue}?taskQueueType=TASK_QUEUE_TYPE_ACTIVITY`, {
    signal: AbortSignal.timeout(3_000),
  });
  const { pollers = [] } = (await answer.json()) as { pollers?: { identity: string }[] };
  if (!pollers.some(({ identity }) => identity.endsWith(identityEnd))) {
    throw new Error('it has not asked for work yet');
  }
}

import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { workerAsks } from '../../src/embedded/temporal-server.js';
import { TASK_QUEUE } from '../../src/model/task-queue.js';
import { partsFile } from '../../src/parts.js';
import { WORKER_ENV, WORKER_NODE_OPTIONS } from '../../src/worker-process.js';
import { projectRoot } from '../built.js';
import { labEnvironment } from '../environment.js';
import { portOf } from '../ports.js';
import type { PartContext } from './all.js';
import type { PartSpec } from './part.js';

/** Muster's worker; undefined while it has not been built. It answers when Temporal has seen it ask for work. */
export function workerPart({ layout, state }: PartContext): PartSpec | undefined {
  const dist = join(projectRoot(), 'dist');
  const program = join(dist, 'src', 'worker.js');
  if (![program, join(dist, 'workflow-bundle.js')].every((file) => existsSync(file))) return undefined;
  const httpPort = portOf(state.temporal.httpUrl);
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
    answers: () => workerAsks(httpPort, TASK_QUEUE, ''),
    answersAs: (pid) => workerAsks(httpPort, TASK_QUEUE, `:${pid}`),
  };
}

/** node deploy/worker/healthy.mjs: exit code 0 when the worker in this container has lately asked Temporal for work. */

import { hostname } from 'node:os';
import process from 'node:process';
import { Connection } from '@temporalio/client';
import { loadClientConnectConfig } from '@temporalio/envconfig';
import { TASK_QUEUE } from '../../dist/src/model/task-queue.js';

const POLLED_WITHIN_MS = 120_000;

const { connectionOptions, namespace = 'default' } = loadClientConnectConfig();
const connection = await Connection.connect({ ...connectionOptions, connectTimeout: 5_000 });
try {
  const { pollers = [] } = await connection.withDeadline(Date.now() + 5_000, () =>
    connection.workflowService.describeTaskQueue({
      namespace,
      taskQueue: { name: TASK_QUEUE },
      taskQueueType: 2,
    }),
  );
  const mine = (pollers ?? []).filter(({ identity }) => identity?.startsWith(`muster@${hostname()}:`));
  const lately = mine.some(
    ({ lastAccessTime }) => Date.now() - Number(lastAccessTime?.seconds ?? 0) * 1_000 < POLLED_WITHIN_MS,
  );
  if (!lately) {
    process.stderr.write(
      `No worker of ${hostname()} has asked for work within ${POLLED_WITHIN_MS / 1_000} s.\n`,
    );
    process.exitCode = 1;
  }
} finally {
  await connection.close();
}

/** Muster's worker: takes the steps of runs from Temporal and does them. Add workers to scale out or to stand by. */
import { existsSync } from 'node:fs';
import { hostname } from 'node:os';
import { fileURLToPath } from 'node:url';
import { Connection } from '@temporalio/client';
import { loadClientConnectConfig } from '@temporalio/envconfig';
import { DefaultLogger, type LogEntry, NativeConnection, Runtime, Worker } from '@temporalio/worker';
import { createActivities } from '../activities/index.js';
import { activityInterceptor } from '../activities/interceptor.js';
import { keepCodecEndpoint } from './codec-endpoint/keep.js';
import { InputError, MusterError, messageOf, TransientError } from './errors.js';
import { createLog, type Logger } from './log.js';
import { TASK_QUEUE } from './model/task-queue.js';
import { closeRecorder, recorder } from './store/recorder.js';
import { dataConverterFor, encryption, PAYLOADS_IN_CLEAR } from './temporal/codec-converter.js';
import { ensureSearchAttributes } from './temporal/search-attributes.js';
import { CACHED_RUNS } from './worker-process.js';

const bundle = fileURLToPath(new URL('../workflow-bundle.js', import.meta.url));

async function main(log: Logger): Promise<void> {
  if (!existsSync(bundle)) {
    throw new InputError(
      'The workflows are not built.',
      [{ field: 'workflow-bundle.js', given: 'nothing', allowed: bundle }],
      { next: 'Run npm run build.' },
    );
  }
  // Before anything else: a worker that cannot encrypt must not begin.
  const dataConverter = await dataConverterFor(process.env);
  if (encryption(process.env) === 'off') log.warn(PAYLOADS_IN_CLEAR);
  Runtime.install({ logger: temporalLog(log), shutdownSignals: ['SIGTERM', 'SIGINT'] });
  const { connectionOptions, namespace = 'default' } = loadClientConnectConfig();
  const address = connectionOptions.address ?? 'localhost:7233';
  // What an earlier worker could not send goes to the store now, not with the next run.
  recorder();
  const endpoint = await keepCodecEndpoint(process.env, dataConverter.payloadCodecs?.[0], log);
  const { native, connection } = await connect(connectionOptions, address);
  try {
    await ensureSearchAttributes(connection, namespace);
    const worker = await Worker.create({
      connection: native,
      namespace,
      taskQueue: TASK_QUEUE,
      identity: `muster@${hostname()}:${process.pid}`,
      workflowBundle: { codePath: bundle },
      dataConverter,
      activities: createActivities(),
      interceptors: { activity: [activityInterceptor(log)] },
      // Progress is shown as it happens; an activity that is cancelled learns it within a second.
      maxHeartbeatThrottleInterval: '1 s',
      defaultHeartbeatThrottleInterval: '1 s',
      // Restores go on in another worker from where they stand; what is short may end here.
      shutdownGraceTime: '5 s',
      shutdownForceTime: '30 s',
      maxConcurrentActivityTaskExecutions: 40,
      // A run that waits at a gate answers at once while it is cached.
      maxCachedWorkflows: CACHED_RUNS,
    });
    log.info({ address, namespace, taskQueue: TASK_QUEUE }, 'worker ready');
    await worker.run();
  } finally {
    await closeRecorder();
    await endpoint.close();
    await connection.close();
    await native.close();
  }
}

async function connect(options: Parameters<typeof Connection.connect>[0], address: string) {
  try {
    const native = await NativeConnection.connect(options as Parameters<typeof NativeConnection.connect>[0]);
    const connection = await Connection.connect(options);
    return { native, connection };
  } catch (error) {
    throw new TransientError(
      'TemporalUnreachable',
      `Temporal at ${address} does not answer: ${messageOf(error)}.`,
      {
        next: 'Start it, or set TEMPORAL_ADDRESS or TEMPORAL_PROFILE to one that runs, then start the worker again.',
        cause: error,
      },
    );
  }
}

function temporalLog(log: Logger): DefaultLogger {
  return new DefaultLogger('WARN', ({ level, message, meta }: LogEntry) => {
    if (level === 'ERROR') log.error(meta ?? {}, message);
    else log.warn(meta ?? {}, message);
  });
}

const log = createLog('muster-worker');
main(log).then(
  () => process.exit(0),
  (error: unknown) => {
    const problems = error instanceof InputError ? { problems: error.problems } : {};
    if (error instanceof MusterError)
      log.fatal({ code: error.code, ...problems, next: error.next }, error.message);
    else log.fatal(error);
    process.exit(error instanceof InputError ? 2 : 1);
  },
);

/** One Temporal development server for a whole test run, and workers on it that run the real engine with chosen activities. */
import { spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { closeSync, openSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Client, Connection } from '@temporalio/client';
import { bundleWorkflowCode, DefaultLogger, NativeConnection, Runtime, Worker } from '@temporalio/worker';
import { findPrograms } from '../../lab/parts/lookup.js';
import { temporalPart } from '../../lab/parts/temporal.js';
import { freePorts } from '../../lab/ports.js';
import { waitFor } from '../../lab/wait.js';
import { dataConverterFor, failureConverterPath } from '../../src/temporal/codec-converter.js';
import { ensureSearchAttributes } from '../../src/temporal/search-attributes.js';
import { type SharedServer, shared } from './run-folder.js';

interface SharedTemporal extends SharedServer {
  readonly address: string;
  readonly uiUrl: string;
  /** Where its web interface looks for a codec endpoint; nothing listens there until a test does. */
  readonly codecUrl: string;
}

const loopback = { addresses: ['127.0.0.1'] };

export function sharedTemporal(): Promise<SharedTemporal> {
  return shared('temporal', async (folder) => {
    const programs = await findPrograms();
    const ports = await freePorts({
      temporal: loopback,
      temporalUi: loopback,
      temporalHttp: loopback,
      codec: loopback,
    });
    const logFile = join(folder, 'temporal.log');
    const codecUrl = `http://127.0.0.1:${ports.codec}`;
    const part = await temporalPart({
      program: programs.temporal,
      folder,
      logFile,
      ports,
      codecEndpoint: codecUrl,
    });
    const log = openSync(logFile, 'a');
    const server = spawn(part.command, part.args, {
      cwd: folder,
      detached: true,
      stdio: ['ignore', log, log],
    });
    closeSync(log);
    server.unref();
    await waitFor({ what: 'the Temporal server', deadlineMs: 30_000 }, part.answers);
    const connection = await Connection.connect({ address: part.address });
    await ensureSearchAttributes(connection, 'default');
    await connection.close();
    const uiUrl = `http://127.0.0.1:${ports.temporalUi}`;
    return { pids: [server.pid as number], address: part.address, uiUrl, codecUrl };
  });
}

interface SharedBundle extends SharedServer {
  readonly path: string;
}

/** The workflows of test/support/workflows.ts, bundled once a run. */
function sharedBundle(): Promise<SharedBundle> {
  return shared('bundle', async (folder) => {
    const { code } = await bundleWorkflowCode({
      workflowsPath: fileURLToPath(new URL('./workflows.ts', import.meta.url)),
      failureConverterPath,
      workflowInterceptorModules: [
        fileURLToPath(new URL('../../workflows/asked-too-early.ts', import.meta.url)),
      ],
      logger: new DefaultLogger('ERROR'),
    });
    const path = join(folder, 'bundle.js');
    await writeFile(path, code);
    return { pids: [], path };
  });
}

/** The workflows of the tests, for replaying a history. */
export async function testBundle(): Promise<{ codePath: string }> {
  return { codePath: (await sharedBundle()).path };
}

export interface TestWorker {
  readonly client: Client;
  readonly taskQueue: string;
  readonly stop: () => Promise<void>;
}

/** Most tests look at what a run does, not at how it is written. */
export const IN_CLEAR = { MUSTER_PAYLOAD_ENCRYPTION: 'off' };

/** Starts a worker with the given activities, on a task queue of its own unless one is named. */
export async function startWorker(
  activities: object,
  payloads: Readonly<Record<string, string>> = IN_CLEAR,
  taskQueue = `test-${randomUUID()}`,
): Promise<TestWorker> {
  Runtime.install({ logger: new DefaultLogger('ERROR') });
  const [{ address }, bundle] = await Promise.all([sharedTemporal(), sharedBundle()]);
  const dataConverter = await dataConverterFor(payloads);
  const [native, connection] = await Promise.all([
    NativeConnection.connect({ address }),
    Connection.connect({ address }),
  ]);
  const worker = await Worker.create({
    connection: native,
    taskQueue,
    workflowBundle: { codePath: bundle.path },
    dataConverter,
    activities,
    maxHeartbeatThrottleInterval: '200 ms',
  });
  const running = worker.run();
  return {
    client: new Client({ connection, dataConverter }),
    taskQueue,
    stop: async () => {
      worker.shutdown();
      await running;
      await native.close();
      await connection.close();
    },
  };
}

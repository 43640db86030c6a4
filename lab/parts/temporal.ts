import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { PartSpec } from './part.js';

/** The one namespace of the development server. */
export const NAMESPACE = 'default';

/**
 * The development server polls each queue of its single shard 20 times a second unless told otherwise, which costs 100 ms
 * for every sequential activity and up to a second for a timer. State these settings beside any figure of overhead.
 */
const TUNING = [
  'history.transferProcessorMaxPollRPS=1000',
  'history.timerProcessorMaxPollRPS=1000',
  'history.timerProcessorMaxTimeShift="1ms"',
  'system.enableActivityEagerExecution=true',
];

/**
 * Its database file, too, syncs at every step of every run unless told otherwise. What was written survives the end of the
 * server all the same, only not that of the machine, and a lab does not either.
 */
const PRAGMAS = ['journal_mode=wal', 'synchronous=normal'];

/** Temporal's development server with its UI, kept in a database file of the lab. */
export async function temporalPart(how: {
  program: string;
  folder: string;
  logFile: string;
  ports: { temporal: number; temporalUi: number; temporalHttp: number };
}): Promise<PartSpec> {
  await mkdir(how.folder, { recursive: true });
  const { ports } = how;
  return {
    name: 'temporal',
    command: how.program,
    args: [
      ...['server', 'start-dev', '--ip', '127.0.0.1', '--port', String(ports.temporal)],
      ...['--ui-port', String(ports.temporalUi), '--http-port', String(ports.temporalHttp)],
      ...['--db-filename', join(how.folder, 'temporal.db'), '--namespace', NAMESPACE, '--log-level', 'warn'],
      ...TUNING.flatMap((value) => ['--dynamic-config-value', value]),
      ...PRAGMAS.flatMap((value) => ['--sqlite-pragma', value]),
    ],
    env: {},
    cwd: how.folder,
    address: `127.0.0.1:${ports.temporal}`,
    logFile: how.logFile,
    dataDir: how.folder,
    stopSignal: 'SIGKILL',
    deadlineMs: 60_000,
    answers: async () => {
      const answer = await fetch(`http://127.0.0.1:${ports.temporalHttp}/api/v1/namespaces/${NAMESPACE}`, {
        signal: AbortSignal.timeout(2_000),
      });
      if (!answer.ok) throw new Error(`its HTTP interface answers ${answer.status}`);
    },
  };
}

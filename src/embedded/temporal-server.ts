/** Temporal's development server with its UI, as Muster runs it: for the embedded mode, the lab and the tests. */
import { join } from 'node:path';

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
 * How safely its database file is written. `survives-crash`: what was answered is there after the end of the server, not
 * after that of the machine; a run then costs no wait for the disk at each step. `survives-power-loss`: after that as well.
 */
export type Durability = 'survives-crash' | 'survives-power-loss';

export interface TemporalServer {
  /** Absolute: the database file lies there. */
  readonly folder: string;
  readonly ports: { readonly temporal: number; readonly temporalUi: number; readonly temporalHttp: number };
  readonly durability: Durability;
  /** Where the UI, in the browser, has payloads decrypted. */
  readonly codecEndpoint?: string | undefined;
}

/** Arguments of `temporal` with which it listens on loopback only. */
export function temporalArguments({ folder, ports, durability, codecEndpoint }: TemporalServer): string[] {
  const pragmas = ['journal_mode=wal', `synchronous=${durability === 'survives-crash' ? 'normal' : 'full'}`];
  return [
    ...['server', 'start-dev', '--ip', '127.0.0.1', '--port', String(ports.temporal)],
    ...['--ui-port', String(ports.temporalUi), '--http-port', String(ports.temporalHttp)],
    ...['--db-filename', join(folder, 'temporal.db'), '--namespace', NAMESPACE, '--log-level', 'warn'],
    ...TUNING.flatMap((value) => ['--dynamic-config-value', value]),
    ...pragmas.flatMap((value) => ['--sqlite-pragma', value]),
    ...(codecEndpoint === undefined ? [] : ['--ui-codec-endpoint', codecEndpoint]),
  ];
}

/** Throws the reason while the server does not do its work. */
export async function temporalAnswers(httpPort: number): Promise<void> {
  const answer = await fetch(`http://127.0.0.1:${httpPort}/api/v1/namespaces/${NAMESPACE}`, {
    signal: AbortSignal.timeout(2_000),
  });
  if (!answer.ok) throw new Error(`its HTTP interface answers ${answer.status}`);
}

/**
 * Whether a worker with this process id asks for work. Temporal remembers those who asked for minutes: a worker is told from
 * an earlier one by the end of its identity.
 *
 * @param identityEnd `:pid`, or nothing for any
 */
export async function workerAsks(httpPort: number, taskQueue: string, identityEnd: string): Promise<void> {
  const queue = `http://127.0.0.1:${httpPort}/api/v1/namespaces/${NAMESPACE}/task-queues/${taskQueue}`;
  const answer = await fetch(`${queue}?taskQueueType=TASK_QUEUE_TYPE_ACTIVITY`, {
    signal: AbortSignal.timeout(3_000),
  });
  const { pollers = [] } = (await answer.json()) as { pollers?: { identity: string }[] };
  if (!pollers.some(({ identity }) => identity.endsWith(identityEnd))) {
    throw new Error('it has not asked for work yet');
  }
}

/** Sends a notice that no run sends: through a worker, as runs do, or from this machine. */
import { randomBytes } from 'node:crypto';
import { WorkflowFailedError } from '@temporalio/client';
import { notifyActivities } from '../../activities/notify/index.js';
import type { NoticeToDeliver, Pace } from '../../workflows/deliver-notice.js';
import { messageOf, TransientError } from '../errors.js';
import type { Delivery, Notice, Receiver } from '../model/notice.js';
import { TASK_QUEUE } from '../model/task-queue.js';
import type { TemporalSession } from '../temporal/connection.js';

export interface Sending {
  readonly notice: Notice;
  readonly receivers: readonly Receiver[];
  /** Left out: as the notices of runs, for a day. */
  readonly pace?: Pace;
  /** How long an answer is waited for, in milliseconds. */
  readonly patienceMs: number;
  readonly taskQueue?: string;
}

/**
 * Has a worker deliver the notice: what it reaches, a run will reach.
 *
 * @returns how it stands at each receiver; what is still `waiting` is tried on, with nobody waiting for it
 * @throws TransientError `NoWorker` when none takes it in time; it is called off then
 */
export async function sendByWorker(session: TemporalSession, sending: Sending): Promise<readonly Delivery[]> {
  const { notice, receivers, pace, patienceMs, taskQueue = TASK_QUEUE } = sending;
  const input: NoticeToDeliver = { notice, receivers, ...(pace === undefined ? {} : { pace }) };
  const { client, connection } = session;
  const handle = await client.workflow.start('deliverNotice', {
    workflowId: `notice.${notice.id}`,
    taskQueue,
    args: [input],
    staticSummary: `${notice.kind}: ${notice.title}`.slice(0, 150),
  });
  try {
    return await connection.withDeadline(
      Date.now() + patienceMs,
      () => handle.result() as Promise<Delivery[]>,
    );
  } catch (error) {
    if (error instanceof WorkflowFailedError) throw error;
    return asItStands(session, handle);
  }
}

async function asItStands(
  { connection }: TemporalSession,
  handle: { query(name: string): Promise<unknown>; terminate(reason: string): Promise<unknown> },
): Promise<readonly Delivery[]> {
  try {
    return (await connection.withDeadline(Date.now() + 5_000, () =>
      handle.query('deliveries'),
    )) as Delivery[];
  } catch (error) {
    await handle.terminate('no worker took it in time').catch(() => undefined);
    throw new TransientError('NoWorker', 'No worker took the notice; it was called off.', {
      next: 'Start a worker, or send from this machine with --here.',
      cause: error,
    });
  }
}

/** Sends it from this machine, once, with secrets as this machine has them. Never throws. */
export async function sendFromHere({
  notice,
  receivers,
}: Pick<Sending, 'notice' | 'receivers'>): Promise<Delivery[]> {
  const { sendNotice } = notifyActivities();
  return Promise.all(
    receivers.map(async (receiver): Promise<Delivery> => {
      const stands = { notice: notice.id, kind: notice.kind, receiver: receiver.name };
      try {
        await sendNotice({ notice, receiver });
        return { ...stands, state: 'delivered', at: new Date().toISOString() };
      } catch (error) {
        return { ...stands, state: 'given-up', at: new Date().toISOString(), problem: messageOf(error) };
      }
    }),
  );
}

/** Says of itself that nothing has happened; wakes nobody where that can be said to the receiver. */
export function testNotice(
  about: { readonly system: string; readonly title: string },
  to: readonly string[],
  now: Date,
): Notice {
  const runId = `${about.system}-test-${now.getTime()}-${randomBytes(2).toString('hex')}`;
  return {
    id: `${runId}-n1`,
    kind: 'test',
    severity: 'info',
    at: now.toISOString(),
    runId,
    system: about.system,
    systemTitle: about.title,
    scenario: 'test',
    mode: 'drill',
    matter: 'test',
    settles: ['test'],
    title: 'this is a test of notices. Nothing has happened.',
    text: 'Sent with muster notify test, to see whether notices reach you. You need not do anything.',
    facts: [],
    actions: [{ label: `muster notify test ${about.system}`, value: 'sends this again' }],
    to,
  };
}

import { randomUUID } from 'node:crypto';
import type { WorkflowHandle } from '@temporalio/client';
import { toFailure } from '../../activities/interceptor.js';
import { notifyActivities } from '../../activities/notify/index.js';
import type { Delivery, Notice } from '../../src/model/notice.js';
import type { Channel, Person, Runbook } from '../../src/runbook/schema.js';
import type { NoticeToDeliver } from '../../workflows/deliver-notice.js';
import { eventually } from '../support/eventually.js';
import { endSignal, type Noticed, tellSignal, undeliveredQuery } from '../support/noticing.js';
import { type HttpReceiver, httpReceiver, notice as sample } from '../support/receivers.js';
import { waitingRun } from '../support/run-view.js';
import { startWorker, type TestWorker } from '../support/temporal.js';

let worker: TestWorker;
let there: HttpReceiver;
const { sendNotice } = notifyActivities({ connectMs: 1_000, wholeMs: 1_000 });

beforeAll(async () => {
  process.env.TEST_NOTICES_SECRET = 'whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw';
  worker = await startWorker({
    sendNotice: async (input: Parameters<typeof sendNotice>[0]) => {
      try {
        return await sendNotice(input);
      } catch (error) {
        throw toFailure(error);
      }
    },
  });
});
afterAll(async () => {
  await worker.stop();
  delete process.env.TEST_NOTICES_SECRET;
});
beforeEach(async () => {
  there = await httpReceiver();
});
afterEach(() => there.close());

const hook = (port: number, more: Partial<Channel> = {}) =>
  ({
    driver: 'webhook',
    url: `http://127.0.0.1:${port}`,
    secret: 'env:TEST_NOTICES_SECRET',
    ...more,
  }) as Channel;

const people = [
  { name: 'lead', roles: ['database-lead'], contacts: ['mailto:lead@example.com'] },
  { name: 'chief', roles: ['incident-commander'], contacts: ['mailto:chief@example.com'] },
] satisfies Person[];

interface Told {
  readonly handle: WorkflowHandle;
  readonly runId: string;
}

async function begin(notifications: Record<string, Channel>): Promise<Told> {
  const runId = `toy-${randomUUID()}`;
  const handle = await worker.client.workflow.start('noticing', {
    workflowId: runId,
    taskQueue: worker.taskQueue,
    args: [
      {
        runbook: { people, notifications } as unknown as Runbook,
        view: { ...waitingRun, runId, steering: [], overrides: [] },
      },
    ],
  });
  return { handle, runId };
}

const undelivered = ({ handle }: Told) => handle.query<readonly Delivery[]>(undeliveredQuery);

async function until<T>(look: () => Promise<T> | T, good: (value: T) => boolean): Promise<T> {
  return eventually(async () => {
    const value = await look();
    if (!good(value)) throw new Error(`never: ${JSON.stringify(value)}`);
    return value;
  });
}

async function childrenOf({ handle }: Told): Promise<number> {
  const { events } = await handle.fetchHistory();
  return (events ?? []).filter((event) => event.startChildWorkflowExecutionInitiatedEventAttributes != null)
    .length;
}

const bodies = () => there.received.map(({ body }) => (JSON.parse(body) as { data: Notice }).data);

it('tells each channel that wants it, numbered, and is done with it', async () => {
  const run = await begin({ all: hook(there.port), gates: hook(there.port, { events: ['gate-opened'] }) });
  await run.handle.signal(tellSignal, 'started');
  await until(bodies, (told) => told.length === 1);
  await run.handle.signal(tellSignal, 'gateOpened');
  await until(bodies, (told) => told.length === 3);
  await run.handle.signal(endSignal);
  const { notes, undelivered: left } = (await run.handle.result()) as Noticed;
  expect(bodies().map(({ id, kind }) => [id, kind])).toEqual([
    [`${run.runId}-n1`, 'started'],
    [`${run.runId}-n2`, 'gate-opened'],
    [`${run.runId}-n2`, 'gate-opened'],
  ]);
  expect(bodies()[1]).toMatchObject({ system: 'payymo', mode: 'real', to: ['lead'] });
  expect(notes).toEqual([
    expect.stringMatching(/^started: .* Told: all$/),
    expect.stringMatching(/Told: all, gates$/),
  ]);
  expect(left).toEqual([]);
});

it('starts nothing where nobody is to be told', async () => {
  const nobody = await begin({});
  const others = await begin({ gates: hook(there.port, { events: ['gate-opened'] }) });
  for (const run of [nobody, others]) {
    await run.handle.signal(tellSignal, 'started');
    await run.handle.signal(endSignal);
    await run.handle.result();
    expect(await childrenOf(run)).toBe(0);
  }
  expect(there.received).toEqual([]);
});

it('a dead receiver is shown while it is dead, is told once it lives again, and keeps nothing from the others', async () => {
  const dead = await httpReceiver();
  const { port } = dead;
  await dead.close();
  const run = await begin({ dead: hook(port), alive: hook(there.port) });
  await run.handle.signal(tellSignal, 'gateOpened');
  await until(bodies, (told) => told.length === 1);
  const [shown, ...more] = await until(
    () => undelivered(run),
    (all) => all.length > 0,
  );
  expect(more).toEqual([]);
  expect(shown).toMatchObject({
    receiver: 'dead',
    state: 'waiting',
    kind: 'gate-opened',
    problem: expect.stringContaining('ECONNREFUSED'),
  });
  const again = await httpReceiver(port);
  await until(
    () => again.received.length,
    (count) => count === 1,
  );
  await until(
    () => undelivered(run),
    (all) => all.length === 0,
  );
  await run.handle.signal(endSignal);
  await run.handle.result();
  expect(there.received).toHaveLength(1);
  await again.close();
});

it('a run ends beside a dead receiver, and what it said is delivered afterwards', async () => {
  const dead = await httpReceiver();
  const { port } = dead;
  await dead.close();
  const run = await begin({ dead: hook(port) });
  await run.handle.signal(tellSignal, 'started');
  await until(
    () => undelivered(run),
    (all) => all.length === 1,
  );
  await run.handle.signal(tellSignal, 'ended');
  await run.handle.signal(endSignal);
  await run.handle.result();
  const again = await httpReceiver(port);
  await until(
    () => again.received.length,
    (count) => count === 2,
  );
  for (const number of [1, 2]) {
    const delivery = worker.client.workflow.getHandle(`notice.${run.runId}-n${number}`);
    expect(await delivery.result()).toEqual([
      expect.objectContaining({ receiver: 'dead', state: 'delivered' }),
    ]);
  }
  await again.close();
});

it('a receiver that refuses for good is given up at once, which the run shows and notes', async () => {
  there.answers.push(410);
  const run = await begin({ gone: hook(there.port) });
  await run.handle.signal(tellSignal, 'started');
  const [left] = await until(
    () => undelivered(run),
    (all) => all.length === 1,
  );
  expect(left).toMatchObject({ state: 'given-up', receiver: 'gone' });
  await run.handle.signal(endSignal);
  const { notes } = (await run.handle.result()) as Noticed;
  expect(notes.at(-1)).toContain('gone is not told any more');
  expect(there.received).toHaveLength(1);
});

it('a delivery that is ended from outside is shown as given up', async () => {
  const run = await begin({ silent: hook(there.port) });
  there.answers.push(...Array.from({ length: 50 }, () => 503));
  await run.handle.signal(tellSignal, 'started');
  await until(
    () => undelivered(run),
    (all) => all[0]?.problem?.includes('503') === true,
  );
  await worker.client.workflow.getHandle(`notice.${run.runId}-n1`).terminate('not wanted');
  const [left] = await until(
    () => undelivered(run),
    (all) => all[0]?.state === 'given-up',
  );
  expect(left?.problem).toContain('ended');
  await run.handle.signal(endSignal);
  await run.handle.result();
});

it('what is delivered already is not sent again by a run that begins anew', async () => {
  const first = await begin({ all: hook(there.port) });
  await worker.client.workflow.start('deliverNotice', {
    workflowId: `notice.${first.runId}-n1`,
    taskQueue: worker.taskQueue,
    args: [
      {
        notice: { ...sample, id: `${first.runId}-n1` },
        receivers: [{ name: 'slow', channel: hook(1), contacts: [] }],
      },
    ],
  });
  await first.handle.signal(tellSignal, 'started');
  await first.handle.signal(endSignal);
  const { undelivered: left } = (await first.handle.result()) as Noticed;
  expect(left).toEqual([]);
  expect(there.received).toEqual([]);
  await worker.client.workflow.getHandle(`notice.${first.runId}-n1`).terminate('test over');
});

describe('deliverNotice', () => {
  const pace = { firstMs: 50, mostMs: 200, giveUpAfterMs: 5_000 };
  const deliver = (given: Partial<NoticeToDeliver>) =>
    worker.client.workflow.execute('deliverNotice', {
      workflowId: `notice.${randomUUID()}`,
      taskQueue: worker.taskQueue,
      args: [
        {
          notice: sample,
          receivers: [{ name: 'ops', channel: hook(there.port), contacts: [] }],
          pace,
          ...given,
        },
      ],
    }) as Promise<Delivery[]>;

  it('tries again until it is taken, with the same id', async () => {
    there.answers.push(500, 503, 500);
    expect(await deliver({})).toEqual([
      expect.objectContaining({ notice: sample.id, receiver: 'ops', state: 'delivered' }),
    ]);
    expect(there.received.map(({ headers }) => headers['webhook-id'])).toEqual(Array(4).fill(sample.id));
  });

  it('waits as long as the receiver asks for', async () => {
    const asked = (response: import('node:http').ServerResponse) =>
      response.writeHead(429, { 'retry-after': '1' }).end();
    there.answers.push(asked, asked);
    const at: number[] = [];
    const push = there.received.push.bind(there.received);
    there.received.push = (...items) => {
      at.push(Date.now());
      return push(...items);
    };
    await deliver({});
    expect(at).toHaveLength(3);
    // The first pause is the workflow's, the second the server's.
    expect((at[1] ?? 0) - (at[0] ?? 0)).toBeGreaterThanOrEqual(950);
    expect((at[2] ?? 0) - (at[1] ?? 0)).toBeGreaterThanOrEqual(950);
  });

  it('gives up when it is too old, and says why', async () => {
    there.answers.push(...Array.from({ length: 100 }, () => 503));
    const [delivery] = await deliver({ pace: { ...pace, giveUpAfterMs: 600 } });
    expect(delivery).toMatchObject({ state: 'given-up', problem: expect.stringContaining('503') });
    expect(there.received.length).toBeGreaterThan(2);
  });
});

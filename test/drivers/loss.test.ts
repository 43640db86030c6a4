import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { FenceProof, RecoveryPoint } from '../../activities/contract.js';
import { readAcknowledged } from '../../activities/loss/acknowledged.js';
import { type KeepLost, lossActivities } from '../../activities/loss/index.js';
import { generationOf, makeCluster, PAYMENTS, type TestCluster } from './support/postgres.js';
import { type OutsideRecord, startRecord } from './support/record.js';
import { pointAt, stepOf } from './support/steps.js';

let recovered: TestCluster;
let record: OutsideRecord;
let point: RecoveryPoint;
const kept = new Map<string, { id: string; at: string; body: Readonly<Record<string, unknown>> }[]>();

const keepLost: KeepLost = async (runId, dataClass, records) => {
  const all = [];
  for await (const one of records) all.push(one);
  kept.set(`${runId} ${dataClass}`, all);
  return all.length;
};
const { measureLoss } = lossActivities({ keepLost });

beforeAll(async () => {
  [recovered, record] = await Promise.all([makeCluster({ site: 'recovery' }), startRecord()]);
  point = pointAt(await generationOf(recovered), '2026-11-21T02:59:39.871234Z');
});
afterAll(() => Promise.all([recovered?.remove(), record?.close()]));

const after = (ms: number) => new Date(Date.parse(point.time) + ms).toISOString();
const uuid = (number: number) => `00000000-0000-4000-8000-${String(number).padStart(12, '0')}`;

function order(
  dataClasses: Parameters<typeof measureLoss>[0]['dataClasses'],
  census: FenceProof['census'] = {},
) {
  const fence: FenceProof = {
    token: 1,
    refusedWrite: { at: point.time, as: 'app', answer: 'refused' },
    terminatedSessions: 0,
    lastWriteAt: null,
    census,
    summary: '',
  };
  return { at: stepOf('run-1'), target: recovered.at, point, fence, dataClasses };
}

const acknowledged = () => ({
  ...PAYMENTS,
  acknowledged: { driver: 'http-ndjson' as const, url: record.url },
});

test('every acknowledged record is looked up; all that are missing are kept, the newest dates the loss', async () => {
  const total = 2_500;
  record.records = Array.from({ length: total }, (_, index) => ({
    id: uuid(index),
    // The first ones shortly before the point: clocks differ.
    at: after(index - 10),
    amount: index,
  }));
  // What the recovered database has: the first 1,000, and one of those after, which are all others.
  const present = [...Array.from({ length: 1_000 }, (_, index) => uuid(index)), uuid(1_700)];
  await recovered.admin((client) =>
    client.query('insert into payment (id) select unnest($1::uuid[])', [present]),
  );

  const { classes, summary } = await measureLoss(order({ transactions: acknowledged() }));

  const lost = kept.get('run-1 transactions') ?? [];
  expect(lost).toHaveLength(total - present.length);
  expect(lost.map(({ id }) => id)).toContain(uuid(1_699));
  expect(lost.map(({ id }) => id)).not.toContain(uuid(1_700));
  expect(lost[0]).toEqual({ id: uuid(1_000), at: after(990), body: { amount: 1_000 } });
  expect(classes.transactions).toMatchObject({
    targetMs: 300_000,
    lostRecords: 1_499,
    actualMs: total - 1 - 10,
    sample: expect.arrayContaining([uuid(1_000)]),
  });
  expect(classes.transactions?.sample.length).toBeLessThanOrEqual(20);
  expect(summary).toBe('transactions: 1,499 lost over 2.5 s (RPO 5 min)');
});

test('nothing missing is nothing lost, however old the newest record is', async () => {
  record.records = [{ id: uuid(0), at: after(-1_000) }];
  const { classes, summary } = await measureLoss(order({ transactions: acknowledged() }));
  expect(classes.transactions).toMatchObject({ lostRecords: 0, actualMs: 0, sample: [] });
  expect(summary).toBe('transactions: nothing lost');
});

test("what was lost before the primary that is replaced was promoted is not this run's loss", async () => {
  record.records = [
    { id: uuid(3_000), at: after(-20_000) },
    { id: uuid(3_001), at: after(-5_000) },
  ];
  const missed = order({ transactions: acknowledged() });
  expect((await measureLoss(missed)).classes.transactions?.lostRecords).toBe(2);
  const { classes } = await measureLoss({ ...missed, since: after(-10_000) });
  expect(classes.transactions).toMatchObject({ lostRecords: 1, sample: [uuid(3_001)] });
});

test('without an outside record the fenced primary is the measure, and what was not counted is not called nothing', async () => {
  const { classes, summary } = await measureLoss(
    order(
      { accounts: { ...PAYMENTS, rpo: 60_000 }, users: PAYMENTS },
      { accounts: { records: 3, newest: after(61_000) } },
    ),
  );
  expect(classes.accounts).toMatchObject({ lostRecords: 3, actualMs: 61_000 });
  expect(summary).toMatch(/^accounts: 3 lost over 1 min 1 s \(RPO 1 min, MISSED\); users: not measured/);
});

describe('an outside record', () => {
  let server: Server;
  let answer: (write: (text: string) => void, end: () => void, destroy: () => void) => void;
  let source: { driver: 'http-ndjson'; url: string };
  beforeAll(async () => {
    server = createServer((_request, response) => {
      answer(
        (text) => response.write(text),
        () => response.end(),
        () => response.destroy(),
      );
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', () => resolve()));
    source = { driver: 'http-ndjson', url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/` };
  });
  afterAll(() => {
    server.closeAllConnections();
    server.close();
  });

  const read = async (signal = new AbortController().signal) => {
    const ids: string[] = [];
    for await (const { id } of readAcknowledged(source, { since: point.time }, signal)) ids.push(id);
    return ids;
  };
  const line = (id: string) => `{"id":"${id}","at":"${point.time}"}\n`;

  test('is read across the borders of what arrives together', async () => {
    answer = (write, end) => {
      write(`${line('a')}${line('b').slice(0, 9)}`);
      setImmediate(() => {
        write(`${line('b').slice(9)}\n${line('\u00e4').trim()}`);
        end();
      });
    };
    expect(await read()).toEqual(['a', 'b', '\u00e4']);
  });

  test('that breaks off in the middle is not taken for a short one', async () => {
    answer = (write, _end, destroy) => {
      write(line('a'));
      setImmediate(destroy);
    };
    await expect(read()).rejects.toMatchObject({
      name: 'TransientError',
      code: 'AcknowledgementsUnreachable',
    });
  });

  test('with a line that is no record is refused with the number of the line', async () => {
    answer = (write, end) => {
      write(`${line('a')}oops\n`);
      end();
    };
    await expect(read()).rejects.toMatchObject({
      name: 'PermanentError',
      code: 'AcknowledgementsUnreadable',
      message: expect.stringContaining('Line 2'),
    });
  });

  test('lets a cancelled step go at once', async () => {
    const stop = new AbortController();
    answer = (write) => {
      write(line('a'));
      setImmediate(() => stop.abort(new Error('the step was cancelled')));
    };
    await expect(read(stop.signal)).rejects.toThrow('the step was cancelled');
  });
});

import { readFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import type { FenceProof } from '../../activities/contract.js';
import { postgresLogin } from '../../activities/fence/postgres-login.js';
import { validateActivities } from '../../activities/validate/index.js';
import type { Application } from '../../src/runbook/schema.js';
import { APP_PASSWORD, generationOf, makeCluster, type TestCluster } from './support/postgres.js';
import { stepOf } from './support/steps.js';

const { validateService } = validateActivities();
const at = stepOf('run-1');
let damaged: TestCluster;
let target: TestCluster;
let server: Server;
let application: Application;
/** Where the application says that its database is; it follows DNS only after a while. */
let addresses: string[];

beforeAll(async () => {
  [damaged, target] = await Promise.all([makeCluster(), makeCluster({ site: 'recovery' })]);
  server = createServer(async (request, response) => {
    const body: Buffer[] = [];
    for await (const chunk of request) body.push(chunk as Buffer);
    const answer = (status: number, content: object) => {
      response.writeHead(status, { 'content-type': 'application/json' });
      response.end(JSON.stringify(content));
    };
    if (request.url === '/health') {
      const address = addresses.length > 1 ? addresses.shift() : addresses[0];
      return answer(200, { status: 'ok', database: { address } });
    }
    const { id, amount } = JSON.parse(Buffer.concat(body).toString());
    const client = await target.open('app', APP_PASSWORD);
    await client.query('insert into payment (id, amount) values ($1, $2)', [id, amount]);
    await client.end();
    return answer(201, { id, status: 'accepted' });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', () => resolve()));
  application = {
    component: 'core-api',
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    healthPath: '/health',
    functions: [
      {
        name: 'payment',
        title: 'A payment is taken',
        readOnly: false,
        exchanges: [
          {
            title: 'pay',
            method: 'POST',
            path: '/payments',
            body: { id: '{{uuid}}', amount: 7 },
            expectStatus: 201,
            expectBody: { id: '{{uuid}}', status: 'accepted' },
          },
        ],
      },
    ],
  };
});
afterAll(async () => {
  server?.close();
  await Promise.all([damaged?.remove(), target?.remove()]);
});
beforeEach(() => {
  addresses = ['127.0.0.1'];
});

const validate = (fence?: Pick<FenceProof, 'refusedWrite'>) =>
  validateService({
    ...{ at, application, target: target.at, damaged: damaged.at },
    ...(fence === undefined ? {} : { fence }),
  });
const payments = () =>
  target.admin(async (client) =>
    Number((await client.query('select count(*) from payment where amount = 7')).rows[0].count),
  );

async function set(statement: string): Promise<void> {
  await target.admin(async (client) => {
    await client.query('set default_transaction_read_only = off');
    await client.query(statement);
  });
  await target.stop('fast');
  await target.start();
}

test('an old primary that still takes writes fails the validation before anything else is tried', async () => {
  await expect(validate()).rejects.toMatchObject({ name: 'PermanentError', code: 'FenceNotProven' });
  expect(await payments()).toBe(0);
});

test('an old primary that nobody reaches is accepted only where people went on without proof', async () => {
  const { postgres } = damaged.at;
  const pid = Number(
    (await readFile(join(postgres.service.dataDirectory, 'postmaster.pid'), 'utf8')).split('\n')[0],
  );
  // One that takes a write is found, whatever people have said.
  await expect(validate({ refusedWrite: null })).rejects.toMatchObject({ code: 'FenceNotProven' });
  process.kill(pid, 'SIGSTOP');
  try {
    await expect(validate()).rejects.toMatchObject({ code: 'FenceNotProven' });
    addresses = ['127.0.0.1'];
    expect((await validate({ refusedWrite: null })).summary).toContain('its fence NOT PROVEN');
  } finally {
    process.kill(pid, 'SIGCONT');
  }
  await target.admin((client) => client.query('delete from payment'));
}, 60_000);

describe('with the old primary fenced', () => {
  beforeAll(async () => {
    await postgresLogin.fence({
      runId: 'run-1',
      damaged: damaged.at,
      ...(await generationOf(damaged)),
      token: 1,
      since: new Date().toISOString(),
      dataClasses: {},
      attempts: 1,
      signal: new AbortController().signal,
      requireInCharge: async () => undefined,
    });
  });

  test('the service is good once the application is on the new primary and has taken a payment there', async () => {
    addresses = ['127.0.2.1', '127.0.2.1', '127.0.0.1'];
    const { checks, firstGoodAt, summary } = await validate();
    expect(addresses).toEqual(['127.0.0.1']);
    expect(checks.map(({ passed }) => passed)).toEqual([true, true, true, true]);
    expect(checks[0]?.detail).toMatch(/^28000 /);
    expect(await payments()).toBe(1);
    expect(Date.parse(firstGoodAt)).toBeLessThanOrEqual(Date.now());
    expect(summary).toContain('payment');
  });

  test('a business function that answers wrongly fails it', async () => {
    const [first] = application.functions;
    const [exchange] = first?.exchanges ?? [];
    if (first === undefined || exchange === undefined) throw new Error('the application has a function');
    const wrong = { ...first, exchanges: [{ ...exchange, expectBody: { status: 'settled' } }] };
    await expect(
      validateService({
        at,
        application: { ...application, functions: [wrong] },
        target: target.at,
        damaged: damaged.at,
      }),
    ).rejects.toMatchObject({ name: 'PermanentError', message: expect.stringContaining('settled') });
  });

  test.each([
    ['default_transaction_read_only', 'on', 'NewPrimaryReadOnly'],
    ['archive_mode', 'off', 'NewPrimaryUnprotected'],
  ])('a new primary with %s %s fails it', async (setting, value, code) => {
    await set(`alter system set ${setting} = ${value}`);
    await expect(validate()).rejects.toMatchObject({ name: 'PermanentError', code });
    await set(`alter system set ${setting} = ${value === 'on' ? 'off' : 'on'}`);
    expect((await validate()).checks).toHaveLength(4);
  });

  test('a stopped old primary, where nobody listens, takes no writes either', async () => {
    await damaged.stop('fast');
    const { checks } = await validate();
    expect(checks[0]?.detail).toMatch(/^ECONNREFUSED/);
  });
});

import { createHmac } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type Server } from 'node:net';
import { MockActivityEnvironment } from '@temporalio/testing';
import { toFailure } from '../../activities/interceptor.js';
import { notifyActivities } from '../../activities/notify/index.js';
import { pagerDutyEvents } from '../../activities/notify/pagerduty.js';
import { retryAfterMs } from '../../activities/notify/post.js';
import { PermanentError, TransientError } from '../../src/errors.js';
import type { Channel } from '../../src/runbook/schema.js';
import { type HttpReceiver, httpReceiver, notice, receiver } from '../support/receivers.js';

const { sendNotice } = notifyActivities({ connectMs: 300, wholeMs: 600 });
const key = Buffer.from('the key of the receiver, 32 bytes');

let there: HttpReceiver;

beforeAll(async () => {
  there = await httpReceiver();
});
afterAll(() => there.close());
beforeEach(() => {
  there.received.length = 0;
  there.answers.length = 0;
  process.env.TEST_SLACK_URL = `${there.url}/services/T0001/B0002/slack-token-99`;
  process.env.TEST_WEBHOOK_SECRET = `whsec_${key.toString('base64')}`;
  process.env.TEST_ROUTING_KEY = 'routing-key-4711';
});
afterAll(() => {
  for (const name of ['TEST_SLACK_URL', 'TEST_WEBHOOK_SECRET', 'TEST_ROUTING_KEY']) delete process.env[name];
});

const slack: Channel = { driver: 'slack', url: 'env:TEST_SLACK_URL' };
const webhook = (): Channel => ({
  driver: 'webhook',
  url: `${there.url}/hook`,
  secret: 'env:TEST_WEBHOOK_SECRET',
});
const pagerduty = (): Channel => ({
  driver: 'pagerduty',
  routingKey: 'env:TEST_ROUTING_KEY',
  endpoint: `${there.url}/v2/enqueue`,
});

const send = (channel: Channel, contacts: string[] = []) =>
  sendNotice({ notice, receiver: receiver(channel, contacts) });

async function failure(channel: Channel): Promise<PermanentError | TransientError> {
  try {
    await send(channel);
  } catch (error) {
    return error as PermanentError | TransientError;
  }
  throw new Error('it was delivered');
}

describe('slack', () => {
  it('posts blocks and a text that says the same, mentions whom it is for, and lets nothing from outside be markup', async () => {
    expect(await send(slack, ['slack:U0123ABCD', 'mailto:lead@example.com'])).toEqual({
      summary: 'ops was told: point waits for database-lead.',
    });
    const [request] = there.received;
    expect(request?.path).toBe('/services/T0001/B0002/slack-token-99');
    const body = JSON.parse(request?.body ?? '') as { text: string; blocks: object[] };
    expect(body.blocks[0]).toEqual({
      type: 'header',
      text: {
        type: 'plain_text',
        emoji: true,
        text: ':rotating_light: [payymo] point waits for database-lead.',
      },
    });
    expect(body.blocks[1]).toEqual({
      type: 'section',
      text: { type: 'mrkdwn', text: 'Go back to 02:59:39.871 UTC?\n<@U0123ABCD>' },
    });
    expect(body.blocks[2]).toMatchObject({
      fields: [{ text: '*Loses*\n41 payments, &lt; 2 min &amp; counting' }],
    });
    expect(body.text).toContain('muster approve payymo point');
    expect(body.text).toContain('41 payments, &lt; 2 min');
  });

  it('never names its address, which is a secret, also when the receiver repeats it', async () => {
    there.answers.push((response) =>
      response.writeHead(403).end(`no slack-token-99 at ${process.env.TEST_SLACK_URL}`),
    );
    const refused = await failure(slack);
    expect(refused).toBeInstanceOf(PermanentError);
    expect(refused.message).toContain('ops (slack)');
    expect(refused.message).toContain('403');
    expect(JSON.stringify(toFailure(refused)) + String(refused.stack)).not.toContain('slack-token-99');
    await there.close();
    const dead = await failure(slack);
    there = await httpReceiver();
    expect(dead).toBeInstanceOf(TransientError);
    expect(dead.message).toContain('ECONNREFUSED');
    expect(`${JSON.stringify(toFailure(dead))}${dead.stack}`).not.toContain('slack-token-99');
    process.env.TEST_SLACK_URL = 'hooks.example.com/slack-token-99';
    const noUrl = await failure(slack);
    expect(noUrl).toBeInstanceOf(PermanentError);
    expect(`${noUrl.message}${noUrl.stack}${JSON.stringify(noUrl)}`).not.toContain('slack-token-99');
  });
});

describe('webhook', () => {
  it('is signed as Standard Webhooks says: checked here by another computation', async () => {
    await send(webhook());
    const [request] = there.received;
    const {
      'webhook-id': id,
      'webhook-timestamp': timestamp,
      'webhook-signature': signature,
    } = request?.headers ?? {};
    const body = request?.body ?? '';
    expect(id).toBe(notice.id);
    expect(Math.abs(Number(timestamp) - Date.now() / 1000)).toBeLessThan(5);
    const expected = createHmac('sha256', key).update(`${id}.${timestamp}.${body}`).digest('base64');
    expect(signature).toBe(`v1,${expected}`);
    expect(JSON.parse(body)).toEqual({ type: 'muster.gate-opened', timestamp: notice.at, data: notice });
  });

  it('refuses a secret that is none, without quoting it', async () => {
    process.env.TEST_WEBHOOK_SECRET = 'whsec_not*base64';
    const refused = await failure(webhook());
    expect(refused).toBeInstanceOf(PermanentError);
    expect(refused.message).toContain('whsec_ followed by Base64');
    expect(`${refused.message}${refused.stack}`).not.toContain('not*base64');
    expect(there.received).toEqual([]);
  });
});

describe('pagerduty', () => {
  it('triggers under a key of the run and the matter', async () => {
    await send(pagerduty());
    expect(JSON.parse(there.received[0]?.body ?? '')).toMatchObject({
      routing_key: 'routing-key-4711',
      event_action: 'trigger',
      dedup_key: 'payymo-corruption-20261121-030402.gate.point',
      payload: { severity: 'critical', source: 'payymo', summary: '[payymo] point waits for database-lead.' },
    });
  });

  it('resolves what is over; pages for an end that is none', () => {
    const decided = { ...notice, kind: 'decided', severity: 'info', settles: ['gate.point'] } as const;
    const key = (matter: string) => `${notice.runId}.${matter}`;
    expect(pagerDutyEvents(decided)).toEqual([{ event_action: 'resolve', dedup_key: key('gate.point') }]);
    const failed = {
      ...notice,
      kind: 'ended',
      severity: 'critical',
      matter: 'end',
      settles: ['run', 'gate.point'],
    } as const;
    expect(pagerDutyEvents(failed)).toEqual([
      expect.objectContaining({ event_action: 'trigger', dedup_key: key('end') }),
      { event_action: 'resolve', dedup_key: key('run') },
      { event_action: 'resolve', dedup_key: key('gate.point') },
    ]);
  });
});

describe('what an answer means', () => {
  it.each([400, 401, 403, 404, 410])('%i cannot heal', async (status) => {
    there.answers.push(status);
    expect(await failure(webhook())).toBeInstanceOf(PermanentError);
  });

  it.each([302, 408, 409, 500, 503])('%i may heal', async (status) => {
    there.answers.push(status);
    const error = await failure(webhook());
    expect(error).toBeInstanceOf(TransientError);
    expect(error.message).toContain(String(status));
  });

  it('429 is tried again when the receiver says', async () => {
    there.answers.push((response) => response.writeHead(429, { 'retry-after': '7' }).end());
    const failed = toFailure(await failure(webhook()));
    expect(failed).toMatchObject({ nextRetryDelay: 7_000, nonRetryable: false, type: 'NoticeNotDelivered' });
  });

  it('Retry-After is seconds or a date, and an hour at most', () => {
    const now = Date.parse('2026-11-21T03:00:00Z');
    expect(retryAfterMs('120', now)).toBe(120_000);
    expect(retryAfterMs('Sat, 21 Nov 2026 03:00:30 GMT', now)).toBe(30_000);
    expect(retryAfterMs('Sat, 21 Nov 2026 02:00:00 GMT', now)).toBe(0);
    expect(retryAfterMs('999999', now)).toBe(3_600_000);
    expect(retryAfterMs('soon', now)).toBeUndefined();
    expect(retryAfterMs(undefined, now)).toBeUndefined();
  });

  it('an answer that never comes, or breaks off, is a failure that may heal', async () => {
    there.answers.push(() => undefined);
    expect((await failure(webhook())).message).toContain('no answer within 0.6 s');
    there.answers.push((response) => {
      response.writeHead(200, { 'content-length': '100' }).write('half');
      response.destroy();
    });
    const broken = await failure(webhook());
    expect(broken).toBeInstanceOf(TransientError);
  });

  it('a secret that is not there is named, and nothing is sent', async () => {
    delete process.env.TEST_SLACK_URL;
    expect(await failure(slack)).toMatchObject({ code: 'SecretMissing' });
    expect(there.received).toEqual([]);
  });
});

describe('a receiver that takes no connection', () => {
  let full: Server;
  beforeAll(async () => {
    // TLS that is never answered: to the client the connection is never ready.
    full = createServer(() => undefined);
    full.listen(0, '127.0.0.1');
    await once(full, 'listening');
  });
  afterAll(() => full.close());

  it('is given up on after the patience for connecting', async () => {
    const { port } = full.address() as { port: number };
    const error = await failure({ ...webhook(), url: `https://127.0.0.1:${port}/` } as Channel);
    expect(error).toBeInstanceOf(TransientError);
    expect(error.message).toContain('no connection within 0.3 s');
  });
});

it('stops when the activity is cancelled', async () => {
  const patient = notifyActivities({ connectMs: 20_000, wholeMs: 20_000 });
  const environment = new MockActivityEnvironment();
  const asked = new Promise<void>((resolve) => there.answers.push(() => resolve()));
  const running = environment.run(patient.sendNotice, { notice, receiver: receiver(webhook()) });
  await asked;
  environment.cancel();
  await expect(running).rejects.toMatchObject({ name: 'AbortError' });
});

import { once } from 'node:events';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { createServer, type Server } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { toFailure } from '../../activities/interceptor.js';
import { notifyActivities } from '../../activities/notify/index.js';
import { makeCertificates, type TlsFiles } from '../../lab/tls.js';
import { PermanentError, TransientError } from '../../src/errors.js';
import type { Channel } from '../../src/runbook/schema.js';
import { type MailReceiver, mailReceiver, notice, receiver } from '../support/receivers.js';

const { sendNotice } = notifyActivities({ connectMs: 2_000, wholeMs: 3_000 });
type Smtp = Extract<Channel, { driver: 'smtp' }>;

let folder: string;
let tls: TlsFiles;
let starttls: MailReceiver;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'muster-mail-'));
  tls = await makeCertificates(folder, 'openssl');
  const [key, cert] = await Promise.all([readFile(tls.key), readFile(tls.cert)]);
  starttls = await mailReceiver({ key, cert });
  process.env.TEST_MAIL_PASSWORD = 'right';
});
afterAll(async () => {
  await starttls.close();
  await rm(folder, { recursive: true });
  delete process.env.TEST_MAIL_PASSWORD;
});
beforeEach(() => {
  starttls.mails.length = 0;
  process.env.TEST_MAIL_PASSWORD = 'right';
});

function channel(change: Partial<Smtp> = {}): Smtp {
  return {
    driver: 'smtp',
    host: 'localhost',
    port: starttls.port,
    security: 'starttls',
    from: 'Muster <muster@example.com>',
    to: ['ops@example.com'],
    user: 'muster',
    password: 'env:TEST_MAIL_PASSWORD',
    caFile: tls.ca,
    ...change,
  };
}

const send = (change: Partial<Smtp> = {}, contacts: string[] = []) =>
  sendNotice({ notice, receiver: receiver(channel(change), contacts) });

async function failure(
  change: Partial<Smtp>,
  contacts: string[] = [],
): Promise<PermanentError | TransientError> {
  try {
    await send(change, contacts);
  } catch (error) {
    return error as PermanentError | TransientError;
  }
  throw new Error('it was delivered');
}

it('sends one plain mail over STARTTLS, logged in, to the channel and to whom it is for', async () => {
  await send({}, ['mailto:lead@example.com', 'tel:lead', 'mailto:ops@example.com']);
  expect(starttls.mails).toHaveLength(1);
  const [mail] = starttls.mails;
  expect(mail).toMatchObject({
    from: 'muster@example.com',
    to: ['ops@example.com', 'lead@example.com'],
    secure: true,
    user: 'muster',
  });
  const text = (mail?.text ?? '').replaceAll('\r\n', '\n');
  expect(text).toContain('Subject: [payymo] point waits for database-lead.\n');
  expect(text).toContain(`Message-ID: <${notice.id}@example.com>\n`);
  expect(text).toContain(`References: <${notice.runId}@example.com>\n`);
  expect(text).toContain('Date: Sat, 21 Nov 2026 03:04:08 +0000\n');
  expect(text).toContain('Auto-Submitted: auto-generated\n');
  expect(text).toContain('Content-Type: text/plain; charset=utf-8\n');
  expect(text).toContain('Go back to 02:59:39.871 UTC?\n\nLoses  41 payments');
  expect(text).toContain('muster approve payymo point\n    fences the primary\n');
});

it('a title from outside makes no header of its own', async () => {
  await sendNotice({
    notice: { ...notice, title: 'point\r\nBcc: thief@example.com' },
    receiver: receiver(channel()),
  });
  expect(starttls.mails[0]?.to).toEqual(['ops@example.com']);
  expect(starttls.mails[0]?.text).not.toMatch(/^Bcc:/m);
});

it('a wrong password is refused for good, and never told', async () => {
  process.env.TEST_MAIL_PASSWORD = 'a-wrong-password';
  const error = await failure({});
  expect(error).toBeInstanceOf(PermanentError);
  expect(error.message).toContain('ops (smtp)');
  expect(error.message).toContain('535');
  expect(`${JSON.stringify(toFailure(error))}${error.stack}`).not.toContain('a-wrong-password');
});

it('an address that the server refuses is refused for good', async () => {
  const error = await failure({ to: ['gone@example.com'] });
  expect(error).toBeInstanceOf(PermanentError);
  expect(error.message).toContain('no such user');
});

it('without an address nothing is sent', async () => {
  const error = await failure({ to: [] }, ['tel:lead']);
  expect(error).toBeInstanceOf(PermanentError);
  expect(starttls.mails).toEqual([]);
});

it('a certificate of nobody known is not trusted: no login, no mail', async () => {
  const { caFile: _left, ...without } = channel();
  const sent = sendNotice({ notice, receiver: receiver(without) });
  await expect(sent).rejects.toBeInstanceOf(TransientError);
  expect(starttls.mails).toEqual([]);
});

it('never falls back to plain text where STARTTLS is asked for', async () => {
  const plain = await mailReceiver({
    hideSTARTTLS: true,
    disabledCommands: ['STARTTLS'],
    allowInsecureAuth: true,
  });
  try {
    const error = await failure({ port: plain.port });
    expect(error.message).toContain('ops (smtp)');
    expect(plain.mails).toEqual([]);
  } finally {
    await plain.close();
  }
});

it('speaks TLS from the first byte, or none at all, where the runbook says so', async () => {
  const [key, cert] = await Promise.all([readFile(tls.key), readFile(tls.cert)]);
  const secure = await mailReceiver({ key, cert, secure: true });
  const plain = await mailReceiver({ authOptional: true, hideSTARTTLS: true });
  try {
    await send({ port: secure.port, security: 'tls' });
    expect(secure.mails[0]).toMatchObject({ secure: true, user: 'muster' });
    const {
      user: _user,
      password: _password,
      ...anonymous
    } = channel({ port: plain.port, security: 'none' });
    await sendNotice({ notice, receiver: receiver(anonymous) });
    expect(plain.mails[0]).toMatchObject({ secure: false });
  } finally {
    await Promise.all([secure.close(), plain.close()]);
  }
});

describe('a server that never says a word', () => {
  let silent: Server;
  beforeAll(async () => {
    silent = createServer(() => undefined);
    silent.listen(0, '127.0.0.1');
    await once(silent, 'listening');
  });
  afterAll(() => silent.close());

  it('is left after the patience, and may heal', async () => {
    const quick = notifyActivities({ connectMs: 200, wholeMs: 400 });
    const { port } = silent.address() as { port: number };
    const sent = quick.sendNotice({ notice, receiver: receiver(channel({ port })) });
    await expect(sent).rejects.toThrow('no answer within 0.4 s');
    await expect(sent).rejects.toBeInstanceOf(TransientError);
  });
});

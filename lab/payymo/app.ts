/**
 * Payymo's core API: takes payments, answers balances, keeps statements as files, tells its health. It finds the database by its DNS name; started with
 * `--read-only` it looks at one fixed server instead (a recovered copy) and refuses payments.
 *
 * Environment: PAYYMO_PORT; PAYYMO_DATABASE, PAYYMO_DATABASE_USER, PAYYMO_DATABASE_PASSWORD (reference), PAYYMO_SIGNING_KEY
 * (reference); PAYYMO_DATABASE_HOST (a name), PAYYMO_DATABASE_PORT, PAYYMO_RESOLVER (address:port); PAYYMO_FILES and
 * PAYYMO_FILES_COPY (buckets as a runbook has them, in JSON; may be left out). With `--read-only`:
 * MUSTER_PORT, MUSTER_DATABASE_HOST (an address) and MUSTER_DATABASE_PORT take the place of the others.
 */
import type { IncomingMessage, ServerResponse } from 'node:http';
import { z } from 'zod';
import { resolveSecret } from '../../src/secrets.js';
import { fixedAddress, resolvedAddress } from '../service/addresses.js';
import { FollowingDatabase } from '../service/database.js';
import type { Files } from '../service/files.js';
import { type Answer, endOnSignal, needed, readJson, serve } from '../service/http.js';
import { findBalance, findPayment, PaymentRefused, pay, pulse } from './ledger.js';

const paymentSchema = z.strictObject({
  id: z.uuid().transform((id) => id.toLowerCase()),
  from: z.number().int().positive(),
  to: z.number().int().positive(),
  amountCents: z.number().int().positive().max(1_000_000_000),
  currency: z.string().regex(/^[A-Z]{3}$/),
  memo: z.string().max(200).default(''),
});

const statementSchema = z.strictObject({
  id: z.uuid().transform((id) => id.toLowerCase()),
  account: z.number().int().positive(),
});

const readOnly = process.argv.includes('--read-only');
const database = new FollowingDatabase(
  readOnly
    ? fixedAddress(needed('MUSTER_DATABASE_HOST'))
    : resolvedAddress(needed('PAYYMO_DATABASE_HOST'), needed('PAYYMO_RESOLVER')),
  {
    port: Number(needed(readOnly ? 'MUSTER_DATABASE_PORT' : 'PAYYMO_DATABASE_PORT')),
    database: needed('PAYYMO_DATABASE'),
    user: needed('PAYYMO_DATABASE_USER'),
    password: await resolveSecret(needed('PAYYMO_DATABASE_PASSWORD')),
    readOnly,
    application: 'payymo',
  },
);
const signingKey = readOnly
  ? undefined
  : Buffer.from(await resolveSecret(needed('PAYYMO_SIGNING_KEY')), 'hex');

const files = readOnly ? undefined : await openFiles();

const server = await serve(
  Number(needed(readOnly ? 'MUSTER_PORT' : 'PAYYMO_PORT')),
  async (request, response, url) => {
    try {
      return await route(request, response, url);
    } catch (error) {
      if (error instanceof PaymentRefused) return { status: error.status, body: { error: error.message } };
      // Whatever the database has to do with it: the client may ask again, a payment keeps its id.
      return { status: 503, body: { error: error instanceof Error ? error.message : String(error) } };
    }
  },
);
endOnSignal(async () => {
  server.close();
  files?.close();
  await database.close();
});

async function route(
  request: IncomingMessage,
  response: ServerResponse,
  url: URL,
): Promise<Answer | undefined> {
  const [, collection, id = '', detail] = url.pathname.split('/');
  if (request.method === 'GET' && url.pathname === '/health') return health();
  if (request.method === 'POST' && url.pathname === '/payments') return takePayment(request);
  if (request.method === 'POST' && url.pathname === '/statements') return takeStatement(request);
  if (request.method === 'GET' && collection === 'statements') return sendStatement(url, response);
  if (request.method === 'GET' && collection === 'payments' && z.uuid().safeParse(id).success) {
    const payment = await findPayment(database, id);
    return payment
      ? { status: 200, body: { ...payment } }
      : { status: 404, body: { error: `no payment ${id}` } };
  }
  if (
    request.method === 'GET' &&
    collection === 'accounts' &&
    /^\d{1,15}$/.test(id) &&
    detail === 'balance'
  ) {
    const balance = await findBalance(database, Number(id));
    return balance ? { status: 200, body: balance } : { status: 404, body: { error: `no account ${id}` } };
  }
  return { status: 404, body: { error: `${request.method} ${url.pathname} is not known here` } };
}

async function health(): Promise<Answer> {
  const begun = performance.now();
  const where = () => ({ address: database.address ?? null, port: database.port });
  try {
    const { lastSequence, takesWrites } = await pulse(database);
    const latencyMs = Math.round((performance.now() - begun) * 10) / 10;
    const good = takesWrites || readOnly;
    return {
      status: good ? 200 : 503,
      body: {
        status: good ? 'ok' : 'unavailable',
        ...(good ? {} : { reason: 'the database takes no writes' }),
        ...{ database: where(), latencyMs, lastSequence, readOnly },
      },
    };
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    return { status: 503, body: { status: 'unavailable', reason, database: where(), readOnly } };
  }
}

async function takePayment(request: IncomingMessage): Promise<Answer> {
  if (!signingKey) return { status: 503, body: { error: 'read-only: this copy takes no payments' } };
  const parsed = paymentSchema.safeParse(await readJson(request));
  if (!parsed.success) return { status: 400, body: { error: z.prettifyError(parsed.error) } };
  if (parsed.data.from === parsed.data.to)
    return { status: 422, body: { error: 'from and to are the same' } };
  const { payment, made } = await pay(database, signingKey, parsed.data);
  return { status: made === 'now' ? 201 : 200, body: { ...payment } };
}

/** Loaded only where there are any: a copy that is tried starts sooner without. */
async function openFiles(): Promise<Files | undefined> {
  const bucket = process.env.PAYYMO_FILES;
  if (bucket === undefined) return undefined;
  const { Files } = await import('../service/files.js');
  const copy = process.env.PAYYMO_FILES_COPY;
  return Files.open(JSON.parse(bucket), copy === undefined ? undefined : JSON.parse(copy));
}

const NO_FILES: Answer = { status: 503, body: { error: 'this copy has no files' } };

async function takeStatement(request: IncomingMessage): Promise<Answer> {
  if (files === undefined) return NO_FILES;
  const parsed = statementSchema.safeParse(await readJson(request));
  if (!parsed.success) return { status: 400, body: { error: z.prettifyError(parsed.error) } };
  const { makeStatement } = await import('./files.js');
  return {
    status: 201,
    body: { ...(await makeStatement(database, files, parsed.data.id, parsed.data.account)) },
  };
}

async function sendStatement({ pathname }: URL, response: ServerResponse): Promise<Answer | undefined> {
  if (files === undefined) return NO_FILES;
  const key = decodeURIComponent(pathname.slice(1));
  const { findStatement } = await import('./files.js');
  const row = await findStatement(database, key);
  if (row === undefined) return { status: 404, body: { error: `no statement ${key}` } };
  const content = await files.read(key);
  if (content === undefined)
    return { status: 410, body: { error: `the file of statement ${key} is missing` } };
  response.writeHead(200, { 'content-type': 'text/plain; charset=utf-8', 'x-sha256': row.sha256 });
  response.end(content);
  return undefined;
}

/**
 * The paying client: pays at a steady rate, whatever happens to Payymo, and remembers every payment that was acknowledged.
 * A payment whose outcome is unknown is asked for again with the same id until it is answered. Now and then it has a statement
 * made, and remembers those too, in `statements.ndjson`.
 *
 * `GET /acknowledged?since=ISO&until=ISO` streams what was acknowledged, one JSON object a line; `GET /stats` counts.
 * Environment: PAYYMO_CLIENT_PORT, PAYYMO_CLIENT_FOLDER, PAYYMO_URL, PAYYMO_RATE (payments a second), PAYYMO_ACCOUNTS.
 */
import { randomInt, randomUUID } from 'node:crypto';
import { appendFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { AcknowledgedFile, type Acknowledgement, streamAcknowledged } from '../service/acknowledged.js';
import { endOnSignal, needed, serve } from '../service/http.js';
import { CURRENCY } from './generate.js';

/** A payment that Payymo has answered for. */
interface PaymentAcknowledged extends Acknowledgement {
  readonly sequence: number;
  readonly amountCents: number;
}

/** Payments under way at once; while Payymo does not answer, no more are begun. */
const MOST_UNDER_WAY = 8;
const RETRY_MS = 250;
const ANSWER_TIMEOUT_MS = 8_000;
/** A statement after so many payments. */
const PAYMENTS_A_STATEMENT = 20;

const url = needed('PAYYMO_URL');
const rate = Number(needed('PAYYMO_RATE'));
const accounts = Number(needed('PAYYMO_ACCOUNTS'));
const acknowledged = await AcknowledgedFile.open<PaymentAcknowledged>(
  join(needed('PAYYMO_CLIENT_FOLDER'), 'acknowledged.ndjson'),
);
const stats = { refused: 0, unanswered: 0, heldBack: 0, lastError: null as string | null, lastErrorAt: '' };
const statements = join(needed('PAYYMO_CLIENT_FOLDER'), 'statements.ndjson');
let underWay = 0;
let begun = 0;
let stopping = false;

const server = await serve(Number(needed('PAYYMO_CLIENT_PORT')), async (request, response, asked) => {
  if (request.method !== 'GET') return { status: 405, body: { error: 'only GET is known here' } };
  if (asked.pathname === '/stats') {
    const { count, last } = acknowledged;
    return {
      status: 200,
      body: { acknowledged: count, ...stats, underWay, paymentsPerSecond: rate, last: last ?? null },
    };
  }
  if (asked.pathname === '/acknowledged')
    return streamAcknowledged(acknowledged, asked.searchParams, response);
  return { status: 404, body: { error: `${asked.pathname} is not known here` } };
});

const ticker = setInterval(() => {
  if (underWay >= MOST_UNDER_WAY) {
    stats.heldBack++;
    return;
  }
  underWay++;
  if (++begun % PAYMENTS_A_STATEMENT === 0) void askForStatement().catch(() => undefined);
  void payOnce().finally(() => underWay--);
}, 1_000 / rate);

endOnSignal(async () => {
  stopping = true;
  clearInterval(ticker);
  server.close();
  await acknowledged.close();
});

async function payOnce(): Promise<void> {
  const from = randomInt(1, accounts + 1);
  const to = (from % accounts) + 1;
  const payment = { id: randomUUID(), from, to, amountCents: randomInt(100, 50_000), currency: CURRENCY };
  while (!stopping) {
    try {
      const answer = await fetch(`${url}/payments`, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify(payment),
        signal: AbortSignal.timeout(ANSWER_TIMEOUT_MS),
      });
      const body = (await answer.json()) as { sequence?: number; at?: string; error?: string };
      if (answer.ok && body.sequence !== undefined && body.at !== undefined) {
        const { id, amountCents } = payment;
        await acknowledged.add({
          ...{ id, at: body.at, sequence: body.sequence, amountCents },
          acknowledgedAt: new Date().toISOString(),
        });
        return;
      }
      note(body.error ?? `answered ${answer.status}`);
      if (answer.status >= 400 && answer.status < 500) {
        stats.refused++;
        return;
      }
    } catch (error) {
      note(error instanceof Error ? error.message : String(error));
    }
    stats.unanswered++;
    await delay(RETRY_MS);
  }
}

/** Asked for once: what is not answered does not count. */
async function askForStatement(): Promise<void> {
  const answer = await fetch(`${url}/statements`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ id: randomUUID(), account: randomInt(1, accounts + 1) }),
    signal: AbortSignal.timeout(ANSWER_TIMEOUT_MS),
  });
  const body = (await answer.json()) as { key?: string; sha256?: string };
  if (!answer.ok || body.key === undefined) return;
  await appendFile(
    statements,
    `${JSON.stringify({ key: body.key, sha256: body.sha256, acknowledgedAt: new Date().toISOString() })}\n`,
  );
}

function note(error: string): void {
  stats.lastError = error;
  stats.lastErrorAt = new Date().toISOString();
}

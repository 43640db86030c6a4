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
import { AcknowledgedFile, type Acknowledgement } from '../service/acknowledged.js';
import { keepWriting, notKept, post } from '../service/client.js';
import { needed } from '../service/http.js';
import { CURRENCY } from './generate.js';

/** A payment that Payymo has answered for. */
interface PaymentAcknowledged extends Acknowledgement {
  readonly sequence: number;
  readonly amountCents: number;
}

/** A statement after so many payments. */
const PAYMENTS_A_STATEMENT = 20;

const url = needed('PAYYMO_URL');
const perSecond = Number(needed('PAYYMO_RATE'));
const accounts = Number(needed('PAYYMO_ACCOUNTS'));
const folder = needed('PAYYMO_CLIENT_FOLDER');
let begun = 0;

await keepWriting({
  acknowledged: await AcknowledgedFile.open<PaymentAcknowledged>(join(folder, 'acknowledged.ndjson')),
  port: Number(needed('PAYYMO_CLIENT_PORT')),
  rate: { name: 'paymentsPerSecond', perSecond },
  most: Math.min(8, perSecond),
  begin: () => {
    if (++begun % PAYMENTS_A_STATEMENT === 0) void askForStatement().catch(() => undefined);
    const from = randomInt(1, accounts + 1);
    const to = (from % accounts) + 1;
    return { id: randomUUID(), from, to, amountCents: randomInt(100, 50_000), currency: CURRENCY };
  },
  ask: async (payment) => {
    const answer = await post<{ sequence?: number; at?: string }>(`${url}/payments`, payment);
    const { sequence, at } = answer.said;
    if (answer.status >= 300 || sequence === undefined || at === undefined) return notKept(answer);
    const { id, amountCents } = payment;
    return { kept: { id, at, sequence, amountCents, acknowledgedAt: new Date().toISOString() } };
  },
});

/** Asked for once: what is not answered does not count. */
async function askForStatement(): Promise<void> {
  const { status, said } = await post<{ key?: string; sha256?: string }>(`${url}/statements`, {
    id: randomUUID(),
    account: randomInt(1, accounts + 1),
  });
  if (status >= 300 || said.key === undefined) return;
  const kept = { key: said.key, sha256: said.sha256, acknowledgedAt: new Date().toISOString() };
  await appendFile(join(folder, 'statements.ndjson'), `${JSON.stringify(kept)}\n`);
}

/** A payer who wants to know when Payymo takes payments again. */
import { randomUUID } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import type { LabState } from '../lab/state.js';

const EVERY_MS = 20;
/** An answer that takes longer is not waited for: the payment is asked for again, with the same id. */
const PATIENCE_MS = 500;
const LONGEST_MS = 120_000;

/**
 * Asks for one payment again and again until it is acknowledged.
 *
 * @returns when that was, as `performance.now()` tells it
 * @throws Error when it never is
 */
export async function untilPaid({ payymo }: LabState): Promise<number> {
  const body = JSON.stringify({ id: randomUUID(), from: 1, to: 2, amountCents: 1, currency: 'EUR' });
  const deadline = performance.now() + LONGEST_MS;
  for (;;) {
    const answer = await fetch(new URL('/payments', payymo.appUrl), {
      ...{ method: 'POST', body, headers: { 'content-type': 'application/json' } },
      signal: AbortSignal.timeout(PATIENCE_MS),
    }).catch(() => undefined);
    await answer?.arrayBuffer().catch(() => undefined);
    if (answer?.ok === true) return performance.now();
    if (performance.now() > deadline) throw new Error('no payment was taken again');
    await delay(EVERY_MS);
  }
}

/** The address of the database that the application works on. */
export async function databaseInUse({ payymo }: LabState): Promise<string | undefined> {
  const answer = await fetch(new URL('/health', payymo.appUrl), { headers: { connection: 'close' } });
  const { database } = (await answer.json()) as { database?: { address?: string } };
  return database?.address;
}

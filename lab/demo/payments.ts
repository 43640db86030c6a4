import type { LabState } from '../state.js';
import { waitFor } from '../wait.js';

/** Waits until the paying client has had this many more payments acknowledged. */
export async function waitForPayments(state: LabState, more: number): Promise<void> {
  const from = await acknowledged(state);
  await waitFor({ what: `${more} payments`, deadlineMs: 60_000, pollMs: 100 }, async () => {
    const now = await acknowledged(state);
    if (now < from + more) throw new Error(`${now - from} were acknowledged`);
  });
}

async function acknowledged(state: LabState): Promise<number> {
  const answer = await fetch(new URL('/stats', state.payymo.clientUrl), {
    signal: AbortSignal.timeout(5_000),
  });
  return ((await answer.json()) as { acknowledged: number }).acknowledged;
}

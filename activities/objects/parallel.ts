import { setTimeout as delay } from 'node:timers/promises';
import { TransientError } from '../../src/errors.js';

const PAUSES_MS = [250, 1_000];

/** Works on all items, at most `limit` at once. The first failure ends it: no further item is begun. */
export async function inParallel<T>(
  items: readonly T[],
  limit: number,
  work: (item: T) => Promise<void>,
): Promise<void> {
  let next = 0;
  let failed = false;
  const lane = async () => {
    while (!failed && next < items.length) {
      const item = items[next] as T;
      next += 1;
      try {
        await work(item);
      } catch (error) {
        failed = true;
        throw error;
      }
    }
  };
  const ends = await Promise.allSettled(Array.from({ length: Math.min(limit, items.length) }, lane));
  for (const end of ends) if (end.status === 'rejected') throw end.reason;
}

/**
 * One object's trouble does not end the work on thousands: what may pass is tried three times in all.
 *
 * @throws the last TransientError; anything else at once
 */
export async function patiently<T>(signal: AbortSignal, work: () => Promise<T>): Promise<T> {
  for (const pauseMs of PAUSES_MS) {
    try {
      return await work();
    } catch (error) {
      signal.throwIfAborted();
      if (!(error instanceof TransientError)) throw error;
      await delay(pauseMs, undefined, { signal });
    }
  }
  return work();
}

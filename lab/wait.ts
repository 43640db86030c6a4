import { setTimeout as delay } from 'node:timers/promises';
import { messageOf } from '../src/errors.js';
import { LabError } from './errors.js';

/** What is waited for, how long at most, and what ends the wait early. */
export interface Wait {
  /** Completes the sentence "Waited in vain for ...". */
  readonly what: string;
  readonly deadlineMs: number;
  readonly pollMs?: number;
  readonly next?: string;
  /** Throws when waiting has become pointless, for instance because the process is gone. */
  readonly giveUp?: () => Promise<void>;
}

/**
 * Repeats `attempt` until it does not throw, and returns what it returned.
 *
 * @throws LabError with the last reason when the deadline passes; whatever `giveUp` throws.
 */
export async function waitFor<T>(wait: Wait, attempt: () => Promise<T>): Promise<T> {
  const deadline = performance.now() + wait.deadlineMs;
  for (;;) {
    try {
      return await attempt();
    } catch (error) {
      await wait.giveUp?.();
      if (performance.now() >= deadline) {
        throw new LabError(
          `Waited ${wait.deadlineMs / 1000} s in vain for ${wait.what}: ${messageOf(error)}.`,
          wait.next ?? 'Look into the log of that part.',
          error,
        );
      }
    }
    await delay(wait.pollMs ?? 50);
  }
}

import type { Progress } from '../src/model/run.js';
import { reportProgress } from './context.js';

/** Shorter than any heartbeat timeout that a step is given. */
const PULSE_MS = 1_000;

/**
 * Reports progress at once and then every second, also while nothing new is known, so that a long silence means that the
 * work is dead. The rate is the average since the work began.
 *
 * @param first what is shown until the work knows more
 * @param work is given a function that takes the newest figures
 */
export async function withProgress<T>(
  first: Progress,
  work: (update: (progress: Progress) => void) => Promise<T>,
): Promise<T> {
  const begun = performance.now();
  let newest = first;
  const pulse = () => {
    const seconds = (performance.now() - begun) / 1000;
    const rate = seconds > 0.5 && newest.done > 0 ? { ratePerSecond: newest.done / seconds } : {};
    reportProgress({ ...rate, ...newest });
  };
  pulse();
  const timer = setInterval(pulse, PULSE_MS);
  timer.unref();
  try {
    return await work((progress) => {
      newest = progress;
    });
  } finally {
    clearInterval(timer);
  }
}

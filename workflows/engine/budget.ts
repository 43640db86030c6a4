/** Warnings while time is used up. Timers only warn: they never cancel work. */
import { CancellationScope, isCancellation, sleep } from '@temporalio/workflow';
import { formatDuration } from '../../src/model/format.js';

const boundaries = [50, 80, 100] as const;

/**
 * Warns at 50, 80 and 100 % of a budget until it is stopped.
 *
 * @param label names the budget in timers and warnings, for instance `restore`
 * @param usedMs how much is used up already
 * @returns a function that stops the watch
 */
export function watchBudget(
  label: string,
  budgetMs: number,
  usedMs: number,
  warn: (text: string, percent: number) => void,
): () => void {
  const scope = new CancellationScope();
  const watching = scope.run(async () => {
    let used = usedMs;
    for (const percent of boundaries) {
      const boundary = (budgetMs * percent) / 100;
      if (boundary < used) continue;
      const text = `${label}: ${percent} % of ${formatDuration(budgetMs)} used`;
      await sleep(Math.max(1, boundary - used), { summary: text });
      used = boundary;
      warn(text, percent);
    }
  });
  watching.catch((error: unknown) => {
    if (!isCancellation(error)) throw error;
  });
  return () => scope.cancel();
}

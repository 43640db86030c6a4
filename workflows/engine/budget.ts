/** Warnings while time is used up. Timers only warn and look: they never cancel work. */
import { CancellationScope, isCancellation, sleep } from '@temporalio/workflow';
import { formatDuration } from '../../src/model/format.js';
import { type Beside, PAUSE_MS } from './beside.js';

const boundaries = [50, 80, 100] as const;
/** Nothing is said yet, and it is looked how far the work is: what goes much slower than ever is known early. */
const glances = [10, 25] as const;

/** What a watch is about. */
export interface Budget {
  /** Names it in timers and warnings, for instance `restore`. */
  readonly label: string;
  readonly budgetMs: number;
  /** How much is used up already. */
  readonly usedMs: number;
  /** Done at each of the moments, and at some before them. */
  readonly look?: () => void;
}

/**
 * Warns at 50, 80 and 100 % of a budget until it is stopped. What ends within a moment never gets a timer.
 *
 * @param beside where the first timer waits for its turn, unless it would come late
 * @returns a function that stops the watch
 */
export function watchBudget(
  beside: Beside,
  { label, budgetMs, usedMs, look }: Budget,
  warn: (text: string, percent: number) => void,
): () => void {
  // The moment at which nothing of the budget was used.
  const begun = Date.now() - usedMs;
  const coming = [...(look === undefined ? [] : glances), ...boundaries]
    .map((percent) => ({ percent, afterMs: (budgetMs * percent) / 100 }))
    .filter(({ afterMs }) => afterMs >= usedMs);
  const [first] = coming;
  if (first === undefined) return () => undefined;
  const scope = new CancellationScope();
  const watch = () => {
    const watching = scope.run(async () => {
      for (const { percent, afterMs } of coming) {
        const text = `${label}: ${percent} % of ${formatDuration(budgetMs)} used`;
        await sleep(Math.max(1, begun + afterMs - Date.now()), { summary: text });
        look?.();
        if (percent >= boundaries[0]) warn(text, percent);
      }
    });
    watching.catch((error: unknown) => {
      if (!isCancellation(error)) throw error;
    });
  };
  // As late as the next pause may end, with room for a busy worker.
  if (first.afterMs - usedMs < 10 * PAUSE_MS) {
    watch();
    return () => scope.cancel();
  }
  const callOff = beside.soon(watch);
  return () => {
    callOff();
    scope.cancel();
  };
}

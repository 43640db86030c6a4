/** Works through cases, several side by side: most of a case is waiting. */
import type { Outcome } from './outcome.js';

export interface Runnable {
  readonly name: string;
  readonly run: () => Promise<Outcome>;
}

/** @returns the outcomes in the order of the cases */
export async function runAll(
  cases: readonly Runnable[],
  lanes: number,
  done: (outcome: Outcome, count: number) => void = () => undefined,
): Promise<readonly Outcome[]> {
  const outcomes = new Map<Runnable, Outcome>();
  const waiting = [...cases];
  const lane = async (): Promise<void> => {
    for (let one = waiting.shift(); one !== undefined; one = waiting.shift()) {
      const outcome = await one.run();
      outcomes.set(one, outcome);
      done(outcome, outcomes.size);
    }
  };
  await Promise.all(Array.from({ length: lanes }, lane));
  return cases.flatMap((one) => outcomes.get(one) ?? []);
}

/** Works through recoveries, several side by side: most of one is waiting. */
import type { FaultCase } from './cases.js';
import type { Outcome } from './outcome.js';
import { type Ride, ridesOf } from './rides.js';
import type { RideOutcome } from './run-ride.js';

export interface Lanes {
  /** Recoveries at once. */
  readonly lanes: number;
  /** Whether no other recovery is to begin. */
  readonly late?: () => boolean;
}

/** Recoveries in which a case may look for its moment: some are short, and the machine may have looked elsewhere. */
const MOST_LOOKS = 4;
/** Of cases that got into each other's way before. */
const MOST_MISSED_TOGETHER = 3;

/**
 * @param run recovers with the cases of a ride; those of one that went wrong are run alone afterwards, those that were not
 * met are tried again, few at a time
 * @param done called with each outcome as soon as it is there
 * @returns all outcomes, as they came
 */
export async function runAll(
  rides: readonly Ride[],
  { lanes, late = () => false }: Lanes,
  run: (ride: Ride) => Promise<RideOutcome>,
  done: (outcome: Outcome) => void = () => undefined,
): Promise<readonly Outcome[]> {
  const outcomes: Outcome[] = [];
  const waiting: Ride[] = [...rides];
  const again: FaultCase[] = [];
  const looks = new Map<FaultCase, number>();
  const next = (): Ride | undefined => {
    if (waiting.length === 0) waiting.push(...ridesOf(again.splice(0), MOST_MISSED_TOGETHER));
    return waiting.shift();
  };
  const lane = async (): Promise<void> => {
    for (let ride = next(); ride !== undefined && !late(); ride = next()) {
      const { outcomes: found, alone, missed } = await run(ride);
      waiting.push(...alone.map((one): Ride => [one]));
      for (const { one } of missed) looks.set(one, (looks.get(one) ?? 0) + 1);
      const tooOften = ({ one }: { readonly one: FaultCase }) => (looks.get(one) ?? 0) >= MOST_LOOKS;
      again.push(...missed.filter((each) => !tooOften(each)).map(({ one }) => one));
      for (const outcome of [...found, ...missed.filter(tooOften).map(({ never }) => never)]) {
        outcomes.push(outcome);
        done(outcome);
      }
    }
  };
  await Promise.all(Array.from({ length: lanes }, lane));
  return outcomes;
}

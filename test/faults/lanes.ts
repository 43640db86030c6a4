/** Works through recoveries, several side by side: most of one is waiting. */
import type { FaultCase } from './cases.js';
import type { Outcome } from './outcome.js';
import type { Ride } from './rides.js';
import type { RideOutcome } from './run-ride.js';

export interface Lanes {
  /** Recoveries at once. */
  readonly lanes: number;
  /** Whether no other recovery is to begin. */
  readonly late?: () => boolean;
}

/**
 * @param run recovers with the cases of a ride; those that it says nothing of are run alone afterwards
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
  const lane = async (): Promise<void> => {
    for (let ride = waiting.shift(); ride !== undefined && !late(); ride = waiting.shift()) {
      const { outcomes: found, alone } = await run(ride);
      for (const outcome of found) {
        outcomes.push(outcome);
        done(outcome);
      }
      waiting.push(...alone.map((one: FaultCase): Ride => [one]));
    }
  };
  await Promise.all(Array.from({ length: lanes }, lane));
  return outcomes;
}

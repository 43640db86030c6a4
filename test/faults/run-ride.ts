/** One recovery with the cases that befall it, from the empty lab to the verdict. */
import type { FaultCase } from './cases.js';
import { logsOf, wrongAfter } from './facts.js';
import { type Watch, watchFor } from './moments.js';
import { type Outcome, TOGETHER } from './outcome.js';
import type { Ride } from './rides.js';
import { Stage } from './stage.js';
import { strike } from './strike.js';

export interface RideOutcome {
  readonly outcomes: readonly Outcome[];
  /** Cases of a recovery that went wrong: each needs one of its own. */
  readonly alone: readonly FaultCase[];
  /** Cases whose moment was not met, of which this recovery says nothing; with what is to be said if it never is. */
  readonly missed: readonly { readonly one: FaultCase; readonly never: Outcome }[];
}

/** How each case went. */
type Met = 'not yet' | 'struck' | 'while another was not mended';

/**
 * Recovers once with all of these cases. When more than one has struck and something is wrong, nobody knows which one it
 * was: the recovery counts as a case of its own, and each case is asked for once more, alone.
 */
export async function runRide(ride: Ride): Promise<RideOutcome> {
  const begun = performance.now();
  const met = new Map<FaultCase, Met>(ride.map((one) => [one, 'not yet']));
  let stage: Stage | undefined;
  let recoveryMs = 0;
  let wrong: readonly string[];
  try {
    stage = await Stage.set(ride[0]?.orchestrator ?? 'development');
    const from = performance.now();
    wrong = await recover(stage, met, () => {
      recoveryMs = performance.now() - from;
    });
  } catch (error) {
    wrong = [error instanceof Error ? error.message : String(error)];
  }
  const retried = [...new Set(stage?.retried ?? [])];
  const kept = wrong.length > 0 && process.env.MUSTER_FAULTS_KEEP === '1';
  if (kept && stage !== undefined) wrong = [...wrong, `logs: ${logsOf(stage)}`];
  if (!kept) await stage?.strike();
  const outcomeOf = (name: string, found: readonly string[]): Outcome => ({
    name,
    wrong: found,
    notes: retried.length === 0 ? [] : [`tried again by the commander: ${retried.join(', ')}`],
    recoveryMs,
    wholeMs: performance.now() - begun,
    shared: ride.length,
  });
  // The lab did not come up: nothing was recovered.
  if (stage === undefined) {
    return {
      outcomes: [],
      alone: [],
      missed: ride.map((one) => ({ one, never: outcomeOf(one.name, wrong) })),
    };
  }
  const struck = ride.filter((one) => met.get(one) === 'struck');
  if (wrong.length > 0 && ride.length > 1) {
    const together = struck.map(({ name }) => name).join(' + ');
    return { outcomes: [outcomeOf(`${TOGETHER}: ${together}`, wrong)], alone: ride, missed: [] };
  }
  if (wrong.length > 0) {
    return { outcomes: ride.map(({ name }) => outcomeOf(name, wrong)), alone: [], missed: [] };
  }
  return {
    outcomes: struck.map(({ name }) => outcomeOf(name, [])),
    alone: [],
    missed: ride
      .filter((one) => !struck.includes(one))
      .map((one) => ({ one, never: outcomeOf(one.name, ['the moment never came']) })),
  };
}

async function recover(
  stage: Stage,
  met: Map<FaultCase, Met>,
  ended: () => void,
): Promise<readonly string[]> {
  const more = () => [...met.values()].includes('not yet');
  const watches = [...met.keys()].map(
    (one): Watch =>
      watchFor(stage, one.moment, async (reached) => {
        if (stage.unmended > 0) {
          met.set(one, 'while another was not mended');
          reached.proceed();
          reached.answer('forward');
          return;
        }
        met.set(one, 'struck');
        await strike(stage, one.fault, reached, more);
      }),
  );
  try {
    await stage.begin();
    const result = await stage.command(watches.map(({ interludes }) => interludes));
    ended();
    return await wrongAfter(stage, result);
  } finally {
    for (const watch of watches) watch.stop();
  }
}

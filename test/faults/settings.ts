/** What of the harness is to run, as `npm run test:faults` was told. */

export interface FaultSettings {
  /** Words that the names of the cases must all contain. */
  readonly only: readonly string[];
  /** Part `of` parts of the recoveries, from 1. */
  readonly part: number;
  readonly of: number;
  /** Recoveries at once. */
  readonly lanes: number;
  /** No recovery begins later than this many minutes after the first. */
  readonly minutes: number;
  /** File that outcomes are added to. */
  readonly results: string | undefined;
}

/** @param env MUSTER_FAULTS_ONLY, MUSTER_FAULTS_PART (`1/2`), MUSTER_FAULTS_LANES, MUSTER_FAULTS_MINUTES, MUSTER_FAULTS_RESULTS */
export function faultSettings(env: Readonly<Record<string, string | undefined>>): FaultSettings {
  const [part = 1, of = 1] = (env.MUSTER_FAULTS_PART ?? '1/1').split('/').map(Number);
  return {
    only: (env.MUSTER_FAULTS_ONLY ?? '').split(/\s+/).filter(Boolean),
    part,
    of,
    lanes: Number(env.MUSTER_FAULTS_LANES ?? 3),
    minutes: Number(env.MUSTER_FAULTS_MINUTES ?? Number.POSITIVE_INFINITY),
    results: env.MUSTER_FAULTS_RESULTS,
  };
}

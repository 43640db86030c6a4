/** Which cases share a recovery: so far apart that each has been met and mended before the next one strikes. */
import type { FaultCase } from './cases.js';

/** Cases that befall one and the same recovery, in the order of the plan. */
export type Ride = readonly FaultCase[];

/** As many as leave the one time to be mended before the next one comes. */
const MOST = 5;

/** @param cases in the order of the plan; only those of the same fault and the same orchestrator meet */
export function ridesOf(cases: readonly FaultCase[], most = MOST): readonly Ride[] {
  const kinds = new Map<string, FaultCase[]>();
  for (const one of cases) {
    // On a server of its own, server and workers are killed in turn.
    const kind = one.orchestrator === 'development' ? one.fault : one.orchestrator;
    kinds.set(kind, [...(kinds.get(kind) ?? []), one]);
  }
  return [...kinds.values()].flatMap((same) => {
    const rides = Math.ceil(same.length / most);
    return Array.from({ length: rides }, (_, first) => same.filter((__, index) => index % rides === first));
  });
}

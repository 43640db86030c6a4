/** Which of several systems is begun next. Pure. */
import type { SystemState } from '../../src/model/recover-all.js';

export interface Ordered {
  readonly system: string;
  readonly tier: number;
  readonly dependsOn: readonly string[];
  readonly state: SystemState;
  /** Whether its service is back: what depends on it may begin, while it is still being protected again. */
  readonly back: boolean;
}

/** A system that waits for people works on nothing: it holds no slot, and holds nobody up. */
const WORKING: readonly SystemState[] = ['running', 'undoing'];

/**
 * @param atOnce systems that may work at the same time
 * @returns the system to begin; undefined: none now
 */
export function nextToBegin(systems: readonly Ordered[], atOnce: number): string | undefined {
  const working = systems.filter(({ state }) => WORKING.includes(state)).length;
  if (working >= atOnce) return undefined;
  const pending = systems
    .filter(({ state }) => state === 'pending')
    .sort((one, other) => one.tier - other.tier || compare(one.system, other.system));
  const free = pending.find((one) => heldUpBy(one, systems).length === 0);
  if (free !== undefined || working > 0 || pending.length === 0) return free?.system;
  // They hold each other up, in a circle: the first of them by tier begins.
  return pending[0]?.system;
}

/** Systems that are begun before this one and are neither back, nor over, nor waiting for people. */
export function heldUpBy({ dependsOn }: Ordered, systems: readonly Ordered[]): readonly string[] {
  return systems
    .filter(({ system }) => dependsOn.includes(system))
    .filter(({ state, back }) => !back && (state === 'pending' || WORKING.includes(state)))
    .map(({ system }) => system);
}

function compare(one: string, other: string): number {
  return one < other ? -1 : one > other ? 1 : 0;
}

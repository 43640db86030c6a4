/** Where to look next, when one answer costs more than the other. Pure. */

/** What looking costs, in any unit of time. */
export interface Costs {
  /** To move forward and ask the rules, whatever the answer. */
  readonly look: number;
  /** Besides, when what is found is damaged already: the copy has to be restored to go back. */
  readonly back: number;
}

/**
 * A restore counts as many looks at least, however fast it is here: it loads the repository and the network that the recovery
 * itself needs.
 */
export const BACK_AT_LEAST = 4;

/**
 * The share of what is still possible that is to lie before the next look. Half would ask the fewest questions; looking earlier
 * asks a few more, and goes too far less often. It is the share that makes both answers pay the same for what they tell:
 * with cost a for "damaged" and b for "clean", the z with z^a + z^b = 1, and z^a of it.
 *
 * @returns more than 0, at most 0.5
 */
export function shareBefore({ look, back }: Costs): number {
  const clean = 1;
  const damaged = 1 + Math.max(back / Math.max(look, 1e-9), BACK_AT_LEAST);
  let low = 0;
  let high = 1;
  for (let round = 0; round < 60; round++) {
    const z = (low + high) / 2;
    if (z ** damaged + z ** clean > 1) high = z;
    else low = z;
  }
  return Math.min(0.5, low ** damaged);
}

/**
 * The next of a row of states to look at. They are clean up to some one and damaged from the next on.
 *
 * @param clean index of the last that is known to be clean
 * @param damaged index of the first that is known to be damaged
 * @returns an index between them; undefined: there is none left
 */
export function nextLook(clean: number, damaged: number, costs: Costs): number | undefined {
  const between = damaged - clean - 1;
  if (between < 1) return undefined;
  return clean + Math.max(1, Math.min(between, Math.round(between * shareBefore(costs))));
}

/** The newest clean one of a row of states that are clean up to some one and damaged from the next on. Each look costs a restore. */
import type { InvariantResult } from '../contract.js';

/** @template B what a look finds broken */
export interface NewestClean<B = InvariantResult> {
  /** undefined: none is. */
  readonly clean: string | undefined;
  /** The next newer one that could be looked into; undefined: the clean one is the newest. */
  readonly damaged: string | undefined;
  /** Where no one is clean: the oldest that could be looked into. */
  readonly oldestDamaged: string | undefined;
  /** What is broken in the damaged one that is named. */
  readonly broken: readonly B[];
}

/**
 * The newest first, since most damage is noticed before the next backup is made; then by halving: at most one look more than the
 * logarithm of their number to the base 2, rounded up. One that is unusable is left out as if it were not there.
 *
 * @param oldestFirst what they are called
 * @param look says what is broken in one
 */
export async function newestClean<B = InvariantResult>(
  oldestFirst: readonly string[],
  look: (name: string) => Promise<readonly B[] | 'unusable'>,
): Promise<NewestClean<B>> {
  const names = [...oldestFirst];
  let clean = -1;
  let damaged = names.length;
  let broken: readonly B[] = [];
  while (damaged - clean > 1) {
    const nothingKnown = clean < 0 && damaged === names.length;
    const index = nothingKnown ? names.length - 1 : Math.floor((clean + damaged) / 2);
    const name = names[index];
    if (name === undefined) break;
    const found = await look(name);
    if (found === 'unusable') {
      names.splice(index, 1);
      damaged -= 1;
    } else if (found.length === 0) {
      clean = index;
    } else {
      damaged = index;
      broken = found;
    }
  }
  const named = names[damaged];
  return {
    clean: names[clean],
    damaged: clean < 0 ? undefined : named,
    oldestDamaged: clean < 0 ? named : undefined,
    broken,
  };
}

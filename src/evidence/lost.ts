import { countLost, readLost } from '../store/lost.js';
import type { Store } from '../store/store.js';
import type { LostClass } from './document.js';

/** How many lost records of a data class a report names; the store holds them all. */
export const LISTED_AT_MOST = 100_000;

/** The records that a run lost, by data class, as the store has them. */
export async function lostFromStore(store: Store, runId: string): Promise<LostClass[]> {
  const counts = await countLost(store, runId);
  return Promise.all(
    Object.entries(counts).map(async ([dataClass, records]) => {
      const listed = await readLost(store, runId, dataClass, LISTED_AT_MOST);
      return { dataClass, records, complete: listed.length >= records, listed };
    }),
  );
}

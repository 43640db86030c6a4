/**
 * What counts of a journal once its run was taken over: a takeover begins behind the last entry that was anchored, and what
 * the lost server had written beyond it, and sent later, does not count. It is kept, and named.
 */
import type { ChainedEntry, JournalBody } from './chain.js';

export interface Standing {
  /** By index, each once. */
  readonly standing: readonly ChainedEntry[];
  /** Written by a server that had been taken over from, and overtaken by other entries of the same place. */
  readonly overtaken: readonly ChainedEntry[];
}

/** @param entries all of one run's, in any order; of two with the same place the first counts */
export function standingOf(entries: readonly ChainedEntry[]): Standing {
  const beginnings = new Map<number, number>();
  for (const { body } of entries) {
    const first = beginnings.get(adoptionOf(body));
    if (first === undefined || body.index < first) beginnings.set(adoptionOf(body), body.index);
  }
  const standing = new Map<number, ChainedEntry>();
  const overtaken: ChainedEntry[] = [];
  for (const entry of entries) {
    const { index } = entry.body;
    const over = [...beginnings].some(([number, from]) => number > adoptionOf(entry.body) && index >= from);
    if (over) overtaken.push(entry);
    else if (!standing.has(index)) standing.set(index, entry);
  }
  return {
    standing: [...standing.values()].sort((one, other) => one.body.index - other.body.index),
    overtaken,
  };
}

export function adoptionOf(body: JournalBody): number {
  return body.adoption ?? 0;
}

/** Names the place of an entry among all that were ever written for a run. */
export function placeOf(body: JournalBody): string {
  return `${adoptionOf(body)}/${body.index}`;
}

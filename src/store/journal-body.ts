/** An entry as it is hashed and kept. Pure, so that workflows make the same bytes of it as whoever checks them. */
import type { JournalEntry, StepRef } from '../../activities/contract.js';
import { storable } from './storable.js';

/** Which run an entry belongs to. */
export type RunRef = Omit<StepRef, 'step'>;

/** What is hashed and kept: the entry together with its run. */
export type JournalBody = RunRef & JournalEntry;

/** Hash before the first entry of a run. */
export const BEFORE_THE_FIRST = '0'.repeat(64);

/** Makes an entry what is hashed and kept. */
export function journalBody(run: RunRef, entry: JournalEntry): JournalBody {
  const { runId, system, scenario, mode, adoption } = run;
  const taken = adoption === undefined ? {} : { adoption };
  return storable({ runId, system, scenario, mode, ...taken, ...entry });
}

/** The text whose SHA-256 is the hash of an entry. */
export function hashedText(previousHash: string, canonical: string): string {
  return `${previousHash}\n${canonical}`;
}

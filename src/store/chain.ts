/**
 * The journal's hash chain, one a run: a run can be checked by itself, and runs do not wait for each other. The hash of
 * an entry is SHA-256, in hexadecimal, over the previous entry's hash (64 zeros before the first), a line feed, and the
 * canonical JSON (RFC 8785) of the entry, all in UTF-8. Pure: no store is needed to check a chain.
 */
import { createHash } from 'node:crypto';
import { canonicalJson } from '../model/canonical-json.js';
import { BEFORE_THE_FIRST, hashedText, type JournalBody } from './journal-body.js';

export { BEFORE_THE_FIRST, type JournalBody, type RunRef } from './journal-body.js';

/** An entry as it stands in the chain. */
export interface ChainedEntry {
  readonly body: JournalBody;
  readonly previousHash: string;
  readonly hash: string;
}

/** The end of a chain: what is anchored elsewhere, and signed with the report. */
export interface JournalHead {
  readonly entries: number;
  readonly hash: string;
}

export function entryHash(previousHash: string, body: JournalBody): string {
  return createHash('sha256')
    .update(hashedText(previousHash, canonicalJson(body)))
    .digest('hex');
}

/** Puts entries behind the one whose hash is given. */
export function chain(previousHash: string, bodies: readonly JournalBody[]): ChainedEntry[] {
  let previous = previousHash;
  return bodies.map((body) => {
    const hash = entryHash(previous, body);
    const entry = { body, previousHash: previous, hash };
    previous = hash;
    return entry;
  });
}

export function headOf(entries: readonly ChainedEntry[]): JournalHead {
  return { entries: entries.length, hash: entries.at(-1)?.hash ?? BEFORE_THE_FIRST };
}

import { sha256 } from '@noble/hashes/sha2';
import { bytesToHex, utf8ToBytes } from '@noble/hashes/utils';
import type { JournalEntry } from '../../activities/contract.js';
import { canonicalJson } from '../../src/model/canonical-json.js';
import { hashedText, journalBody, type RunRef } from '../../src/store/journal-body.js';

/** The hash of the last of these entries behind the one whose hash is given: `entryHash` of src/store/chain.ts, for workflows. */
export function hashAfter(run: RunRef, before: string, entries: readonly JournalEntry[]): string {
  return entries.reduce((hash, entry) => {
    const text = hashedText(hash, canonicalJson(journalBody(run, entry)));
    return bytesToHex(sha256(utf8ToBytes(text)));
  }, before);
}

import { sha256 } from '@noble/hashes/sha2';
import { bytesToHex, utf8ToBytes } from '@noble/hashes/utils';
import { canonicalJson } from '../../src/model/canonical-json.js';
import type { PlanDocument } from '../../src/model/plan.js';

/** SHA-256 over the canonical JSON of a plan, in hexadecimal: what an approval and the evidence refer to. */
export function planHash(plan: PlanDocument): string {
  return bytesToHex(sha256(utf8ToBytes(canonicalJson(plan))));
}

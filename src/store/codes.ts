/** Which codes of authenticators have counted: each counts once, whatever run and whichever system it was given for. */
import { storable } from './storable.js';
import type { Store } from './store.js';

export interface CodeUse {
  /** Fingerprint of the authenticator: the same one may stand in several runbooks, under several names. */
  readonly authenticator: string;
  /** Step of RFC 6238: seconds since 1970 by 30. */
  readonly counter: number;
  readonly person: string;
  readonly system: string;
  readonly runId: string;
  /** `since` of the open decision. */
  readonly opening: string;
  /** Of the whole statement: the very same decision asked about again is no second use. */
  readonly statementSha256: string;
}

export interface EarlierUse {
  readonly runId: string;
  readonly system: string;
  /** ISO 8601. */
  readonly usedAt: string;
}

/**
 * Marks a code as used. Two that ask at once are told apart by the store: one has it.
 *
 * @returns undefined when the code is now this decision's, or was already; else what it was used for before
 * @throws TransientError `StoreUnreachable`, PermanentError `StoreNotReady`
 */
export async function claimCode(store: Store, use: CodeUse): Promise<EarlierUse | undefined> {
  const { authenticator, counter, person, system, runId, opening, statementSha256 } = use;
  const claimed = await store.query(
    `insert into muster.used_codes (authenticator, counter, person, system, run_id, opening, statement_sha256)
     values ($1, $2, $3, $4, $5, $6, $7) on conflict do nothing returning counter`,
    [authenticator, counter, storable(person), system, runId, opening, statementSha256],
  );
  if (claimed.length > 0) return undefined;
  // A statement of its own: only a later one surely sees what has just been committed by somebody else.
  const [earlier] = await store.query<EarlierRow>(
    `select run_id, system, used_at, statement_sha256 from muster.used_codes
      where authenticator = $1 and counter = $2`,
    [authenticator, counter],
  );
  if (earlier === undefined || earlier.statement_sha256 === statementSha256) return undefined;
  return { runId: earlier.run_id, system: earlier.system, usedAt: earlier.used_at.toISOString() };
}

interface EarlierRow {
  readonly run_id: string;
  readonly system: string;
  readonly used_at: Date;
  readonly statement_sha256: string;
}

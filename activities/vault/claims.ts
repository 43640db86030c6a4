/**
 * The claims on a system: a numbered list in the vault that orchestrators write to before they act. Claim n+1 can only be
 * made by one that has seen claim n, because its key is created with a conditional put. So all orchestrators, on whatever
 * Temporal server, see one order of events, and a claim's number serves as the fencing token.
 */
import { z } from 'zod';
import { PermanentError, TransientError } from '../../src/errors.js';
import type { Vault } from './s3.js';

const common = {
  number: z.number().int().min(1),
  system: z.string().min(1),
  runId: z.string().min(1),
  at: z.string().min(1),
};

/** The primary that is left behind: a recovered copy goes on with the same identifier on a later timeline. */
const generation = {
  systemIdentifier: z.string().regex(/^\d+$/),
  timeline: z.number().int().min(1),
};

const claimSchema = z.discriminatedUnion('kind', [
  /** A run makes the primary refuse writes; the number is its fencing token. */
  z.object({ kind: z.literal('fence'), ...common, ...generation }),
  /** The run with this fencing token undid its fence. */
  z.object({ kind: z.literal('release'), ...common, fencingToken: z.number().int() }),
  /** The right to promote one copy in place of this primary; there is never a second one. */
  z.object({
    kind: z.literal('promotion'),
    ...common,
    ...generation,
    fencingToken: z.number().int(),
    site: z.string().min(1),
    /** Position at which replay stood; the new timeline must branch off there. */
    replayLsn: z.string().min(1),
    /** SHA-256 over the checks that the promotion rests on. */
    checksSha256: z.string().min(1),
  }),
  /** A run goes on from its journal on another server: what the one before it still asks for is refused from here on. */
  z.object({
    kind: z.literal('adoption'),
    ...common,
    /** From 1: how often the run was taken over. */
    adoption: z.number().int().min(1),
    by: z.string().min(1),
  }),
]);

export type Claim = z.output<typeof claimSchema>;
export type FenceClaim = Extract<Claim, { kind: 'fence' }>;
export type PromotionClaim = Extract<Claim, { kind: 'promotion' }>;

/** Which primary: PostgreSQL's system identifier and timeline. */
export interface Generation {
  readonly systemIdentifier: string;
  readonly timeline: number;
}

const DIGITS = 8;

export function claimKey(system: string, number: number): string {
  return `claims/${system}/${String(number).padStart(DIGITS, '0')}.json`;
}

/**
 * Every claim on the system, oldest first.
 * @param known claims read before; they never change
 * @throws PermanentError `VaultDamaged` when one is missing or cannot be read
 */
export async function readClaims(
  vault: Vault,
  system: string,
  known: readonly Claim[] = [],
): Promise<readonly Claim[]> {
  const keys = await vault.list(`claims/${system}/`);
  return Promise.all(
    keys.map(async (key, index) => {
      const before = known[index];
      if (before !== undefined) return before;
      if (key !== claimKey(system, index + 1))
        throw damaged(vault, claimKey(system, index + 1), 'is missing');
      return parseClaim(vault, key, await vault.read(key), index + 1);
    }),
  );
}

function parseClaim(vault: Vault, key: string, text: string | undefined, number: number): Claim {
  let data: unknown;
  try {
    data = JSON.parse(text ?? '');
  } catch {
    throw damaged(vault, key, 'is not JSON');
  }
  const parsed = claimSchema.safeParse(data);
  if (!parsed.success) throw damaged(vault, key, `is no claim: ${z.prettifyError(parsed.error)}`);
  if (parsed.data.number !== number)
    throw damaged(vault, key, `says that it is number ${parsed.data.number}`);
  return parsed.data;
}

function damaged(vault: Vault, key: string, what: string): PermanentError {
  return new PermanentError('VaultDamaged', `In the vault, ${vault.title}, ${key} ${what}.`, {
    why: 'Claims are written once and never changed or deleted, so somebody or something else did this.',
    next: 'Find out who promoted last (the newest claims, the bucket versions), restore the object from its versions, then retry the step.',
  });
}

/** What to do about the claims seen: add one, or be content with one that is there. */
export type Verdict<T> = { readonly add: NewClaim } | { readonly settled: T };

type Unnumbered<T> = T extends Claim ? Omit<T, 'number'> : never;
export type NewClaim = Unnumbered<Claim>;

/**
 * Adds a claim, or settles for what is there. `decide` sees all claims; it is asked again whenever another orchestrator was
 * faster, so what it decides always holds at the moment the claim is made.
 *
 * @param read claims that are being read already, so that the first look costs no time; nothing is settled by them alone
 * @returns what `decide` settled for; after a claim was added, `decide` is asked once more and must settle
 * @throws what `decide` throws; TransientError `VaultContended` after many lost races
 */
export async function claim<T>(
  vault: Vault,
  system: string,
  decide: (claims: readonly Claim[]) => Verdict<T>,
  read?: Promise<readonly Claim[]>,
): Promise<T> {
  let claims: readonly Claim[] = (await read) ?? [];
  let verdict = read === undefined ? undefined : decide(claims);
  for (let round = 0; round < 16; round++) {
    if (verdict === undefined || 'settled' in verdict) {
      claims = await readClaims(vault, system, claims);
      verdict = decide(claims);
      if ('settled' in verdict) return verdict.settled;
    }
    const number = claims.length + 1;
    const made = { ...verdict.add, number };
    if (await vault.create(claimKey(system, number), `${JSON.stringify(made, null, 2)}\n`)) {
      // Made under the number that follows all that were seen: it is the newest one, and nothing has come before it.
      claims = [...claims, claimSchema.parse(made)];
      verdict = decide(claims);
      if ('settled' in verdict) return verdict.settled;
    } else verdict = undefined;
  }
  throw new TransientError('VaultContended', `Others keep writing claims on ${system} to the vault.`, {
    next: 'See which orchestrators are recovering this system; only one should. The step tries again by itself.',
  });
}

/** The promotion token: at most one promotion in place of a given primary, whoever asks and however often. */
import { z } from 'zod';
import { PermanentError } from '../../src/errors.js';
import { claimsFor } from './adoption.js';
import { type Claim, claim, claimKey, type PromotionClaim, readClaims, type Verdict } from './claims.js';
import { type Claimant, refuseForeignPromotion, requireNewest, sameGeneration } from './fencing.js';
import type { Vault } from './s3.js';

export interface PromotionRequest extends Claimant {
  readonly fencingToken: number;
  /** Where the copy to be promoted is. */
  readonly site: string;
  /** Position at which the copy's replay is paused. */
  readonly replayLsn: string;
  readonly checksSha256: string;
}

/** A held promotion token. */
export interface PromotionToken {
  readonly claim: PromotionClaim;
  /** Object in the vault. */
  readonly key: string;
  /** Whether an earlier call of the same run had taken it: the promotion may have happened already. */
  readonly heldBefore: boolean;
}

/**
 * Takes the right to promote, or finds that this run has it. It is only given while the run's fencing token is the newest
 * claim on the system.
 *
 * @param read claims that are being read already
 * @throws PermanentError `PromotionHeld` (another run has it, or this run for another site), `FenceSuperseded`, `RunAdopted`
 */
export async function takePromotionToken(
  vault: Vault,
  request: PromotionRequest,
  read?: Promise<readonly Claim[]>,
): Promise<PromotionToken> {
  let added = false;
  const decide = (all: readonly Claim[]): Verdict<PromotionToken> => {
    const claims = claimsFor(all, request);
    refuseForeignPromotion(claims, request);
    requireNewest(claims, request.runId, request.fencingToken);
    const own = claims.find(
      (one): one is PromotionClaim => one.kind === 'promotion' && sameGeneration(one, request),
    );
    if (own !== undefined) {
      requireSite(own, request.site);
      return { settled: { claim: own, key: keyOf(own), heldBefore: !added } };
    }
    added = true;
    const { system, runId, systemIdentifier, timeline, fencingToken, site, replayLsn, checksSha256 } =
      request;
    return {
      add: {
        kind: 'promotion',
        system,
        runId,
        systemIdentifier,
        timeline,
        fencingToken,
        site,
        replayLsn,
        checksSha256,
        at: new Date().toISOString(),
      },
    };
  };
  return claim(vault, request.system, decide, read);
}

function requireSite(own: PromotionClaim, site: string): void {
  if (own.site === site) return;
  throw new PermanentError(
    'PromotionHeld',
    `This run took the right to promote the copy at ${own.site}, not the one at ${site}.`,
    {
      why: 'The copy there may have been promoted already; a second one would make two primaries.',
      next: `Go on with ${own.site}, or prove that its server was never promoted before anything else is done.`,
    },
  );
}

const doneSchema = z.object({
  runId: z.string(),
  site: z.string(),
  timeline: z.number().int().min(1),
  promotedAt: z.string(),
});

/** What is recorded once the promoted server takes writes. */
export type PromotionDone = z.output<typeof doneSchema>;

function keyOf(one: PromotionClaim): string {
  return claimKey(one.system, one.number);
}

function doneKey(one: PromotionClaim): string {
  return `promoted/${one.system}/${String(one.number).padStart(8, '0')}.json`;
}

/** Records that the promotion has happened. The first record stands. */
export async function recordPromotionDone(
  vault: Vault,
  token: PromotionToken,
  done: Omit<PromotionDone, 'runId' | 'site'>,
): Promise<PromotionDone> {
  const { runId, site } = token.claim;
  const record: PromotionDone = { runId, site, ...done };
  if (await vault.create(doneKey(token.claim), `${JSON.stringify(record, null, 2)}\n`)) return record;
  return (await readDone(vault, token.claim)) ?? record;
}

/** The record of a promotion that has happened; undefined: it was not (or its answer was lost). */
export async function readDone(vault: Vault, one: PromotionClaim): Promise<PromotionDone | undefined> {
  const text = await vault.read(doneKey(one));
  return text === undefined ? undefined : doneSchema.parse(JSON.parse(text));
}

/** A promotion token that was taken, with the record of its success where there is one. */
export interface PromotionRecord extends PromotionClaim {
  readonly done: PromotionDone | undefined;
}

/**
 * The promotion that a run has taken the right to; undefined: none. From the moment that there is one, the copy may be the
 * primary and must not be destroyed.
 */
export async function readPromotion(
  vault: Vault,
  system: string,
  runId: string,
): Promise<PromotionRecord | undefined> {
  return (await readPromotions(vault, system)).filter((one) => one.runId === runId).at(-1);
}

/** Every promotion of a system, oldest first: the last one's site is where the production database is. */
export async function readPromotions(vault: Vault, system: string): Promise<readonly PromotionRecord[]> {
  const claims = await readClaims(vault, system);
  const promotions = claims.filter((one): one is PromotionClaim => one.kind === 'promotion');
  return Promise.all(promotions.map(async (one) => ({ ...one, done: await readDone(vault, one) })));
}

/**
 * The run that has fenced a system and has neither promoted nor been called off since, on whatever orchestrator; undefined: none.
 */
export async function recoveringRun(vault: Vault, system: string): Promise<Claim | undefined> {
  const claims = await readClaims(vault, system);
  const newest = claims.filter(({ kind }) => kind !== 'adoption').at(-1);
  if (newest === undefined || newest.kind === 'release') return undefined;
  const over = newest.kind === 'promotion' && (await readDone(vault, newest)) !== undefined;
  return over ? undefined : newest;
}

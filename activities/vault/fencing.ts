/** Fencing tokens: whoever fenced last is in charge of a system; the acts of all before are refused. */
import { PermanentError } from '../../src/errors.js';
import { type Actor, claimsFor } from './adoption.js';
import { type Claim, claim, type FenceClaim, type Generation, readClaims } from './claims.js';
import type { Vault } from './s3.js';

/** A run that claims a system, and the primary that it is about. */
export interface Claimant extends Generation, Actor {}

/**
 * Takes the fencing token of a run: a number greater than every one before it for this system. A second call by the same run
 * gives the same token.
 *
 * @throws PermanentError `PromotionHeld` when another run has promoted, or may promote, in place of this primary;
 *   `FenceSuperseded` when another run has fenced after this one; `RunAdopted`
 */
export function acquireFencingToken(vault: Vault, who: Claimant): Promise<number> {
  return claim(vault, who.system, (all) => {
    const claims = claimsFor(all, who);
    refuseForeignPromotion(claims, who);
    const own = fenceOf(claims, who.runId);
    const free = claims.at(-1)?.kind === 'release';
    if (own !== undefined && sameGeneration(own, who) && !free) {
      requireNewest(claims, who.runId, own.number);
      return { settled: own.number };
    }
    return {
      add: {
        kind: 'fence',
        system: who.system,
        runId: who.runId,
        systemIdentifier: who.systemIdentifier,
        timeline: who.timeline,
        at: new Date().toISOString(),
      },
    };
  });
}

/**
 * Gives the token of a run back, because its fence is being undone. Does nothing when the run holds none any more.
 *
 * @returns why the fence stays, where another run rests on it: there is nothing to undo then; undefined: it may be lifted
 * @throws PermanentError `PromotionHeld` when this run promoted a copy in place of the fenced primary, or may have: that one
 *   must not take writes again; `FenceSuperseded`, `RunAdopted`
 */
export function releaseFencingToken(vault: Vault, who: Actor): Promise<string | undefined> {
  const { system, runId } = who;
  return claim<string | undefined>(vault, system, (all) => {
    const claims = claimsFor(all, who);
    const own = fenceOf(claims, runId);
    if (own === undefined || claims.some((one) => releases(one, own.number))) return { settled: undefined };
    refuseOwnPromotion(claims, own, `The fence of ${system} stays`);
    const stays = takenByOther(claims, own);
    if (stays !== undefined) return { settled: stays };
    if (claims.at(-1)?.kind !== 'release') requireNewest(claims, runId, own.number);
    return {
      add: { kind: 'release', system, runId, fencingToken: own.number, at: new Date().toISOString() },
    };
  });
}

/**
 * Whether the primary that a run fenced may come back; asked before it does.
 *
 * @returns why it must not, where another run has seen to its place; undefined: it may
 * @throws PermanentError `PromotionHeld` when this run itself promoted a copy in its place, or may have; `RunAdopted`
 */
export async function replacedByOther(vault: Vault, who: Actor): Promise<string | undefined> {
  const claims = claimsFor(await readClaims(vault, who.system), who);
  const own = fenceOf(claims, who.runId);
  if (own === undefined) return undefined;
  refuseOwnPromotion(claims, own, `The old primary of ${who.system} stays in quarantine`);
  return takenByOther(claims, own);
}

function promotionInPlaceOf(claims: readonly Claim[], own: FenceClaim): Claim | undefined {
  return claims.find((one) => one.kind === 'promotion' && sameGeneration(one, own));
}

/** @throws PermanentError `PromotionHeld` */
function refuseOwnPromotion(claims: readonly Claim[], own: FenceClaim, what: string): void {
  const promotion = promotionInPlaceOf(claims, own);
  if (promotion?.runId !== own.runId) return;
  throw new PermanentError(
    'PromotionHeld',
    `${what}: this run took the right to promote another copy at ${promotion.at}.`,
    {
      why: 'Two primaries that take writes would be worse than the outage.',
      next: 'Go on with this run. The old primary comes back only through pg_rewind or as a new clone of the promoted copy.',
    },
  );
}

/** Why a fence is no longer this run's to lift: another one has promoted a copy, or fenced after it and has not given that back. */
function takenByOther(claims: readonly Claim[], own: FenceClaim): string | undefined {
  const promotion = promotionInPlaceOf(claims, own);
  if (promotion !== undefined)
    return `run ${promotion.runId} took the right to promote another copy at ${promotion.at}`;
  const newest = claims.at(-1);
  if (newest?.kind !== 'fence' || newest.runId === own.runId) return undefined;
  return `run ${newest.runId} fenced after this one, at ${newest.at}, and rests on it; it has yet to promote or to be called off`;
}

/**
 * Checks that no other run has fenced the system since. Asked right before every act that a stale run must not do.
 *
 * @param known claims that were read before: only what has come since is read
 * @throws PermanentError `FenceSuperseded`, `RunAdopted`
 */
export async function requireFencingToken(
  vault: Vault,
  who: Actor & { readonly token: number },
  known: readonly Claim[] = [],
): Promise<readonly Claim[]> {
  const claims = claimsFor(await readClaims(vault, who.system, known), who);
  requireNewest(claims, who.runId, who.token);
  return claims;
}

/** The newest claim must be the run's own fence, or its promotion that rests on it. */
export function requireNewest(claims: readonly Claim[], runId: string, token: number): void {
  const newest = claims.at(-1);
  if (newest !== undefined && newest.runId === runId && tokenOf(newest) === token) return;
  if (newest === undefined) {
    throw new PermanentError(
      'FenceSuperseded',
      `Fencing token ${token} of run ${runId} is not in the vault.`,
      {
        why: 'The vault holds no claim on this system at all: it may be another bucket than the one that the fence was recorded in.',
        next: 'Correct vault in the runbook, then retry the step.',
      },
    );
  }
  throw new PermanentError(
    'FenceSuperseded',
    `Run ${runId} holds fencing token ${token}, but run ${newest.runId} wrote claim ${newest.number} (${newest.kind}) at ${newest.at}.`,
    {
      why: 'Another orchestrator is recovering this system, or this run was overtaken while it stood still.',
      next: `Decide which run goes on. If it is ${newest.runId}, abort this one: its own copy is removed, what ${newest.runId} rests on stays.`,
      details: { ownToken: token, newestClaim: newest.number, otherRun: newest.runId },
    },
  );
}

/** @throws PermanentError `PromotionHeld` */
export function refuseForeignPromotion(claims: readonly Claim[], who: Claimant): void {
  const held = claims.find((one) => one.kind === 'promotion' && sameGeneration(one, who));
  if (held?.kind !== 'promotion' || held.runId === who.runId) return;
  throw new PermanentError(
    'PromotionHeld',
    `Run ${held.runId} took the right to promote a copy of ${who.system} at ${held.site} on ${held.at}; there is one promotion an incident.`,
    {
      why: `The primary being replaced is the same one: system identifier ${who.systemIdentifier}, timeline ${who.timeline}.`,
      next: `Go on with run ${held.runId}, on its own orchestrator (muster status there). Abort this one: its own copy is removed; fence, quarantine and DNS stay as that run needs them.`,
      details: { otherRun: held.runId, site: held.site },
    },
  );
}

export function sameGeneration(one: Generation, other: Generation): boolean {
  return one.systemIdentifier === other.systemIdentifier && one.timeline === other.timeline;
}

function fenceOf(claims: readonly Claim[], runId: string): FenceClaim | undefined {
  return claims.filter((one): one is FenceClaim => one.kind === 'fence' && one.runId === runId).at(-1);
}

function releases(one: Claim, token: number): boolean {
  return one.kind === 'release' && one.fencingToken === token;
}

function tokenOf(one: Claim): number {
  return one.kind === 'promotion' ? one.fencingToken : one.number;
}

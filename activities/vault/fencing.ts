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
 * @throws PermanentError `PromotionHeld` when a copy was promoted, or may be, in place of the fenced primary: it must
 *   not take writes again; `FenceSuperseded` when another run relies on the fence by now; `RunAdopted`
 */
export function releaseFencingToken(vault: Vault, who: Actor): Promise<void> {
  const { system, runId } = who;
  return claim<void>(vault, system, (all) => {
    const claims = claimsFor(all, who);
    const own = fenceOf(claims, runId);
    if (own === undefined || claims.some((one) => releases(one, own.number))) return { settled: undefined };
    const promotion = claims.find((one) => one.kind === 'promotion' && sameGeneration(one, own));
    if (promotion !== undefined) {
      throw new PermanentError(
        'PromotionHeld',
        `The fence of ${system} stays: run ${promotion.runId} took the right to promote another copy at ${promotion.at}.`,
        { next: 'Go on with that run. Two primaries that take writes would be worse than the outage.' },
      );
    }
    requireNewest(claims, runId, own.number);
    return {
      add: { kind: 'release', system, runId, fencingToken: own.number, at: new Date().toISOString() },
    };
  });
}

/**
 * Checks that no copy has taken, or may take, the place of the primary that a run fenced: asked before that primary comes back.
 *
 * @throws PermanentError `PromotionHeld`, `RunAdopted`
 */
export async function requireNotReplaced(vault: Vault, who: Actor): Promise<void> {
  const { system, runId } = who;
  const claims = claimsFor(await readClaims(vault, system), who);
  const own = fenceOf(claims, runId);
  if (own === undefined) return;
  const promotion = claims.find((one) => one.kind === 'promotion' && sameGeneration(one, own));
  if (promotion === undefined) return;
  throw new PermanentError(
    'PromotionHeld',
    `The old primary of ${system} stays in quarantine: run ${promotion.runId} took the right to promote another copy at ${promotion.at}.`,
    { next: 'It comes back only through pg_rewind or as a new clone of the promoted copy.' },
  );
}

/**
 * Checks that no other run has fenced the system since. Asked right before every act that a stale run must not do.
 *
 * @throws PermanentError `FenceSuperseded`, `RunAdopted`
 */
export async function requireFencingToken(
  vault: Vault,
  who: Actor & { readonly token: number },
): Promise<readonly Claim[]> {
  const claims = claimsFor(await readClaims(vault, who.system), who);
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
      next: `Decide which run goes on. If it is ${newest.runId}, abort this one; it can do no harm any more.`,
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
      next: `Look at run ${held.runId} (muster status) and go on with it; abort this one.`,
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

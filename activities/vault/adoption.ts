/**
 * Who acts for a run that was taken over from a lost server: the newest adoption, and nobody before it. Adoptions stand in the
 * same list as all claims, so that none can slip in between a look at the list and an act that rests on it.
 */
import { PermanentError, RefusedError } from '../../src/errors.js';
import { type Claim, claim, readClaims } from './claims.js';
import type { Vault } from './s3.js';

/** Who asks: the run, and how often it had been taken over when its workflow was started. */
export interface Actor {
  readonly system: string;
  readonly runId: string;
  readonly adoption?: number;
}

type AdoptionClaim = Extract<Claim, { kind: 'adoption' }>;

/**
 * The claims that fencing and promotion are about, once it is clear that the asking server still acts for the run.
 * @throws PermanentError `RunAdopted`
 */
export function claimsFor(claims: readonly Claim[], who: Actor): readonly Claim[] {
  const newest = newestAdoption(claims, who.runId);
  if (newest !== undefined && newest.adoption !== (who.adoption ?? 0)) {
    throw new PermanentError(
      'RunAdopted',
      `Run ${who.runId} was taken over by ${newest.by} at ${newest.at} (adoption ${newest.adoption}): this server must not act for it any more.`,
      {
        why: `This workflow is ${who.adoption === undefined ? 'the one that was begun first' : `adoption ${who.adoption}`}; its server was lost, and has come back.`,
        next: 'Terminate this workflow; watch and decide on the server that goes on with the run.',
        details: { adoption: newest.adoption, by: newest.by },
      },
    );
  }
  return claims.filter(({ kind }) => kind !== 'adoption');
}

/**
 * Checks that no other server has taken the run over since.
 * @throws PermanentError `RunAdopted`
 */
export async function requireActing(vault: Vault, who: Actor): Promise<void> {
  claimsFor(await readClaims(vault, who.system), who);
}

/** How often a run was taken over, as the vault says; 0: never. */
export async function adoptionsOf(vault: Vault, system: string, runId: string): Promise<number> {
  return newestAdoption(await readClaims(vault, system), runId)?.adoption ?? 0;
}

/**
 * Takes a run over: from here on every older server is refused what is not to be done twice.
 *
 * @param adoption the number after the newest one, as `adoptionsOf` gave it
 * @throws RefusedError `AdoptionOvertaken` when somebody else has taken that number
 */
export async function recordAdoption(
  vault: Vault,
  who: { readonly system: string; readonly runId: string; readonly by: string; readonly adoption: number },
): Promise<void> {
  let added: string | undefined;
  await claim<void>(vault, who.system, (claims) => {
    const newest = newestAdoption(claims, who.runId);
    if (added !== undefined && newest?.at === added && newest.adoption === who.adoption)
      return { settled: undefined };
    if ((newest?.adoption ?? 0) >= who.adoption) {
      throw new RefusedError(
        'AdoptionOvertaken',
        `${newest?.by} has taken over run ${who.runId} at ${newest?.at}, a moment ago. Nothing was started here.`,
        { next: `See with muster status ${who.system} whether that one goes on.` },
      );
    }
    added = new Date().toISOString();
    return { add: { kind: 'adoption', ...who, at: added } };
  });
}

function newestAdoption(claims: readonly Claim[], runId: string): AdoptionClaim | undefined {
  return claims.filter((one): one is AdoptionClaim => one.kind === 'adoption' && one.runId === runId).at(-1);
}

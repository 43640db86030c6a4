/** Judges what was seen after a recovery: pure, so that it can be shown to find what it is there for. */

/** Kinds of the claims in the vault, in order, and how many versions of them there ever were. */
export interface ClaimFacts {
  readonly kinds: readonly string[];
  readonly versions: number;
}

export interface CopyFacts {
  /** Files of timelines that PostgreSQL wrote: one for each promotion. */
  readonly timelines: readonly string[];
  readonly inRecovery: boolean;
  /** Which timeline the run says that it promoted to. */
  readonly named: number;
}

export interface OldFacts {
  readonly serverRuns: boolean;
  /** Logins that get into the database there. */
  readonly lets: readonly string[];
}

export interface PaymentFacts {
  readonly flow: boolean;
  /** Acknowledged and not on the copy; `at` by the clock of the database. */
  readonly missing: readonly { readonly id: string; readonly at: string }[];
  readonly measuredLost: number | null | undefined;
  /** The loss in time, as the run measured it; left out: not held against what is missing. */
  readonly measuredMs?: number | null | undefined;
  /** Those of them that the client knew to be safe before the disaster. */
  readonly missingFromBefore: number;
  readonly promotedAt: string;
}

export interface NameFacts {
  readonly values: readonly (string | undefined)[];
  readonly ttl: number | undefined;
  readonly resolved: string;
  readonly wanted: { readonly address: string; readonly ttl: number };
}

/** One promotion: the first timeline that a promotion can make is the second. */
const ONE_PROMOTION = '00000002.history';

export function promotedOnce({ claims, copy }: { claims: ClaimFacts; copy: CopyFacts }): readonly string[] {
  const wrong = [...claimedOnce(claims)];
  if (copy.timelines.join() !== ONE_PROMOTION) wrong.push(`timelines: ${copy.timelines.join(', ')}`);
  if (copy.inRecovery) wrong.push('the copy is still in recovery');
  if (copy.named !== 2) wrong.push(`the run names timeline ${copy.named}`);
  return wrong;
}

function claimedOnce({ kinds, versions }: ClaimFacts): readonly string[] {
  const wrong: string[] = [];
  if (versions !== kinds.length) wrong.push(`claims were written over: ${versions} versions`);
  if (kinds.join() !== 'fence,promotion') wrong.push(`claims: ${kinds.join(', ')}`);
  return wrong;
}

export function oldPrimaryIsDead({ old }: { old: OldFacts }): readonly string[] {
  const runs = old.serverRuns ? ['a server runs on the old data directory'] : [];
  return [...runs, ...old.lets.map((user) => `${user} gets into the old primary`)];
}

export function paymentsAreThere({ payments }: { payments: PaymentFacts }): readonly string[] {
  const { flow, missing, measuredLost, measuredMs, missingFromBefore, promotedAt } = payments;
  const wrong = flow ? [] : ['no payments are taken'];
  if (missing.length !== measuredLost)
    wrong.push(`${missing.length} acknowledged payments are missing, ${measuredLost} were measured as lost`);
  if (missingFromBefore > 0) wrong.push(`${missingFromBefore} payments from before the damage are missing`);
  const times = missing.map(({ at }) => Date.parse(at));
  const after = times.filter((at) => at >= Date.parse(promotedAt)).length;
  if (after > 0) wrong.push(`${after} payments that the new primary acknowledged are missing`);
  const spanMs = missing.length === 0 ? 0 : Math.max(...times) - Math.min(...times);
  if (typeof measuredMs === 'number' && spanMs > measuredMs)
    wrong.push(`what is missing was written over ${spanMs} ms, ${measuredMs} ms were measured`);
  return wrong;
}

export function namesLead({ names }: { names: NameFacts }): readonly string[] {
  const { values, ttl, resolved, wanted } = names;
  const wrong: string[] = [];
  if (values.join() !== wanted.address) wrong.push(`the record says ${values.join() || 'nothing'}`);
  if (ttl !== wanted.ttl) wrong.push(`the record has a TTL of ${ttl} s`);
  if (resolved !== wanted.address) wrong.push(`the name resolves to ${resolved}`);
  return wrong;
}

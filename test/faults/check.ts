/** Judges what came out of a recovery: pure, so that it can be shown to find what it is there for. */
import type { RunView } from '../../src/model/run.js';
import { type JournalFacts, wrongInJournal } from './journal.js';

/** What was seen after a run, past Muster's own code wherever that can be. */
export interface Facts {
  readonly status: RunView['status'];
  /** Kinds of the claims in the vault, in order, and how many versions of them there ever were. */
  readonly claims: { readonly kinds: readonly string[]; readonly versions: number };
  readonly copy: {
    /** Files of timelines that PostgreSQL wrote: one for each promotion. */
    readonly timelines: readonly string[];
    readonly inRecovery: boolean;
    /** Which timeline the run says that it promoted to. */
    readonly named: number;
  };
  readonly old: {
    readonly serverRuns: boolean;
    /** Logins that get into the ledger there. */
    readonly lets: readonly string[];
  };
  readonly payments: {
    readonly flow: boolean;
    /** Acknowledged and not on the copy; `at` by the ledger's clock. */
    readonly missing: readonly { readonly id: string; readonly at: string }[];
    readonly measuredLost: number | null | undefined;
    /** Those of them that the client knew to be made before the damage began. */
    readonly missingFromBefore: number;
    readonly promotedAt: string;
  };
  /** Gates at which an approval was acknowledged, and how many approvals of that person the run counts there. */
  readonly approvals: readonly { readonly gate: string; readonly counted: number }[];
  readonly names: {
    readonly values: readonly (string | undefined)[];
    readonly ttl: number | undefined;
    readonly resolved: string;
    readonly wanted: { readonly address: string; readonly ttl: number };
  };
  readonly journal: JournalFacts;
}

const GATES = ['point', 'promote'];
/** One promotion: the first timeline that a promotion can make is the second. */
const ONE_PROMOTION = '00000002.history';

/** @returns everything that is not as it must be after a recovery; nothing is how it must be */
export function wrongIn(facts: Facts): readonly string[] {
  if (facts.status !== 'recovered') return [`the run ended ${facts.status}`];
  const checks = [promotedOnce, oldPrimaryIsDead, paymentsAreThere, approvalsCount, namesLead];
  return [
    ...checks.flatMap((check) => check(facts)),
    ...wrongInJournal(
      facts.journal,
      facts.approvals.map(({ gate }) => gate),
    ),
  ];
}

function promotedOnce({ claims, copy }: Facts): readonly string[] {
  const wrong: string[] = [];
  if (claims.versions !== claims.kinds.length)
    wrong.push(`claims were written over: ${claims.versions} versions`);
  if (claims.kinds.join() !== 'fence,promotion') wrong.push(`claims: ${claims.kinds.join(', ')}`);
  if (copy.timelines.join() !== ONE_PROMOTION) wrong.push(`timelines: ${copy.timelines.join(', ')}`);
  if (copy.inRecovery) wrong.push('the copy is still in recovery');
  if (copy.named !== 2) wrong.push(`the run names timeline ${copy.named}`);
  return wrong;
}

function oldPrimaryIsDead({ old }: Facts): readonly string[] {
  const runs = old.serverRuns ? ['a server runs on the old data directory'] : [];
  return [...runs, ...old.lets.map((user) => `${user} gets into the old primary`)];
}

function paymentsAreThere({ payments }: Facts): readonly string[] {
  const { flow, missing, measuredLost, missingFromBefore, promotedAt } = payments;
  const wrong = flow ? [] : ['no payments are taken'];
  if (missing.length !== measuredLost)
    wrong.push(`${missing.length} acknowledged payments are missing, ${measuredLost} were measured as lost`);
  if (missingFromBefore > 0) wrong.push(`${missingFromBefore} payments from before the damage are missing`);
  const after = missing.filter(({ at }) => Date.parse(at) >= Date.parse(promotedAt)).length;
  if (after > 0) wrong.push(`${after} payments that the new primary acknowledged are missing`);
  return wrong;
}

function approvalsCount({ approvals }: Facts): readonly string[] {
  const given = approvals.map(({ gate }) => gate).sort();
  if (given.join() !== GATES.join()) return [`approvals were given at ${given.join(', ') || 'no gate'}`];
  return approvals.flatMap(({ gate, counted }) =>
    counted === 1 ? [] : [`gate ${gate} counts ${counted} approvals by who gave one`],
  );
}

function namesLead({ names: { values, ttl, resolved, wanted } }: Facts): readonly string[] {
  const wrong: string[] = [];
  if (values.join() !== wanted.address) wrong.push(`the record says ${values.join() || 'nothing'}`);
  if (ttl !== wanted.ttl) wrong.push(`the record has a TTL of ${ttl} s`);
  if (resolved !== wanted.address) wrong.push(`the name resolves to ${resolved}`);
  return wrong;
}

/** Judges what came out of a recovery: pure, so that it can be shown to find what it is there for. */
import type { RunView } from '../../src/model/run.js';
import {
  type ClaimFacts,
  type CopyFacts,
  type NameFacts,
  namesLead,
  type OldFacts,
  oldPrimaryIsDead,
  type PaymentFacts,
  paymentsAreThere,
  promotedOnce,
} from '../support/judge.js';
import { type JournalFacts, wrongInJournal } from './journal.js';

/** What was seen after a run, past Muster's own code wherever that can be. */
export interface Facts {
  readonly status: RunView['status'];
  readonly claims: ClaimFacts;
  readonly copy: CopyFacts;
  readonly old: OldFacts;
  readonly payments: PaymentFacts;
  /** Gates at which an approval was acknowledged, and how many approvals of that person the run counts there. */
  readonly approvals: readonly { readonly gate: string; readonly counted: number }[];
  readonly names: NameFacts;
  readonly journal: JournalFacts;
}

const GATES = ['point', 'promote'];

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

function approvalsCount({ approvals }: Facts): readonly string[] {
  const given = approvals.map(({ gate }) => gate).sort();
  if (given.join() !== GATES.join()) return [`approvals were given at ${given.join(', ') || 'no gate'}`];
  return approvals.flatMap(({ gate, counted }) =>
    counted === 1 ? [] : [`gate ${gate} counts ${counted} approvals by who gave one`],
  );
}

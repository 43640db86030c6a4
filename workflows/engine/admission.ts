/** Who says so: a decision counts only with the proof that the roster asks of its sender. */
import { ActivityFailure } from '@temporalio/workflow';
import { type Decision, type ProofMethod, statementOf } from '../../src/model/decision.js';
import { describeFailure } from './failure.js';
import { proofRefused } from './notices-of-decisions.js';
import { findOpen, personOf, refusal } from './refusals.js';
import { refusedFailure } from './refused.js';
import type { Run } from './run.js';

/** Used proofs that are remembered; older ones are late by then. */
const MOST_USED = 5_000;

export interface Proven {
  readonly methods: readonly ProofMethod[];
  /** Names of the proofs that were used. */
  readonly used: readonly string[];
}

const unasked: Proven = { methods: [], used: [] };

/** A decision whose proof was looked at. What was looked at may not be so any more by the time it is let in. */
export interface Admission {
  readonly proven: Proven;
  /** What was open when it came. */
  readonly opening: string;
}

/**
 * Looks at the proof, which takes a moment.
 * @throws ApplicationFailure `DecisionRefused`
 */
export async function admit<Params>(run: Run<Params>, decision: Decision): Promise<Admission> {
  requirePossible(run, decision);
  const person = personOf(run, decision.by);
  const opening = openingOf(run, decision);
  if (person === undefined) return { proven: unasked, opening };
  const secondFactor = findOpen(run, decision.on)?.planned.document.gate?.secondFactor ?? 'none';
  const { totp, keys = [] } = person.proofs ?? {};
  if (totp === undefined && keys.length === 0 && secondFactor === 'none') return { proven: unasked, opening };
  const { proof } = decision;
  const at = proof?.at ?? new Date(Date.now()).toISOString();
  const { runId, planHash } = run.input;
  const verdict = await run.calls
    .verifyProof({
      person,
      statement: statementOf({ runId, planHash, opening, decision, at }),
      secondFactor,
      ...(proof === undefined ? {} : { proof }),
    })
    .catch((error: unknown) => {
      if (!(error instanceof ActivityFailure)) throw error;
      const failure = describeFailure(error, Date.now(), 1);
      throw refusedFailure(`The proof could not be checked: ${failure.message} ${failure.next}`);
    });
  if (!verdict.accepted) {
    const why = verdict.refusal ?? verdict.summary;
    tellRefused(run, decision, why);
    throw refusedFailure(why);
  }
  return { proven: verdict, opening };
}

/**
 * Lets a decision in, and uses its proof up. It is carried out in the same breath: of two that came together, the second one
 * meets what the first one did.
 *
 * @returns how the sender has proven who they are; empty where the roster asks for nothing
 * @throws ApplicationFailure `DecisionRefused`
 */
export function letIn<Params>(run: Run<Params>, decision: Decision, { proven, opening }: Admission): Proven {
  const { usedProofs } = run.command;
  if (proven.used.some((used) => usedProofs.has(used))) {
    const why = 'This proof was used already: each counts once. Wait for the next code, or sign anew.';
    tellRefused(run, decision, why);
    throw refusedFailure(why);
  }
  // While it was checked, others may have decided, or what was shown may have changed.
  requirePossible(run, decision);
  if (openingOf(run, decision) !== opening) {
    throw refusedFailure(`What ${decision.on} shows has changed meanwhile: look at it again, then decide.`);
  }
  for (const used of proven.used) usedProofs.add(used);
  for (const oldest of usedProofs) {
    if (usedProofs.size <= MOST_USED) break;
    usedProofs.delete(oldest);
  }
  return proven;
}

function tellRefused<Params>(run: Run<Params>, { on, choice, by, origin }: Decision, why: string): void {
  const from = Object.values(origin ?? {}).join(', ');
  run.notices.tell(proofRefused({ on, choice, by, why, ...(from === '' ? {} : { from }) }));
}

function requirePossible<Params>(run: Run<Params>, decision: Decision): void {
  const refused = refusal(run, decision);
  if (refused !== undefined) throw refusedFailure(refused);
}

/** What tells one opening of a gate, or one failure of a step, from the next. */
function openingOf<Params>(run: Run<Params>, decision: Decision): string {
  return findOpen(run, decision.on)?.openedAt ?? '';
}

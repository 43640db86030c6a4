/** The statement that somebody signs, made from what a run shows of itself. */
import { type Decision, statementOf, WHOLE_RUN } from '../model/decision.js';
import type { RunView } from '../model/run.js';

/** What is said, without who sends it and how they prove it. */
export type Said = Omit<Decision, 'proof' | 'origin' | 'planHash'>;

type Shown = Pick<RunView, 'runId' | 'planHash'> & {
  readonly openDecisions: readonly Pick<RunView['openDecisions'][number], 'step' | 'gate' | 'since'>[];
};

/** Tells one opening of a gate, or one failure of a step, from the next; '' for what is about the whole run. */
export function openingOf(view: Shown, on: string): string {
  if (on === WHOLE_RUN) return '';
  return view.openDecisions.find((open) => open.gate === on || open.step === on)?.since ?? '';
}

/**
 * The very text to sign for a decision at this run as it stands.
 * @param at when it is signed, ISO 8601; the proof carries the same
 */
export function statementFor(view: Shown, decision: Said, at: string): string {
  const opening = openingOf(view, decision.on);
  return statementOf({ runId: view.runId, planHash: view.planHash, opening, decision, at });
}

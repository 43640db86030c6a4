/** How people and programs speak with a run. Clients and the workflow share these definitions. */
import { defineQuery, defineSignal, defineUpdate } from '@temporalio/workflow';
import { type Decision, type DecisionAnswer, decisionChoices } from '../../src/model/decision.js';
import type { RecoverAllView, RunReport } from '../../src/model/recover-all.js';
import type { RunView } from '../../src/model/run.js';

export const statusQuery = defineQuery<RunView>('status');

/** Of the workflow that recovers several systems. */
export const recoverAllStatusQuery = defineQuery<RecoverAllView>('status');

/** A run tells the workflow that began it how it stands. */
export const reportSignal = defineSignal<[RunReport]>('report');

/** Answers, or refuses with the reason. */
export const decideUpdate = defineUpdate<DecisionAnswer, [Decision]>('decide');

/** The same for a sender who cannot wait for an answer; a refusal is written into the run's warnings. */
export const decideSignal = defineSignal<[Decision]>('decide');

/** Ends a drill because a real recovery of its system begins: it undoes what it made. Runs that are real refuse it. */
export const preEmptSignal = defineSignal<[PreEmption]>('preEmpt');

export interface PreEmption {
  readonly runId: string;
  readonly by: string;
}

export const PRE_EMPT_HELP = 'Ends a drill because a real recovery of its system begins: {"runId", "by"}.';

export const DECIDE_HELP = `Decide: {"on": "<gate, failed step, or run>", "choice": "${decisionChoices.join('|')}", "by": "<name on the roster>", "reason": "<needed to deny, override, skip, hold, abort>", "change": {"point": "<another value; with approve or retry, where it can be changed>"}, "to": "<with hand-over: who commands>", "proof": {"at": "<now, ISO 8601>", "totp": "<digits>", "signature": "<over the statement: muster statement prints it>"}}. What is possible now stands in the query status.`;

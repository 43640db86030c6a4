/** How people and programs speak with a run. Clients and the workflow share these definitions. */
import { defineQuery, defineSignal, defineUpdate } from '@temporalio/workflow';
import type { Decision, DecisionAnswer, RunView } from '../../src/model/run.js';

export const statusQuery = defineQuery<RunView>('status');

/** Answers, or refuses with the reason. */
export const decideUpdate = defineUpdate<DecisionAnswer, [Decision]>('decide');

/** The same for a sender who cannot wait for an answer; a refusal is written into the run's warnings. */
export const decideSignal = defineSignal<[Decision]>('decide');

export const DECIDE_HELP =
  'Decide what the run waits for: {"on": "<gate or step>", "choice": "approve|deny|retry|abort", "by": "<name on the roster>", "reason": "<why; needed to deny and abort>", "point": "<another recovery point, ISO 8601; only where the gate allows it>"}';

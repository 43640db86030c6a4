import {
  ApplicationFailure,
  allHandlersFinished,
  CancellationScope,
  condition,
  setHandler,
} from '@temporalio/workflow';
import type { Decision } from '../../src/model/decision.js';
import type { RunInput, RunResult } from '../../src/model/run.js';
import type { Runbook } from '../../src/runbook/schema.js';
import { decide } from './decisions.js';
import { execute } from './execute.js';
import { planHash } from './hash.js';
import { malformation } from './malformed.js';
import {
  DECIDE_HELP,
  decideSignal,
  decideUpdate,
  PRE_EMPT_HELP,
  preEmptSignal,
  statusQuery,
} from './messages.js';
import { aborting, preEmpted } from './notices-of-run.js';
import type { Plan, Scenario } from './plan.js';
import { refusal } from './refusals.js';
import { refusedFailure } from './refused.js';
import { productionSteps } from './rules.js';
import { Run } from './run.js';

/**
 * The body of every scenario workflow. Whatever started it: what cannot be run is refused before anything is begun.
 * @throws ApplicationFailure `PlanMismatch` when this worker builds another plan than the one that was shown and started;
 *   `BadInput`; `DrillForbidden`
 */
export async function runScenario<Params>(
  scenario: Scenario<Params>,
  input: RunInput<Runbook, Params>,
): Promise<RunResult> {
  const plan = planFor(scenario, input);
  const hash = planHash(plan.document);
  if (hash !== input.planHash) {
    throw ApplicationFailure.nonRetryable(
      `The worker builds plan ${hash.slice(0, 12)}, the run was started for ${input.planHash.slice(0, 12)}: they are different versions of Muster.`,
      'PlanMismatch',
    );
  }
  const run = new Run(plan, input);
  register(run);

  const { cancelRequested } = CancellationScope.current();
  const view = await CancellationScope.nonCancellable(async () => {
    // Cancelling the workflow asks for an abort: what was begun is undone; past the point of no return the run goes on.
    cancelRequested.catch(() => cancelAsAbort(run));
    const ended = await execute(run);
    await condition(allHandlersFinished);
    // What came too late was refused, and that is written down too.
    await run.journal.flush();
    return ended;
  });
  return { view, outputs: run.outputs() };
}

/** @throws ApplicationFailure `BadInput`, `DrillForbidden` */
function planFor<Params>(scenario: Scenario<Params>, input: RunInput<Runbook, Params>): Plan<Params> {
  const { mode, detectedAt } = input;
  if (mode !== 'real' && mode !== 'drill') {
    throw refusedInput(`mode is "${mode}"; allowed are real and drill.`);
  }
  if (Number.isNaN(Date.parse(detectedAt))) {
    throw refusedInput(`detectedAt is "${detectedAt}"; it is a time, ISO 8601.`);
  }
  let plan: Plan<Params>;
  try {
    plan = scenario.buildPlan(input.runbook);
  } catch (error) {
    throw refusedInput(error instanceof Error ? error.message : String(error));
  }
  const production = mode === 'drill' ? productionSteps(plan.document) : [];
  if (production.length === 0) return plan;
  throw ApplicationFailure.nonRetryable(
    `A drill must not reach production, and these steps do: ${production.join(', ')}. Nothing was begun.`,
    'DrillForbidden',
  );
}

function refusedInput(what: string): ApplicationFailure {
  return ApplicationFailure.nonRetryable(
    `This run cannot be planned, and nothing was begun: ${what} Begin it with muster recover.`,
    'BadInput',
  );
}

function register<Params>(run: Run<Params>): void {
  setHandler(statusQuery, () => run.view(), { description: 'Everything about the run as it stands now.' });
  setHandler(decideUpdate, (decision) => shielded(() => decide(run, decision, 'update')), {
    // What comes with a proof is let in even where it is refused: that is written down.
    validator: (decision) => {
      const refused =
        malformation(decision) ?? (decision.proof === undefined ? refusal(run, decision) : undefined);
      if (refused !== undefined) throw refusedFailure(refused);
    },
    description: DECIDE_HELP,
  });
  setHandler(decideSignal, (decision) => shielded(() => decideUnanswered(run, decision)), {
    description: DECIDE_HELP,
  });
  setHandler(preEmptSignal, ({ runId, by }) => preEmpt(run, runId, by), { description: PRE_EMPT_HELP });
}

// Handlers run in the workflow's root scope: what they begin must outlive a request to cancel.
function shielded<T>(work: () => Promise<T>): Promise<T> {
  return CancellationScope.nonCancellable(work);
}

async function decideUnanswered<Params>(run: Run<Params>, decision: Decision): Promise<void> {
  const malformed = malformation(decision);
  if (malformed !== undefined) {
    run.warn(`A signal was refused. ${malformed}`);
    return;
  }
  try {
    await decide(run, decision, 'signal');
  } catch (error) {
    // Written down already.
    if (!(error instanceof ApplicationFailure)) throw error;
  }
}

function preEmpt<Params>(run: Run<Params>, byRun: string, by: string): void {
  if (run.input.mode !== 'drill') {
    run.warn('Somebody asked this run to give way to a real one. It is a real one: it goes on.');
    return;
  }
  if (run.abortedBy !== undefined || run.closing || run.pointOfNoReturnPassed) return;
  run.notices.tell(preEmpted(byRun));
  abortAsAsked(run, by, `the real recovery ${byRun} goes first`);
}

function cancelAsAbort<Params>(run: Run<Params>): void {
  if (run.abortedBy !== undefined || run.closing) return;
  if (run.pointOfNoReturnPassed) {
    run.warn('The workflow was asked to cancel. The point of no return has passed: the run goes on.');
    return;
  }
  abortAsAsked(run, 'Temporal', 'the workflow was cancelled');
  run.notices.tell(aborting('Temporal', 'The workflow was cancelled.'));
}

/** No person's decision stands for it in the journal: it is written down that the run is being undone. */
function abortAsAsked<Params>(run: Run<Params>, by: string, reason: string): void {
  run.record('warning', `aborted by ${by}: ${reason}`, { by, data: { aborted: { by, reason } } });
  run.requestAbort(by, reason);
}

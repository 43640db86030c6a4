import {
  ApplicationFailure,
  allHandlersFinished,
  CancellationScope,
  condition,
  setHandler,
} from '@temporalio/workflow';
import type { Decision, DecisionView, RunInput, RunResult } from '../../src/model/run.js';
import type { Runbook } from '../../src/runbook/schema.js';
import { decide, refusal, refusedFailure } from './decisions.js';
import { planHash } from './hash.js';
import { DECIDE_HELP, decideSignal, decideUpdate, statusQuery } from './messages.js';
import type { Plan, Scenario } from './plan.js';
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
    const ended = await run.execute();
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
    validator: (decision) => {
      const refused = refusal(run, decision);
      if (refused !== undefined) throw refusedFailure(refused);
    },
    description: DECIDE_HELP,
  });
  setHandler(decideSignal, (decision) => shielded(() => decideOrWarn(run, decision, 'signal')), {
    description: DECIDE_HELP,
  });
}

// Handlers run in the workflow's root scope: what they begin must outlive a request to cancel.
function shielded<T>(work: () => Promise<T>): Promise<T> {
  return CancellationScope.nonCancellable(work);
}

async function decideOrWarn<Params>(
  run: Run<Params>,
  decision: Decision,
  channel: DecisionView['channel'],
): Promise<void> {
  const refused = refusal(run, decision);
  if (refused !== undefined) {
    run.warn(`A signal was refused. ${refused}`);
    return;
  }
  try {
    await decide(run, decision, channel);
  } catch (error) {
    if (!(error instanceof ApplicationFailure)) throw error;
    run.warn(`A signal was refused. ${error.message}`);
  }
}

function cancelAsAbort<Params>(run: Run<Params>): void {
  if (run.abortedBy !== undefined || run.closing) return;
  if (run.pointOfNoReturnPassed) {
    run.warn('The workflow was asked to cancel. The point of no return has passed: the run goes on.');
    return;
  }
  run.requestAbort('Temporal', 'the workflow was cancelled');
}

/** A run from its beginning to its end: whatever is ready begins, until all is done or somebody has it undone. */
import { condition } from '@temporalio/workflow';
import type { RunStatus, RunView } from '../../src/model/run.js';
import { goOn } from './adopted.js';
import { closeRun } from './closing.js';
import { openGate } from './gates.js';
import { started } from './notices-of-run.js';
import { REPORT_STEP } from './plan-builder.js';
import type { Run } from './run.js';
import type { StepState } from './step-state.js';
import { undoEverything } from './undo.js';
import { work } from './work.js';

/** Runs the plan to its end. Returns when the run is recovered or aborted, closed and reported. */
export async function execute<Params>(run: Run<Params>): Promise<RunView> {
  const { adoption } = run.input;
  if (adoption === undefined) recordStart(run);
  else goOn(run, adoption);
  run.watchRto();
  run.watchUpdates();
  while (run.abortedBy === undefined && !run.steps.every((step) => step.isOver)) {
    beginReady(run);
    run.publish();
    await condition(() => run.changed);
    run.changed = false;
    if (run.fatal !== undefined) throw run.fatal;
  }
  let status: RunStatus = 'recovered';
  if (run.abortedBy !== undefined) {
    run.beginUndoing();
    status = (await undoEverything(run)) ? 'aborted' : 'failed';
  }
  run.closing = true;
  run.stopWatchingRto();
  return closeRun(run, status);
}

function recordStart<Params>(run: Run<Params>): void {
  const { plan, input } = run;
  const { scenario, system } = plan.document;
  run.record('run-started', `${scenario} of ${system} (${input.mode}), detected ${input.detectedAt}`, {
    by: input.requestedBy,
    facts: [
      { label: 'plan', value: input.planHash },
      { label: 'commander', value: input.commander },
    ],
    data: { scenario, input },
  });
  run.notices.tell(started());
}

function beginReady<Params>(run: Run<Params>): void {
  for (const step of run.steps) {
    // What a hold finds under way goes on to its end, on whatever server.
    if (run.command.hold !== undefined && !step.interrupted) continue;
    if (step.status !== 'pending' || step.invalidated || !isReady(run, step)) continue;
    if (step.isGate) openGate(run, step);
    else step.settled = work(run, step);
  }
}

function isReady<Params>(run: Run<Params>, step: StepState<Params>): boolean {
  return step.name === REPORT_STEP
    ? run.steps.every((other) => other === step || other.isOver)
    : step.planned.document.needs.every((need) => stands(run.step(need)));
}

/** What is about to change counts as not done: whatever began now would be built on what is replaced. */
function stands<Params>(step: StepState<Params> | undefined): boolean {
  return step?.isOver === true && !step.invalidated;
}

import { ActivityFailure } from '@temporalio/workflow';
import { describeFailure } from './failure.js';
import type { Run } from './run.js';
import type { StepState } from './step-state.js';

/**
 * Cancels what is under way and undoes what was begun, newest first. What cannot be undone is said in words, and the rest
 * is undone all the same.
 * @returns whether everything could be undone
 */
export async function undoEverything<Params>(run: Run<Params>): Promise<boolean> {
  for (const step of run.steps) step.scope?.cancel();
  await Promise.all(run.steps.filter((step) => step.status === 'running').map((step) => step.settled));
  for (const step of run.steps) stopStep(step);
  let complete = true;
  for (const step of [...run.beginning].reverse()) {
    complete = (await undoStep(run, step)) && complete;
    run.publish();
  }
  return complete;
}

/** What worked or waited when the run was aborted has not come to its end, whatever became of it. */
function stopStep<Params>(step: StepState<Params>): void {
  if (step.status !== 'running' && step.status !== 'waiting') return;
  step.note = step.failure?.message ?? 'stopped by the abort';
  step.become('skipped', Date.now());
}

async function undoStep<Params>(run: Run<Params>, step: StepState<Params>): Promise<boolean> {
  const { undo, document } = step.planned;
  if (undo === undefined) return true;
  try {
    const undone = await undo(run.calls.contextFor(step, 'undo'), run.inputsOf(step));
    step.note = undone.summary;
    step.become('undone', Date.now());
    run.record('step-undone', undone.summary, { step: step.name });
    return true;
  } catch (error) {
    if (!(error instanceof ActivityFailure)) throw error;
    step.failure = describeFailure(error, Date.now(), step.begun);
    run.warn(
      `Undo of ${step.name} failed: ${step.failure.message} Do it by hand: ${document.undo}.`,
      step.name,
    );
    return false;
  }
}

/** Inputs of the run that people replace: another recovery point, another target. */
import { ActivityFailure, CancellationScope } from '@temporalio/workflow';
import type { Summarised } from '../../activities/contract.js';
import { describeFailure } from './failure.js';
import type { PlannedChangeable } from './plan.js';
import { overBecause } from './refusals.js';
import { refusedFailure } from './refused.js';
import { ancestorsOf } from './rules.js';
import type { Run } from './run.js';
import { dataOf } from './step-data.js';
import type { StepState } from './step-state.js';

/** What may be replaced here: what the gate names; at a failure, what the step rests on, while nothing is promoted. */
export function changesAt<Params>(
  run: Run<Params>,
  step: StepState<Params>,
): readonly PlannedChangeable<Params>[] {
  const { changeables, document } = run.plan;
  if (step.isGate) {
    return changeables.filter((one) => step.planned.document.gate?.changes.includes(one.document.name));
  }
  if (run.pointOfNoReturnPassed) return [];
  const under = ancestorsOf(document.steps, step.name);
  return changeables.filter((one) => one.document.step === step.name || under.has(one.document.step));
}

/**
 * Replaces an input: what was built on the old one is done again, and asked again.
 *
 * @param at the gate or the failed step at which it is replaced
 * @returns what was changed, in words
 * @throws ApplicationFailure `DecisionRefused` when the value turns out to be unusable; everything is as before then
 */
export async function changeInput<Params>(
  run: Run<Params>,
  at: StepState<Params>,
  name: string,
  value: string,
): Promise<string> {
  const changeable = run.plan.changeables.find(({ document }) => document.name === name);
  const changed = run.step(changeable?.document.step ?? '');
  if (changeable === undefined || changed === undefined) throw refusedFailure(`${name} cannot be changed.`);
  const scope = new CancellationScope();
  at.scope = scope;
  try {
    const inputs = run.outputsFor(changeable.inputs);
    const output = await scope.run(() => changeable.do(run.calls.contextFor(changed), inputs, value));
    // An abort may come at any moment; what was accepted first holds.
    if (run.abortedBy !== undefined || !(await replaceOutput(run, changeable, output, at))) {
      throw refusedFailure(overBecause(run) ?? `${name} cannot be changed here.`);
    }
    run.changedTo.set(name, value);
    return output.summary;
  } catch (error) {
    if (!(error instanceof ActivityFailure)) throw error;
    const over = overBecause(run);
    if (over !== undefined) throw refusedFailure(over);
    const failure = describeFailure(error, Date.now(), 1);
    throw refusedFailure(
      `That ${name} cannot be used: ${failure.message} ${failure.next} Nothing was changed.`,
    );
  } finally {
    at.scope = undefined;
  }
}

/** @returns false when the run was aborted meanwhile: then everything stays as it was */
async function replaceOutput<Params>(
  run: Run<Params>,
  { document, madeBefore }: PlannedChangeable<Params>,
  output: Summarised,
  at: StepState<Params>,
): Promise<boolean> {
  const changed = run.step(document.step);
  if (changed === undefined) return false;
  const documents = run.plan.document.steps;
  const affected = run.steps.filter(
    (step) =>
      !(step === at && step.isGate) &&
      step !== changed &&
      step.begun > 0 &&
      ancestorsOf(documents, step.name).has(changed.name),
  );
  for (const step of [changed, ...affected]) step.invalidated = true;
  for (const step of affected) step.scope?.cancel();
  await Promise.all(affected.map((step) => step.settled));
  if (run.abortedBy === undefined && madeBefore === 'undone') await undoAll(run, affected);
  for (const step of [changed, ...affected]) step.invalidated = false;
  if (run.abortedBy !== undefined) return false;
  if (changed.status === 'done') changed.output = output;
  else run.finish(changed, output);
  for (const step of affected) {
    step.forget();
    step.become('pending', Date.now());
    run.record('step-invalidated', `done again, ${document.name} has changed`, { step: step.name });
  }
  run.record('step-done', output.summary, { step: changed.name, data: dataOf(run, changed) });
  run.turned();
  return true;
}

async function undoAll<Params>(run: Run<Params>, steps: readonly StepState<Params>[]): Promise<void> {
  const newestFirst = [...run.beginning].reverse().filter((step) => steps.includes(step));
  for (const step of newestFirst) {
    const { undo, document } = step.planned;
    if (undo === undefined) continue;
    try {
      await undo(run.calls.contextFor(step, 'undo'), run.inputsOf(step));
    } catch (error) {
      if (!(error instanceof ActivityFailure)) throw error;
      const { message } = describeFailure(error, Date.now(), step.begun);
      run.warn(
        `What ${step.name} made before is still there: ${message} By hand: ${document.undo}.`,
        step.name,
      );
    }
  }
}

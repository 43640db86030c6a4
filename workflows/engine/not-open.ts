/** Why nothing can be decided somewhere now: what came twice, too late or too early is answered as such. */
import type { Decision } from '../../src/model/decision.js';
import { formatTimeOfDay } from '../../src/model/format.js';
import type { Run } from './run.js';
import type { StepState } from './step-state.js';

/** @param decision names something that does not wait for a decision */
export function whyNotOpen<Params>(run: Run<Params>, { on, choice }: Decision): string {
  const atStep = choice === 'retry' || choice === 'skip';
  const named = run.steps.filter(({ name, planned }) => name === on || planned.document.gate?.gate === on);
  // A gate and the step that it guards may have one name.
  const step = named.find(({ isGate }) => isGate !== atStep) ?? named[0];
  if (step === undefined) {
    const gates = run.steps.flatMap(({ planned }) => planned.document.gate?.gate ?? []);
    return `There is no gate or step ${on} in this run. Its gates: ${gates.join(', ')}.`;
  }
  switch (step.status) {
    case 'done':
    case 'skipped':
      return step.isGate || step.status === 'skipped'
        ? `${on} is decided already: ${step.note ?? step.output?.summary ?? ''}${when(step)}.`
        : `${on} is done${when(step)}: there is nothing to decide.`;
    case 'running': {
      const last = step.decisions.at(-1);
      const by = last === undefined ? '' : ` (${last.choice} by ${last.by})`;
      return `${on} is at work${by}: only what has failed is decided on.`;
    }
    default:
      return `${on} does not wait for a decision yet${awaiting(run, step)}.`;
  }
}

function when<Params>(step: StepState<Params>): string {
  const { endedAt } = step.view(Date.now());
  return endedAt === undefined ? '' : `, at ${formatTimeOfDay(endedAt)}`;
}

function awaiting<Params>(run: Run<Params>, step: StepState<Params>): string {
  const before = step.planned.document.needs.filter((name) => run.step(name)?.isOver !== true);
  return before.length === 0 ? '' : `: before it come ${before.join(', ')}`;
}

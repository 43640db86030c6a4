import type { StepView } from '../model/run.js';

/**
 * The chain of steps that decided when `until` was done, first to last, by what happened rather than by budgets: going
 * back from it, always to that of the steps it needed which ended last.
 */
export function walkedPath(steps: readonly StepView[], until: string): string[] {
  const byName = new Map(steps.map((step) => [step.name, step]));
  const path: string[] = [];
  let current = byName.get(until);
  while (current?.startedAt !== undefined && !path.includes(current.name)) {
    path.unshift(current.name);
    current = current.needs
      .map((need) => byName.get(need))
      .filter((step) => step?.endedAt !== undefined)
      .reduce((latest, step) => (endOf(step) > endOf(latest) ? step : latest), undefined);
  }
  return path;
}

function endOf(step: StepView | undefined): number {
  return step?.endedAt === undefined ? Number.NEGATIVE_INFINITY : Date.parse(step.endedAt);
}

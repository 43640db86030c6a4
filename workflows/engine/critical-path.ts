import type { PlanDocument, StepDocument } from '../../src/model/plan.js';

export interface CriticalPath {
  /** Names of the steps that decide the total, first to last. */
  readonly steps: readonly string[];
  readonly totalMs: number;
  readonly startMs: Readonly<Record<string, number>>;
  readonly finishMs: Readonly<Record<string, number>>;
}

/**
 * Longest chain of steps up to and including `until`.
 *
 * @param steps in plan order (each after those it needs)
 * @param durationOf how long a step takes, in milliseconds
 * @param until the step whose end is asked for
 */
export function criticalPath(
  steps: readonly Pick<StepDocument, 'name' | 'needs'>[],
  durationOf: (name: string) => number,
  until: string,
): CriticalPath {
  const startMs: Record<string, number> = {};
  const finishMs: Record<string, number> = {};
  const decidedBy: Record<string, string | undefined> = {};
  for (const step of steps) {
    let start = 0;
    for (const need of step.needs) {
      const finished = finishMs[need] ?? 0;
      if (finished >= start) {
        start = finished;
        decidedBy[step.name] = need;
      }
    }
    startMs[step.name] = start;
    finishMs[step.name] = start + durationOf(step.name);
  }
  const path: string[] = [];
  for (let name: string | undefined = until; name !== undefined; name = decidedBy[name]) path.unshift(name);
  return { steps: path, totalMs: finishMs[until] ?? 0, startMs, finishMs };
}

/** The path that the budgets give. People's time is not in it: gates have an expiry, not a duration. */
export function budgetPath(plan: PlanDocument, until: string = plan.serviceRestoredBy): CriticalPath {
  const budgets = new Map(plan.steps.map((step) => [step.name, step.kind === 'gate' ? 0 : step.budgetMs]));
  return criticalPath(plan.steps, (name) => budgets.get(name) ?? 0, until);
}

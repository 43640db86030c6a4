import type { RunView } from '../model/run.js';

/** How the working time of a step developed over past runs. */
export interface StepDevelopment {
  readonly scenario: string;
  readonly step: string;
  /** Oldest first; runs in which the step was not done are left out. */
  readonly workingMs: readonly number[];
  readonly medianMs: number;
}

/** @param views newest first, as the store gives them */
export function developmentOf(views: readonly RunView[]): StepDevelopment[] {
  const times = new Map<string, { scenario: string; step: string; workingMs: number[] }>();
  // Newest first, so that the order of steps is that of the newest plan.
  for (const view of views) {
    for (const step of view.steps) {
      if (step.status !== 'done' || step.kind === 'gate') continue;
      const key = `${view.scenario}/${step.name}`;
      const found = times.get(key) ?? { scenario: view.scenario, step: step.name, workingMs: [] };
      found.workingMs.unshift(step.workingMs);
      times.set(key, found);
    }
  }
  return [...times.values()].map((each) => ({ ...each, medianMs: median(each.workingMs) }));
}

function median(values: readonly number[]): number {
  const sorted = [...values].sort((one, other) => one - other);
  const middle = sorted.length / 2;
  const at = (index: number) => sorted[Math.floor(index)] ?? 0;
  return Number.isInteger(middle) ? (at(middle - 1) + at(middle)) / 2 : at(middle);
}

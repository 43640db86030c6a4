import type { RunView } from '../model/run.js';

/** A step in one past run. */
export interface StepTime {
  readonly runId: string;
  /** When the run was started; ISO 8601. */
  readonly startedAt: string;
  /** Working time; of a gate the time that people took. */
  readonly ms: number;
}

/** How the time of a step developed over past runs. */
export interface StepDevelopment {
  readonly scenario: string;
  readonly step: string;
  readonly of: 'work' | 'people';
  /** Oldest first; runs in which the step was not done are left out. */
  readonly times: readonly StepTime[];
  readonly medianMs: number;
  readonly p90Ms: number;
}

/**
 * @param views newest first, as the store gives them
 * @param scenario only this one; all of them when left out
 */
export function developmentOf(views: readonly RunView[], scenario?: string): StepDevelopment[] {
  const found = new Map<
    string,
    Omit<StepDevelopment, 'medianMs' | 'p90Ms' | 'times'> & { times: StepTime[] }
  >();
  // Newest first, so that the order of steps is that of the newest plan.
  for (const view of views.filter((each) => scenario === undefined || each.scenario === scenario)) {
    for (const step of view.steps) {
      if (step.status !== 'done') continue;
      const key = `${view.scenario}/${step.name}`;
      const of = step.kind === 'gate' ? 'people' : 'work';
      const development = found.get(key) ?? { scenario: view.scenario, step: step.name, of, times: [] };
      development.times.unshift({
        runId: view.runId,
        startedAt: view.clock.startedAt,
        ms: of === 'people' ? step.waitingMs : step.workingMs,
      });
      found.set(key, development);
    }
  }
  return [...found.values()].map((each) => {
    const values = each.times.map(({ ms }) => ms);
    return { ...each, medianMs: percentile(values, 0.5), p90Ms: percentile(values, 0.9) };
  });
}

/** Between two values in proportion, as the store does it for the forecast (percentile_cont). */
function percentile(values: readonly number[], share: number): number {
  const sorted = [...values].sort((one, other) => one - other);
  const place = (sorted.length - 1) * share;
  const [below, above] = [sorted[Math.floor(place)] ?? 0, sorted[Math.ceil(place)] ?? 0];
  return Math.round(below + (above - below) * (place - Math.floor(place)));
}

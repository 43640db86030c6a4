/** Since when each component of the system is back: since the last of the steps that restore it ended. */
import type { Adoption } from '../../src/model/adoption.js';
import type { ComponentView } from '../../src/model/run.js';
import type { Run } from './run.js';

/** Called when a step has ended. */
export function noteComponentsBack<Params>(run: Run<Params>, now: number): void {
  for (const component of Object.keys(run.plan.document.components)) {
    const needed = run.steps.filter((step) => step.planned.document.restores.includes(component));
    if (!run.componentsBackAt.has(component) && needed.every((step) => step.isOver)) {
      run.componentsBackAt.set(component, now);
    }
  }
}

/** Of a run that goes on from its journal. */
export function restoreComponents<Params>(run: Run<Params>, { steps }: Adoption): void {
  for (const component of Object.keys(run.plan.document.components)) {
    const needed = run.steps.filter((step) => step.planned.document.restores.includes(component));
    if (needed.length === 0 || !needed.every((step) => step.isOver)) continue;
    const ends = needed.map(({ name }) => Date.parse(steps[name]?.endedAt ?? ''));
    run.componentsBackAt.set(component, Math.max(...ends));
  }
}

export function componentsOf<Params>(run: Run<Params>): ComponentView[] {
  return Object.entries(run.plan.document.components).map(([name, { rtoMs }]) => {
    const backAt = run.componentsBackAt.get(name);
    return {
      name,
      targetMs: rtoMs,
      ...(backAt === undefined ? {} : { actualMs: backAt - Date.parse(run.input.detectedAt) }),
    };
  });
}

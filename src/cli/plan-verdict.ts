/** Whether a plan's budgets hold each component's RTO, and what decides it. Pure. */
import { budgetPath, type CriticalPath, criticalPath } from '../../workflows/engine/critical-path.js';
import type { PlanDocument, StepDocument } from '../model/plan.js';

export interface RtoVerdict {
  readonly component: string;
  readonly rtoMs: number;
  /** Budgets along the longest way until the component is back; people's time is not in it. */
  readonly totalMs: number;
  readonly path: readonly Pick<StepDocument, 'name' | 'budgetMs'>[];
  readonly fits: boolean;
}

export interface PlanVerdict {
  /** Until the service is proven to be back. */
  readonly path: CriticalPath;
  /** The same with every gate left open until it expires. */
  readonly slowestMs: number;
  /** Every component that the plan restores, the run's own first. */
  readonly components: readonly RtoVerdict[];
}

export function verdictOf(plan: PlanDocument): PlanVerdict {
  const path = budgetPath(plan);
  const budgets = new Map(plan.steps.map((step) => [step.name, step.budgetMs]));
  const slowest = criticalPath(plan.steps, (name) => budgets.get(name) ?? 0, plan.serviceRestoredBy);
  const names = Object.keys(plan.components).sort(
    (one, other) => Number(other === plan.component) - Number(one === plan.component),
  );
  return {
    path,
    slowestMs: slowest.totalMs,
    components: names.map((name) => {
      const backAfter = plan.steps
        .filter((step) => step.restores.includes(name))
        .map((step) => budgetPath(plan, step.name))
        .reduce((latest, other) => (other.totalMs > latest.totalMs ? other : latest), path);
      const rtoMs = plan.components[name]?.rtoMs ?? plan.rtoMs;
      return {
        component: name,
        rtoMs,
        totalMs: backAfter.totalMs,
        path: backAfter.steps
          .map((step) => plan.steps.find((other) => other.name === step))
          .filter((step) => step !== undefined && step.kind !== 'gate')
          .map((step) => ({ name: step?.name ?? '', budgetMs: step?.budgetMs ?? 0 })),
        fits: backAfter.totalMs <= rtoMs,
      };
    }),
  };
}

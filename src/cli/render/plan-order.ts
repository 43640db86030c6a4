import type { PlanDocument } from '../../model/plan.js';

/**
 * What a step waits for, without what those wait for themselves: the shortest list that says the same.
 * The plan's own `needs` also hold steps whose outputs are taken further down.
 */
export function waitsFor(document: PlanDocument, name: string): string[] {
  const before = new Map<string, ReadonlySet<string>>();
  for (const step of document.steps) {
    before.set(step.name, new Set(step.needs.flatMap((need) => [need, ...(before.get(need) ?? [])])));
  }
  const needs = document.steps.find((step) => step.name === name)?.needs ?? [];
  return needs.filter((need) => !needs.some((other) => before.get(other)?.has(need)));
}

/** Rules that hold for every plan, whoever writes the scenario. A scenario that breaks one cannot be built. */
import type { PlanDocument, StepDocument } from '../../src/model/plan.js';

/** Every step that must be finished before the named one can begin. */
export function ancestorsOf(steps: readonly StepDocument[], name: string): ReadonlySet<string> {
  const byName = new Map(steps.map((step) => [step.name, step]));
  const found = new Set<string>();
  const visit = (current: string) => {
    for (const need of byName.get(current)?.needs ?? []) {
      if (found.has(need)) continue;
      found.add(need);
      visit(need);
    }
  };
  visit(name);
  return found;
}

/** Steps that touch what users depend on. A plan that has any cannot be drilled. */
export function productionSteps(plan: PlanDocument): readonly string[] {
  return plan.steps.filter((step) => step.effect === 'production').map((step) => step.name);
}

/** @throws Error naming the rule and the step that breaks it */
export function checkRules(plan: PlanDocument): void {
  const byName = new Map<string, StepDocument>();
  for (const step of plan.steps) {
    if (!/^[a-z][a-z0-9-]*$/.test(step.name)) broken(plan, step, 'its name is not kebab-case');
    if (byName.has(step.name)) broken(plan, step, 'two steps bear this name');
    for (const need of step.needs) {
      if (!byName.has(need)) broken(plan, step, `it needs ${need}, which does not stand before it`);
    }
    byName.set(step.name, step);
  }
  if (!byName.has(plan.serviceRestoredBy)) {
    throw new Error(
      `Plan ${plan.scenario}: there is no step ${plan.serviceRestoredBy} to restore the service`,
    );
  }

  const promotions = plan.steps.filter((step) => step.kind === 'promotion');
  if (promotions.length > 1) throw new Error(`Plan ${plan.scenario}: it promotes more than once`);

  for (const step of plan.steps) {
    const ancestors = ancestorsOf(plan.steps, step.name);
    const before = [...ancestors].map((name) => byName.get(name) as StepDocument);
    if (step.effect === 'production' && !before.some((other) => other.kind === 'gate')) {
      broken(plan, step, 'it touches production and no gate stands before it');
    }
    if (step.kind === 'promotion') {
      const unverified = plan.steps.filter(
        (other) => other.kind === 'verification' && !ancestors.has(other.name),
      );
      if (unverified.length > 0 || !before.some((other) => other.kind === 'verification')) {
        broken(
          plan,
          step,
          `it promotes what is not verified (${unverified.map((other) => other.name).join(', ') || 'no verification'})`,
        );
      }
      if (!before.some((other) => other.kind === 'fence'))
        broken(plan, step, 'it promotes while nothing is fenced');
      if (!step.needs.some((need) => byName.get(need)?.kind === 'gate')) {
        broken(plan, step, 'it promotes without a gate of its own');
      }
    }
    if (step.kind === 'cutover' && promotions.some((promotion) => !ancestors.has(promotion.name))) {
      broken(plan, step, 'it moves the traffic before the promotion');
    }
    if (step.skipping !== undefined && ['fence', 'promotion', 'verification', 'gate'].includes(step.kind)) {
      broken(plan, step, `it is a ${step.kind} and may be skipped`);
    }
    if (step.kind === 'fence' && step.undo === undefined)
      broken(plan, step, 'it fences and cannot be undone');
  }
  checkChanges(plan);
}

// What an approver can still change must not have reached production when it changes.
function checkChanges(plan: PlanDocument): void {
  for (const gate of plan.steps) {
    for (const change of gate.gate?.changes ?? []) {
      const changed = plan.changeables.find(({ name }) => name === change)?.step;
      if (changed === undefined) broken(plan, gate, `it lets ${change} be changed, which no step makes`);
      for (const step of plan.steps) {
        const ancestors = ancestorsOf(plan.steps, step.name);
        if (step.effect === 'production' && ancestors.has(changed) && !ancestors.has(gate.name)) {
          broken(
            plan,
            step,
            `it touches production with the output of ${changed}, which ${gate.name} may still change`,
          );
        }
      }
    }
  }
}

function broken(plan: PlanDocument, step: StepDocument, rule: string): never {
  throw new Error(`Plan ${plan.scenario}, step ${step.name}: ${rule}`);
}

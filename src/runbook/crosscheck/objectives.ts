import type { Runbook } from '../schema.js';
import type { Problems } from './report.js';

export function checkObjectives(runbook: Runbook, problems: Problems): void {
  const { components, dataClasses } = runbook.objectives;
  const names = Object.keys(components);
  for (const [name, { dependsOn, rto }] of Object.entries(components)) {
    const path = ['objectives', 'components', name] as const;
    if (rto === 0) problems.add([...path, 'rto'], 'a duration above zero');
    dependsOn.forEach((other, index) => {
      problems.mustBeOneOf(
        [...path, 'dependsOn', index],
        other,
        names,
        'a component of objectives.components',
      );
    });
    if (dependsOnItself(name, components)) {
      problems.add([...path, 'dependsOn'], 'components that do not depend on this one in turn', 'a circle');
    }
  }
  for (const [name, { component }] of Object.entries(dataClasses)) {
    const path = ['objectives', 'dataClasses', name, 'component'];
    problems.mustBeOneOf(path, component, names, 'a component of objectives.components');
  }
}

function dependsOnItself(name: string, components: Runbook['objectives']['components']): boolean {
  const seen = new Set<string>();
  const visit = (current: string): boolean =>
    (components[current]?.dependsOn ?? []).some((next) => {
      if (next === name) return true;
      if (seen.has(next)) return false;
      seen.add(next);
      return visit(next);
    });
  return visit(name);
}

import type { Runbook } from '../schema.js';
import type { Problems } from './report.js';

export function checkPeople(runbook: Runbook, problems: Problems): void {
  problems.mustDiffer(
    runbook.people.map(({ name }, index) => ({ path: ['people', index, 'name'], value: name.toLowerCase() })),
    'a name',
  );
}

/** Roles that somebody of the roster has. */
export function rolesOf(runbook: Runbook): string[] {
  return [...new Set(runbook.people.flatMap((person) => person.roles))];
}

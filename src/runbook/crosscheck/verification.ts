import type { Runbook } from '../schema.js';
import type { Problems } from './report.js';

export function checkApplications(runbook: Runbook, problems: Problems): void {
  const components = Object.keys(runbook.objectives.components);
  for (const [name, application] of Object.entries(runbook.applications)) {
    const path = ['applications', name] as const;
    problems.mustBeOneOf(
      [...path, 'component'],
      application.component,
      components,
      'a component of objectives.components',
    );
    problems.mustDiffer(
      application.functions.map((each, index) => ({
        path: [...path, 'functions', index, 'name'],
        value: each.name,
      })),
      'a name',
    );
    for (const [variable, value] of Object.entries(application.trial?.environment ?? {})) {
      if (!/pass|secret|token|credential|key/i.test(variable) || /^(env:|file:\/)/.test(value)) continue;
      problems.add(
        [...path, 'trial', 'environment', variable],
        'a reference to a secret: env:NAME or file:/absolute/path',
        `${value.length} characters, not shown: they may be a secret`,
      );
    }
  }
}

export function checkInvariants(runbook: Runbook, problems: Problems): void {
  const { invariants } = runbook.verification;
  const path = ['verification', 'invariants'] as const;
  problems.mustDiffer(
    invariants.map(({ name }, index) => ({ path: [...path, index, 'name'], value: name })),
    'a name',
  );
  invariants.forEach(({ sql, parameters }, index) => {
    const bare = withoutTexts(sql);
    if (!/^\s*(select|with)\b/i.test(bare) || bare.replace(/;\s*$/, '').includes(';')) {
      problems.add([...path, index, 'sql'], 'one query that begins with SELECT or WITH', 'something else');
    }
    const used = Math.max(0, ...[...bare.matchAll(/\$(\d+)/g)].map(([, number]) => Number(number)));
    if (used !== parameters.length) {
      problems.add(
        [...path, index, 'parameters'],
        used === 0 ? 'none: the query takes no parameters' : `${used}, for $1 to $${used} of the query`,
        `${parameters.length} parameters`,
      );
    }
  });
}

/** The query without comments and quoted texts: neither counts as SQL. */
function withoutTexts(sql: string): string {
  return sql.replace(/--[^\n]*|\/\*[\s\S]*?\*\/|'(?:[^']|'')*'|"(?:[^"]|"")*"/g, ' ');
}

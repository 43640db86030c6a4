import type { Bucket, Runbook } from '../schema.js';
import { liesIn } from './copies.js';
import type { Problems } from './report.js';

/** Files come back from a copy that is another one, elsewhere. */
export function checkObjects(runbook: Runbook, problems: Problems): void {
  for (const [name, { component, primary, secondary }] of Object.entries(runbook.objects)) {
    const path = ['objects', name] as const;
    const components = Object.keys(runbook.objectives.components);
    problems.mustBeOneOf([...path, 'component'], component, components, 'a component of objectives');
    if (secondary === undefined) continue;
    if (sameBucket(primary, secondary)) {
      problems.add([...path, 'secondary', 'bucket'], 'another bucket than the primary one');
    } else if (liesIn(secondary.failureDomain, primary.failureDomain)) {
      problems.add(
        [...path, 'secondary', 'failureDomain'],
        `a failure domain outside of ${primary.failureDomain}, which the primary bucket is lost with`,
      );
    }
  }
}

function sameBucket(one: Bucket, other: Bucket): boolean {
  return one.bucket === other.bucket && one.endpoint === other.endpoint && one.region === other.region;
}

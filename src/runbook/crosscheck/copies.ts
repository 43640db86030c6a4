import type { Runbook } from '../schema.js';
import type { Problems } from './report.js';

/** The copies that a recovery lives on must not be lost with the primary. */
export function checkCopies(runbook: Runbook, problems: Problems): void {
  const domain = primaryDomain(runbook);
  const elsewhere = `a failure domain outside of ${domain}, which the primary is lost with`;
  for (const [name, backup] of Object.entries(runbook.backups)) {
    const path = ['backups', name, 'repositories'] as const;
    problems.mustDiffer(
      backup.repositories.map(({ number }, index) => ({
        path: [...path, index, 'number'],
        value: String(number),
      })),
      'a number',
    );
    if (domain !== undefined && backup.repositories.every((copy) => liesIn(copy.failureDomain, domain))) {
      problems.add(path, `at least one repository in ${elsewhere}`, 'every copy beside the primary');
    }
  }
  if (domain !== undefined && liesIn(runbook.vault.failureDomain, domain)) {
    problems.add(['vault', 'failureDomain'], elsewhere);
  }
  if (domain !== undefined && runbook.anchor !== undefined && liesIn(runbook.anchor.failureDomain, domain)) {
    problems.add(['anchor', 'failureDomain'], elsewhere);
  }
}

export function primaryDomain(runbook: Runbook): string | undefined {
  return Object.values(runbook.sites).find((site) => site.role === 'primary')?.failureDomain;
}

/** Whether what stands in `domain` is lost when `lost` is. */
export function liesIn(domain: string, lost: string): boolean {
  return domain === lost || domain.startsWith(`${lost}/`);
}

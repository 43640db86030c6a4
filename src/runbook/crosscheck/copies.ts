import type { ArchiveBackup, Runbook } from '../schema.js';
import type { Problems } from './report.js';

/** The copies that a recovery lives on must not be lost with the primary. */
export function checkCopies(runbook: Runbook, problems: Problems): void {
  const domain = primaryDomain(runbook);
  const elsewhere = `a failure domain outside of ${domain}, which the primary is lost with`;
  for (const [name, backup] of Object.entries(runbook.backups)) {
    const { field, copies } = copiesOf(backup);
    const path = ['backups', name, field] as const;
    if (backup.driver === 'pgbackrest') {
      problems.mustDiffer(
        backup.repositories.map(({ number }, index) => ({
          path: [...path, index, 'number'],
          value: String(number),
        })),
        'a number',
      );
    } else {
      checkArchive(name, backup, problems);
    }
    if (domain !== undefined && copies.every((copy) => liesIn(copy.failureDomain, domain))) {
      const what = backup.driver === 'archive' ? 'copy' : 'repository';
      problems.add(path, `at least one ${what} in ${elsewhere}`, 'every copy beside the primary');
    }
  }
  if (domain !== undefined && liesIn(runbook.vault.failureDomain, domain)) {
    problems.add(['vault', 'failureDomain'], elsewhere);
  }
  if (domain !== undefined && runbook.anchor !== undefined && liesIn(runbook.anchor.failureDomain, domain)) {
    problems.add(['anchor', 'failureDomain'], elsewhere);
  }
}

/** The places of a backup, and the field that lists them. */
export function copiesOf(backup: Runbook['backups'][string]): {
  readonly field: 'repositories' | 'copies';
  readonly copies: readonly { readonly failureDomain: string }[];
} {
  return backup.driver === 'archive'
    ? { field: 'copies', copies: backup.copies }
    : { field: 'repositories', copies: backup.repositories };
}

function checkArchive(name: string, backup: ArchiveBackup, problems: Problems): void {
  const path = ['backups', name] as const;
  problems.mustDiffer(
    backup.copies.map((copy, index) => ({
      path: [...path, 'copies', index],
      value: copy.driver === 's3' ? `${copy.endpoint} ${copy.bucket} ${copy.prefix}` : copy.path,
    })),
    'a place',
  );
  if (backup.check === 'restore' && backup.content !== 'full') {
    problems.add([...path, 'check'], 'read: only a full archive can be restored by itself');
  }
  if (backup.check === 'restore' && backup.identities.length === 0) {
    problems.add([...path, 'check'], 'read, or identities: without a private key nothing can be restored');
  }
}

export function primaryDomain(runbook: Runbook): string | undefined {
  return Object.values(runbook.sites).find((site) => site.role === 'primary')?.failureDomain;
}

/** Whether what stands in `domain` is lost when `lost` is. */
export function liesIn(domain: string, lost: string): boolean {
  return domain === lost || domain.startsWith(`${lost}/`);
}

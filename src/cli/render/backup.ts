/** What a run of backups made, and which archives there are, for people. */
import type { ArchiveCatalog } from '../../../activities/contract.js';
import type { BackupRunResult } from '../../model/backup-run.js';
import { formatBytes } from '../../model/format.js';

export function backupLines({ summary, made, findings }: BackupRunResult): string {
  return [
    ...made.flatMap(({ backup, summary: says, places }) => [
      `${backup}  ${says}`,
      ...places.map(
        ({ title, sound, says: seen }) => `  ${sound ? 'sound' : 'NOT SOUND'}  ${title}: ${seen}`,
      ),
    ]),
    ...findings.flatMap(({ severity, backup, what, next }) => [
      `${severity}  ${backup}: ${what}`,
      `  next: ${next}`,
    ]),
    summary,
  ].join('\n');
}

/** A paragraph a copy, newest first. */
export function archiveLines(catalogs: Readonly<Record<string, ArchiveCatalog>>): string {
  return Object.entries(catalogs)
    .flatMap(([name, { copies }]) =>
      copies.map(({ title, archives, unreadable }) =>
        [
          `${name}, ${title}`,
          ...(unreadable === null ? [] : [`  cannot be read: ${unreadable}`]),
          ...(unreadable === null && archives.length === 0 ? ['  holds no archive'] : []),
          ...archives.map(({ label, bytes, snapshotAt, unusable }) =>
            unusable === null
              ? `  ${label}  as of ${snapshotAt ?? 'unknown'}  ${formatBytes(bytes)}`
              : `  ${label}  CANNOT BE USED: ${unusable}`,
          ),
        ].join('\n'),
      ),
    )
    .join('\n\n');
}

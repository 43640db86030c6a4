/** What pgBackRest's report of a repository means for a recovery. */
import type { RecoveryPoint } from '../contract.js';
import type { BackupInfo } from '../pgbackrest/info.js';
import type { VerifyReport, WrongFile } from '../pgbackrest/verify-report.js';

/**
 * What is wrong with the set or with the WAL that it needs; undefined: nothing. Damage to other backups does not count, but
 * a report that does not speak of everything that is needed does.
 */
export function problemOf(
  report: VerifyReport,
  wrong: readonly WrongFile[],
  chain: readonly string[],
  archiveId: string,
  chosen: Pick<BackupInfo, 'archive'>,
  point: Pick<RecoveryPoint, 'walEnd'>,
): string | undefined {
  const named = (files: readonly WrongFile[]) =>
    files.length === 0 ? '' : `: ${some(files.map((one) => `${one.what} ${one.file}`))}`;
  if (report.remarks.length > 0) return `${report.remarks.join('; ')}.`;
  for (const label of chain) {
    const backup = report.backups[label];
    if (backup === undefined) return `pgBackRest's report does not speak of backup ${label}.`;
    if (backup.status === 'valid' && backup.total > 0 && backup.valid === backup.total) continue;
    const files = wrong.filter((one) => one.file.startsWith(`${label}/`));
    return `backup ${label} is ${backup.status}, ${backup.total - backup.valid} of ${backup.total} files are wrong${named(files)}.`;
  }
  const archive = report.archives[archiveId];
  if (archive === undefined) return `pgBackRest's report does not speak of archive ${archiveId}.`;
  const first = (chosen.archive.start ?? '').slice(8);
  const last = point.walEnd.slice(8);
  const wrongWal = wrong.filter((one) => segmentIn(one.file) !== undefined);
  const needed = wrongWal.filter((one) => {
    const position = segmentIn(one.file)?.slice(8) ?? '';
    return position >= first && position <= last;
  });
  if (needed.length > 0) return `WAL that the point needs is damaged${named(needed)}.`;
  if (archive.total - archive.valid > wrongWal.length) {
    return `${archive.total - archive.valid} WAL segments are wrong and pgBackRest does not name them all${named(wrongWal)}.`;
  }
  return undefined;
}

function segmentIn(file: string): string | undefined {
  return /(?:^|\/)([0-9A-F]{24})(?:-[0-9a-f]{40}|$)/.exec(file)?.[1];
}

/** The first three, and how many more there are. */
export function some(items: readonly string[]): string {
  const shown = items.slice(0, 3).join(', ');
  return items.length > 3 ? `${shown} and ${items.length - 3} more` : shown;
}

import type { Progress } from '../../src/model/run.js';
import { byDriver } from '../../src/runbook/backups.js';
import type { Backup } from '../../src/runbook/schema.js';
import type { BackupTaken, MusterActivities } from '../contract.js';
import { requireReal } from '../production.js';
import { withProgress } from '../progress.js';
import { takeArchive } from './archive.js';
import { archiveProtect } from './archive-protect.js';
import { inspectBackup } from './inspect.js';
import { pgbackrestBackup } from './pgbackrest.js';
import { takeBackup } from './take.js';

/** @template B backups of the driver; left out: any */
export type ProtectInput<B extends Backup = Backup> = Parameters<MusterActivities['protectAgain']>[0] & {
  readonly backup: B;
};

/** One way of taking backups. */
export interface BackupDriver<B extends Backup> {
  /**
   * Ends when every repository holds a backup that was begun after the promotion; an attempt that finds one accepts it.
   */
  protect(input: ProtectInput<B>, update: (progress: Progress) => void): Promise<BackupTaken>;
}

const protect = byDriver({ pgbackrest: pgbackrestBackup.protect, archive: archiveProtect.protect });

/** Takes backups. */
export function backupActivities(): Pick<
  MusterActivities,
  'protectAgain' | 'takeArchive' | 'takeBackup' | 'inspectBackup'
> {
  return {
    async protectAgain(input) {
      requireReal(input.at, `add backups of ${input.target.site} to the repositories`);
      const first: Progress = { done: 0, unit: 'bytes', text: 'waiting for the archive' };
      return withProgress(first, (update) => protect(input, update));
    },
    takeArchive(input) {
      requireReal(input.at, `add archives of ${input.source.site} to the copies`);
      const first: Progress = { done: 0, unit: 'bytes', text: 'beginning the dump' };
      return withProgress(first, (update) => takeArchive(input, update));
    },
    takeBackup(input) {
      requireReal(input.at, `add backups of ${input.source.site} to the repositories`);
      const first: Progress = { done: 0, unit: 'files', text: 'beginning the backup' };
      return withProgress(first, (update) => takeBackup(input, update));
    },
    inspectBackup(input) {
      return withProgress({ done: 0, unit: 'files', text: 'looking at what was made' }, () =>
        inspectBackup(input),
      );
    },
  };
}

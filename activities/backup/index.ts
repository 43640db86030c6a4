import type { Progress } from '../../src/model/run.js';
import type { BackupTaken, MusterActivities } from '../contract.js';
import { requireReal } from '../production.js';
import { withProgress } from '../progress.js';
import { takeArchive } from './archive.js';
import { pgbackrestBackup } from './pgbackrest.js';

export type ProtectInput = Parameters<MusterActivities['protectAgain']>[0];

/** One way of taking backups. */
export interface BackupDriver {
  /**
   * Ends when every repository holds a backup that was begun after the promotion; an attempt that finds one accepts it.
   */
  protect(input: ProtectInput, update: (progress: Progress) => void): Promise<BackupTaken>;
}

const drivers: Readonly<Record<ProtectInput['backup']['driver'], BackupDriver>> = {
  pgbackrest: pgbackrestBackup,
};

/** Takes backups. */
export function backupActivities(): Pick<MusterActivities, 'protectAgain' | 'takeArchive'> {
  return {
    async protectAgain(input) {
      requireReal(input.at, `add backups of ${input.target.site} to the repositories`);
      const first: Progress = { done: 0, unit: 'bytes', text: 'waiting for the archive' };
      return withProgress(first, (update) => drivers[input.backup.driver].protect(input, update));
    },
    takeArchive(input) {
      requireReal(input.at, `add archives of ${input.source.site} to the copies`);
      const first: Progress = { done: 0, unit: 'bytes', text: 'beginning the dump' };
      return withProgress(first, (update) => takeArchive(input, update));
    },
  };
}

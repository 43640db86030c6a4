import type { Progress } from '../../src/model/run.js';
import { byDriver } from '../../src/runbook/backups.js';
import type { Backup } from '../../src/runbook/schema.js';
import type { MusterActivities, RestoreResult } from '../contract.js';
import { withProgress } from '../progress.js';
import { archiveRestore, restoreArchive } from './archive.js';
import { listArchives } from './archive-list.js';
import { pgbackrestRestore } from './pgbackrest.js';

/** @template B backups of the driver; left out: any */
export type RestoreInput<B extends Backup = Backup> = Parameters<MusterActivities['restoreDatabase']>[0] & {
  readonly backup: B;
};

/** One way of bringing a database back to a point. */
export interface RestoreDriver<B extends Backup> {
  /** Ends with the server in recovery at the point; an attempt that finds it there returns the same result. */
  restore(input: RestoreInput<B>, update: (progress: Progress) => void): Promise<RestoreResult>;
}

const restore = byDriver({ pgbackrest: pgbackrestRestore.restore, archive: archiveRestore.restore });

/** Restores databases. */
export function restoreActivities(): Pick<
  MusterActivities,
  'restoreDatabase' | 'restoreArchive' | 'listArchives'
> {
  return {
    restoreDatabase(input) {
      const first: Progress = { done: 0, unit: 'bytes', text: 'preparing the restore' };
      return withProgress(first, (update) => restore(input, update));
    },
    restoreArchive(input) {
      const first: Progress = { done: 0, unit: 'bytes', text: 'choosing the archive' };
      return withProgress(first, (update) => restoreArchive(input, update));
    },
    listArchives,
  };
}

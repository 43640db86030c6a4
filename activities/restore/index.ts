import type { Progress } from '../../src/model/run.js';
import type { MusterActivities, RestoreResult } from '../contract.js';
import { withProgress } from '../progress.js';
import { restoreArchive } from './archive.js';
import { listArchives } from './archive-list.js';
import { pgbackrestRestore } from './pgbackrest.js';

export type RestoreInput = Parameters<MusterActivities['restoreDatabase']>[0];

/** One way of bringing a database back to a point. */
export interface RestoreDriver {
  /** Ends with the server paused at the point; an attempt that finds it there returns the same result. */
  restore(input: RestoreInput, update: (progress: Progress) => void): Promise<RestoreResult>;
}

const drivers: Readonly<Record<RestoreInput['backup']['driver'], RestoreDriver>> = {
  pgbackrest: pgbackrestRestore,
};

/** Restores databases. */
export function restoreActivities(): Pick<
  MusterActivities,
  'restoreDatabase' | 'restoreArchive' | 'listArchives'
> {
  return {
    restoreDatabase(input) {
      const first: Progress = { done: 0, unit: 'bytes', text: 'preparing the restore' };
      return withProgress(first, (update) => drivers[input.backup.driver].restore(input, update));
    },
    restoreArchive(input) {
      const first: Progress = { done: 0, unit: 'bytes', text: 'choosing the archive' };
      return withProgress(first, (update) => restoreArchive(input, update));
    },
    listArchives,
  };
}

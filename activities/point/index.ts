/** The recovery point: the newest state that can be proven to be reachable and is from before the damage. */

import { PermanentError } from '../../src/errors.js';
import { byDriver, type OfPgbackrest } from '../../src/runbook/backups.js';
import { activitySignal } from '../context.js';
import type { MusterActivities, RecoveryPoint } from '../contract.js';
import { proposeArchiveBefore, proposeNewestArchive } from './archive.js';
import { proposeCleanInWal } from './clean.js';
import { proposeCleanArchive } from './clean-archive.js';
import { archiveNewest } from './live.js';
import { currentMoment, toMoment } from './moment.js';
import { proposeNewest } from './newest.js';
import { pointAt } from './propose.js';
import { endSearch, searchPoint } from './search.js';

export { type Coverage, coverage } from './coverage.js';
export { toMoment } from './moment.js';

type Before = Parameters<MusterActivities['proposePoint']>[0];

export function pointActivities(): Pick<
  MusterActivities,
  'proposePoint' | 'proposeNewest' | 'proposeClean' | 'searchPoint' | 'endSearch'
> {
  const proposeClean = byDriver({ pgbackrest: proposeCleanInWal, archive: proposeCleanArchive });
  const proposeBefore = byDriver({ pgbackrest: proposeInWal, archive: proposeArchiveBefore });
  return {
    proposeNewest: byDriver({ pgbackrest: proposeNewest, archive: proposeNewestArchive }),
    searchPoint,
    endSearch,

    async proposeClean(input) {
      requirePast(toMoment(input.before));
      return proposeClean(input);
    },

    async proposePoint(input) {
      requirePast(toMoment(input.before));
      return proposeBefore(input);
    },
  };
}

async function proposeInWal(input: OfPgbackrest<Before>): Promise<RecoveryPoint> {
  const { at, damaged, backup, before, dataClasses } = input;
  // A drill takes what is archived: it has the primary write nothing.
  const primary = at.mode === 'real' ? await archiveNewest(damaged, activitySignal()) : undefined;
  return pointAt({ damaged, backup, moment: toMoment(before), asked: before, primary, dataClasses });
}

/** @throws PermanentError `PointInFuture` */
function requirePast(moment: string): void {
  const now = currentMoment();
  if (moment <= now) return;
  throw new PermanentError('PointInFuture', `${moment} has not come yet: it is ${now}.`, {
    next: 'Choose a moment before the damage. Is the zone right? Times without Z are taken with the zone they name.',
  });
}

/** The recovery point: the newest state that can be proven to be reachable and is from before the damage. */

import { PermanentError } from '../../src/errors.js';
import { activitySignal } from '../context.js';
import type { MusterActivities } from '../contract.js';
import { archiveNewest } from './live.js';
import { currentMoment, toMoment } from './moment.js';
import { proposeNewest } from './newest.js';
import { pointAt } from './propose.js';
import { endSearch, searchPoint } from './search.js';

export { type Coverage, coverage } from './coverage.js';
export { toMoment } from './moment.js';

export function pointActivities(): Pick<
  MusterActivities,
  'proposePoint' | 'proposeNewest' | 'searchPoint' | 'endSearch'
> {
  return {
    proposeNewest,
    searchPoint,
    endSearch,

    async proposePoint({ at, damaged, backup, before, dataClasses }) {
      const moment = toMoment(before);
      requirePast(moment);
      // A drill takes what is archived: it has the primary write nothing.
      const primary = at.mode === 'real' ? await archiveNewest(damaged, activitySignal()) : undefined;
      return pointAt({ damaged, backup, moment, asked: before, primary, dataClasses });
    },
  };
}

/** @throws PermanentError `PointInFuture` */
function requirePast(moment: string): void {
  const now = currentMoment();
  if (moment <= now) return;
  throw new PermanentError('PointInFuture', `${moment} has not come yet: it is ${now}.`, {
    next: 'Choose a moment before the damage. Is the zone right? Times without Z are taken with the zone they name.',
  });
}

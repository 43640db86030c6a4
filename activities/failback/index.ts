/** The planned way home after a recovery moved a system. */
import type { Progress } from '../../src/model/run.js';
import type { FailbackActivities } from '../contract.js';
import { requireReal } from '../production.js';
import { withProgress } from '../progress.js';
import { closeForDump } from './close.js';
import { findPrimary } from './find.js';
import { followHome } from './follow.js';
import { awaitForgotten } from './forgotten.js';
import { holdStandby, releaseStandby } from './hold.js';
import { findLastArchive } from './last-archive.js';
import { releaseSites } from './released.js';
import { removeReseeded } from './reseeded.js';
import { reopenPrimary, stopForSwitchover } from './stop.js';
import { verifyPages, verifySwitchover } from './verify.js';

export function failbackActivities(): FailbackActivities {
  return {
    findPrimary,
    removeReseeded(input) {
      requireReal(input.at, `remove the standby at ${input.home.site}`);
      return removeReseeded(input);
    },
    holdStandby,
    verifyPages: (input) => alive('reading every page', (update) => verifyPages(input, update)),
    releaseStandby: (input) => alive('catching up', (update) => releaseStandby(input, update)),
    awaitForgotten: (input) => alive('old answers expire', (update) => awaitForgotten(input, update)),
    stopForSwitchover(input) {
      requireReal(input.at, `shut ${input.primary.site} down`);
      return stopForSwitchover(input);
    },
    reopenPrimary(input) {
      requireReal(input.at, `start ${input.primary.site}`);
      return reopenPrimary(input);
    },
    closeForDump(input) {
      requireReal(input.at, `stop writes at ${input.primary.site}`);
      return closeForDump(input);
    },
    findLastArchive,
    releaseSites(input) {
      requireReal(input.at, `give ${input.left.site} back`);
      return releaseSites(input);
    },
    verifySwitchover,
    followHome(input) {
      requireReal(input.at, `start ${input.left.site} as a standby`);
      return alive('following the new primary', () => followHome(input));
    },
  };
}

function alive<T>(text: string, work: (update: (progress: Progress) => void) => Promise<T>): Promise<T> {
  return withProgress({ done: 0, unit: 'bytes', text }, work);
}

/** A streaming standby takes the place of its primary, and a new one takes its own. */
import type { Progress } from '../../src/model/run.js';
import type { MusterActivities } from '../contract.js';
import { requireReal } from '../production.js';
import { withProgress } from '../progress.js';
import { buildStandby } from './build.js';
import { catchUpStandby, followAgain } from './catch-up.js';
import { checkStandby } from './check.js';
import { verifyStandby } from './verify.js';

type StandbyName = 'checkStandby' | 'catchUpStandby' | 'followAgain' | 'verifyStandby' | 'buildStandby';

export function standbyActivities(): Pick<MusterActivities, StandbyName> {
  return {
    checkStandby,
    catchUpStandby(input) {
      requireReal(input.at, `cut ${input.standby.site} off from its primary`);
      return alive('replaying what is left', (update) => catchUpStandby(input, update));
    },
    followAgain(input) {
      requireReal(input.at, `change what ${input.standby.site} follows`);
      return followAgain(input);
    },
    verifyStandby: (input) => alive('checking the files', (update) => verifyStandby(input, update)),
    buildStandby(input) {
      requireReal(input.at, `copy ${input.primary.site} to ${input.target.site}`);
      return alive('copying the primary', (update) => buildStandby(input, update));
    },
  };
}

function alive<T>(text: string, work: (update: (progress: Progress) => void) => Promise<T>): Promise<T> {
  return withProgress({ done: 0, unit: 'bytes', text }, work);
}

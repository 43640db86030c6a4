/** The application comes up where the database will be, by the owner's own program, unless it runs there already. */
import { setTimeout as wait } from 'node:timers/promises';
import { PermanentError, TransientError } from '../../src/errors.js';
import { formatDuration } from '../../src/model/format.js';
import type { Application } from '../../src/runbook/schema.js';
import { activitySignal } from '../context.js';
import type { MusterActivities } from '../contract.js';
import { requireReal } from '../production.js';
import { answers } from './answers.js';
import { deployActivities } from './index.js';

const ANSWERS_MS = 120_000;
const POLL_MS = 200;

export function startActivities(): Pick<MusterActivities, 'startApplication'> {
  return {
    async startApplication({ at, application, site }) {
      requireReal(at, `start the application at ${application.url}`);
      if (await answers(healthOf(application))) {
        return { site, ranAlready: true, summary: `the application answers at ${application.url} already` };
      }
      if (application.deploy === undefined) throw nobodyStarts(application);
      const begun = performance.now();
      await deployActivities().deployApplication({ at, application, site });
      await untilAnswers(application);
      const took = formatDuration(performance.now() - begun);
      return {
        site,
        ranAlready: false,
        summary: `the application was brought up for ${site} and answers after ${took}`,
      };
    },
  };
}

function nobodyStarts({ url }: Application): PermanentError {
  return new PermanentError('ApplicationDown', `The application at ${url} does not answer.`, {
    why: 'The runbook does not say how it is deployed.',
    next: 'Start it by hand, then retry the step; for the next time say how (applications.<name>.deploy).',
  });
}

async function untilAnswers(application: Application): Promise<void> {
  const signal = activitySignal();
  const begun = performance.now();
  while (!(await answers(healthOf(application)))) {
    if (performance.now() - begun > ANSWERS_MS) {
      throw new TransientError(
        'ApplicationSilent',
        `The application was brought up and does not answer at ${application.url}.`,
        { next: 'Look at its log; the step tries again.' },
      );
    }
    await wait(POLL_MS, undefined, { signal });
  }
}

function healthOf({ url, healthPath }: Application): URL {
  return new URL(healthPath, url);
}

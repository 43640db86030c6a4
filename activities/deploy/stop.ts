/** The application is ended by its owner's program: after a breach nothing of it may go on. */
import { setTimeout as wait } from 'node:timers/promises';
import { PermanentError } from '../../src/errors.js';
import { runOwnersCommand } from '../command/run.js';
import { activitySignal } from '../context.js';
import type { MusterActivities } from '../contract.js';
import { requireReal } from '../production.js';
import { answers } from './answers.js';

const SILENT_MS = 60_000;
const POLL_MS = 200;

export const stopApplication: MusterActivities['stopApplication'] = async ({
  at,
  url,
  healthPath,
  command,
  site,
}) => {
  requireReal(at, `stop the application at ${url}`);
  await runOwnersCommand(
    at,
    'scenarios, stopApplication of breach',
    command,
    { site, act: 'stop' },
    { MUSTER_SITE: site },
  );
  const begun = performance.now();
  while (await answers(new URL(healthPath, url))) {
    if (performance.now() - begun > SILENT_MS) {
      throw new PermanentError('ApplicationStillUp', `The application still answers at ${url}.`, {
        why: 'The program that ends it said that it had.',
        next: 'Stop it by hand (or take its address off the load balancer), then retry the step.',
      });
    }
    await wait(POLL_MS, undefined, { signal: activitySignal() });
  }
  return { summary: `the application at ${url} is stopped and answers no more` };
};

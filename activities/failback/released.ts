import type { FailbackActivities, Summarised } from '../contract.js';
import { dropLease } from '../provision/lease.js';
import { dropMark } from './stop.js';

/** The cluster that was left is in quarantine, home is an ordinary primary. */
export async function releaseSites({
  left,
  home,
}: Parameters<FailbackActivities['releaseSites']>[0]): Promise<Summarised> {
  await dropLease(left.postgres.service.dataDirectory);
  await dropLease(home.postgres.service.dataDirectory);
  await dropMark(left);
  return { summary: `${left.site} and ${home.site} bear no mark of a recovery any more` };
}

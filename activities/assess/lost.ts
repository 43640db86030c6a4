/** Whether a primary that is said to be gone is gone. Nothing is changed. */
import { messageOf } from '../../src/errors.js';
import { withClient } from '../../src/postgres.js';
import type { MusterActivities } from '../contract.js';
import { adminOf } from '../service/index.js';

/** One that is there answers at once; one that is gone must not hold the look up. */
const ANSWER_MS = 3_000;

/** Asks it as its administrator. Silence is an answer here, not a failure: it proves nothing, and the fence asks again. */
export const lookAtLost: MusterActivities['lookAtLost'] = async ({ damaged }) => {
  const { site, postgres } = damaged;
  const options = {
    statementTimeoutMs: ANSWER_MS,
    connectTimeoutMs: ANSWER_MS,
    applicationName: 'muster look',
  };
  try {
    const writes = await withClient(adminOf(postgres), options, async (client) => {
      const { rows } = await client.query<{ writes: boolean }>('select not pg_is_in_recovery() as writes');
      return rows[0]?.writes === true;
    });
    const role = writes ? 'takes writes' : 'is no primary';
    return {
      answers: true,
      summary: `${site} answers and ${role}: it is not gone. What it has not archived is lost when it is given up`,
    };
  } catch (error) {
    return { answers: false, summary: `${site} does not answer: ${messageOf(error)}` };
  }
};

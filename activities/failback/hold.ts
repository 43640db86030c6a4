/** A standby stands still while it is looked at, and catches up again: users work on the primary all the while. */
import { setTimeout as wait } from 'node:timers/promises';
import { PermanentError, TransientError } from '../../src/errors.js';
import { formatBytes } from '../../src/model/format.js';
import type { Progress } from '../../src/model/run.js';
import { activitySignal } from '../context.js';
import type { FailbackActivities, StandbyHeld, StandbyState } from '../contract.js';
import { checkStandby } from '../standby/check.js';
import { onStandby, readFacts } from '../standby/state.js';

const POLL_MS = 200;
const SOON_MS = 30_000;
/** Near enough: the rest is replayed within the shutdown of the primary. */
export const NEAR_BYTES = 16 * 1024 * 1024;

export async function holdStandby({
  standby,
  primary,
}: Parameters<FailbackActivities['holdStandby']>[0]): Promise<StandbyHeld> {
  const signal = activitySignal();
  return onStandby(standby, async (client) => {
    const before = await readFacts(client);
    if (!before.inRecovery || before.systemIdentifier !== primary.systemIdentifier) {
      throw new PermanentError(
        'StandbyUnusable',
        `The server at ${standby.site} is no standby of this primary.`,
        {
          why: `In recovery: ${before.inRecovery}; system ${before.systemIdentifier} instead of ${primary.systemIdentifier}.`,
          next: 'Abort, find out what runs there, and begin anew.',
        },
      );
    }
    await client.query('select pg_wal_replay_pause()');
    const begun = performance.now();
    for (;;) {
      const facts = await readFacts(client);
      if (facts.pauseState === 'paused') {
        const lsn = facts.replayedLsn ?? '0/0';
        return {
          systemIdentifier: facts.systemIdentifier,
          timeline: facts.timeline,
          time: facts.time,
          lsn,
          lastCommitAt: facts.lastCommitAt,
          summary: `${standby.site} stands at ${lsn} while it is verified, and goes on receiving; newest commit ${facts.lastCommitAt ?? 'unknown'}`,
        };
      }
      if (performance.now() - begun > SOON_MS) {
        throw new TransientError('StandbySlow', `The standby at ${standby.site} does not pause.`, {
          next: `Look at ${standby.postgres.service.logFile}; the step tries again.`,
        });
      }
      await wait(POLL_MS, undefined, { signal });
    }
  });
}

export async function releaseStandby(
  input: Parameters<FailbackActivities['releaseStandby']>[0],
  update: (progress: Progress) => void,
): Promise<StandbyState> {
  const { standby } = input;
  const signal = activitySignal();
  await onStandby(standby, (client) => client.query('select pg_wal_replay_resume()'));
  let most = 0;
  for (;;) {
    const state = await checkStandby(input);
    most = Math.max(most, state.lagBytes);
    update({
      done: most - state.lagBytes,
      total: most,
      unit: 'bytes',
      text: `catching up, ${formatBytes(state.lagBytes)} behind`,
    });
    if (!state.primaryAnswers) {
      throw new TransientError('PrimarySilent', `The primary at ${input.primary.site} does not answer.`, {
        why: 'A planned switchover needs a primary that lives.',
        next: `If ${input.primary.site} is lost, abort and begin the scenario that fits; else the step tries again.`,
      });
    }
    if (state.receiver === 'streaming' && state.lagBytes <= NEAR_BYTES) return state;
    await wait(POLL_MS * 2, undefined, { signal });
  }
}

/** What is verified of a standby that takes over by plan: its pages while users work, its position once the primary is down. */
import type { Progress } from '../../src/model/run.js';
import type { FailbackActivities, RungResult } from '../contract.js';
import { onStandby, readFacts } from '../standby/state.js';
import { archiveIsExhausted, controlIsSound, pagesAreSound, standsStill } from '../standby/verify.js';
import { check, headingOf, passed, verificationFailed } from '../verify/check.js';
import { readLastRecord } from './exact.js';

export async function verifyPages(
  { standby }: Parameters<FailbackActivities['verifyPages']>[0],
  update: (progress: Progress) => void,
): Promise<RungResult> {
  return passed([await pagesAreSound(standby, update)]);
}

export async function verifySwitchover(
  input: Parameters<FailbackActivities['verifySwitchover']>[0],
): Promise<RungResult> {
  return passed(
    await Promise.all([
      archiveIsExhausted(input),
      controlIsSound(input),
      standsStill(input),
      endsAsThePrimary(input),
    ]),
  );
}

/** Read from the standby's own log, not from what it says of itself. */
async function endsAsThePrimary({
  standby,
  caughtUp,
  fence: { shutdown },
}: Parameters<FailbackActivities['verifySwitchover']>[0]) {
  const { heading } = await headingOf(standby.postgres, 'pg_waldump', {
    rung: 4,
    title: 'nothing is lost',
  });
  return check(heading, async () => {
    const { segmentBytes } = await onStandby(standby, readFacts);
    const { timeline } = caughtUp;
    const last = await readLastRecord(standby, { lsn: shutdown.checkpointLsn, timeline, segmentBytes });
    if (last.endLsn === shutdown.endLsn && caughtUp.lsn === shutdown.endLsn) {
      return `the log ends with the shutdown checkpoint of the primary at ${last.lsn}, replayed to its end ${last.endLsn}`;
    }
    throw verificationFailed(
      heading,
      `the primary ended at ${shutdown.endLsn}, the standby stands at ${caughtUp.lsn}, its log ends at ${last.endLsn}.`,
      'Abort: the primary opens again with all that it had.',
    );
  });
}

/** Payments before a disaster: those that are safe outside of the primary, and those that are not. */
import { archiveAll, waitForPayments } from '../../lab/demo/payments.js';
import { eventually } from './eventually.js';
import type { Incident } from './incident.js';
import { onLedger, type TestLab } from './lab.js';

/**
 * Payments that are archived, and some that are on the primary's disk only.
 * @returns those that were acknowledged before the last segment that was archived ended
 */
export async function payAndArchive(lab: TestLab, incident: Incident): Promise<readonly string[]> {
  await waitForPayments(lab.state, 10);
  const archived = (await incident.acknowledged()).map(({ id }) => id);
  await archiveAll(lab.state);
  await waitForPayments(lab.state, 5);
  return archived;
}

/** The standby receives and replays nothing any more, and nobody has noticed. */
export async function cutStandbyOff(lab: TestLab): Promise<void> {
  const { admin, sites } = lab.state.ledger;
  await onLedger(
    lab.state,
    admin,
    async (standby) => {
      await standby.query("alter system set primary_conninfo = 'host=127.0.0.1 port=1'");
      await standby.query('select pg_reload_conf()');
      await eventually(async () =>
        expect((await standby.query('select from pg_stat_wal_receiver')).rows).toEqual([]),
      );
      await standby.query('select pg_wal_replay_pause()');
    },
    sites.standby,
  );
}

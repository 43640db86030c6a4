/** A standby that streams, and the zone of the primary lost: killed at once, or alive where nobody reaches it. */
import { breakZone } from '../../lab/break/az-loss.js';
import { runningServer } from '../../lab/clusters.js';
import { waitForPayments } from '../../lab/demo/payments.js';
import { layoutOf } from '../../lab/layout.js';
import { isRunning, startMarkOf } from '../../lab/process.js';
import { SLOT } from '../../lab/standby.js';
import { statusLab } from '../../lab/status.js';
import { upLab } from '../../lab/world.js';
import { eventually } from '../support/eventually.js';
import { onLedger, SMALL, useLab } from '../support/lab.js';

const lab = useLab({ standby: 'raised' });
const up = () => upLab({ dir: lab.dir, size: SMALL, worker: 'none', log: () => undefined });

async function onStandby<T extends object>(sql: string): Promise<T[]> {
  const { admin, sites } = lab.state.ledger;
  return onLedger(lab.state, admin, async (client) => (await client.query<T>(sql)).rows, sites.standby);
}

test('the standby streams through a slot of its own, is read-only, and has what was paid a moment ago', async () => {
  await waitForPayments(lab.state, 5);
  const { admin } = lab.state.ledger;
  const newest = await onLedger(lab.state, admin, async (client) => {
    const { rows } = await client.query<{ last: string }>('select max(seq) as last from ledger.transactions');
    return Number(rows[0]?.last);
  });
  await eventually(async () => {
    const [held] = await onStandby<{ last: string }>('select max(seq) as last from ledger.transactions');
    expect(Number(held?.last)).toBeGreaterThanOrEqual(newest);
  });
  expect(await onStandby('select status, slot_name from pg_stat_wal_receiver')).toEqual([
    { status: 'streaming', slot_name: SLOT },
  ]);
  await expect(onStandby('delete from ledger.transactions')).rejects.toThrow(/read-only/);
  const archived = await onStandby<{ command: string }>(
    "select current_setting('restore_command') as command",
  );
  expect(archived[0]?.command).toContain('archive-get');
});

test('up keeps a standby, and starts it again when it is down', async () => {
  const { standby } = layoutOf(lab.dir).sites;
  const before = await runningServer(standby.data);
  await up();
  expect((await runningServer(standby.data))?.pid).toBe(before?.pid);
  process.kill(before?.pid ?? 0, 'SIGINT');
  await eventually(async () => expect(before && isRunning(before)).toBe(false));
  await up();
  expect(await onStandby('select status from pg_stat_wal_receiver')).toEqual([{ status: 'streaming' }]);
}, 60_000);

test('the zone is lost with everything in it, and up does not bring the primary back', async () => {
  const loss = await breakZone((await statusLab(lab.dir))?.state ?? lab.state);
  expect(loss).toMatchObject({ site: 'west', fate: 'dead', standby: true });
  expect(loss.serverPids.length).toBeGreaterThan(3);
  expect(loss.serverPids.filter((pid) => startMarkOf(pid) !== undefined)).toEqual([]);
  await expect(fetch(`${lab.state.payymo.appUrl}/health`)).rejects.toThrow();
  expect(await onStandby('select pg_is_in_recovery() as waits')).toEqual([{ waits: true }]);
  await up();
  expect(await runningServer(layoutOf(lab.dir).sites.west.data)).toBeUndefined();
  expect(await onStandby('select pg_is_in_recovery() as waits')).toEqual([{ waits: true }]);
}, 60_000);

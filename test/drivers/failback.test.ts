/** The planned way home: nothing is lost or nothing happens, and the primary that was left follows. Tests follow one another. */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type {
  DatabaseAt,
  ReplacedPrimary,
  StandbyState,
  SwitchoverFence,
} from '../../activities/contract.js';
import { endOfRecord, parseRecord } from '../../activities/failback/exact.js';
import { failbackActivities } from '../../activities/failback/index.js';
import { serviceOf } from '../../activities/service/index.js';
import { standbyActivities } from '../../activities/standby/index.js';
import { readClaims, withVault } from '../../activities/vault/index.js';
import { startTestCluster, type TestCluster } from '../support/cluster.js';
import { eventually } from '../support/eventually.js';
import { startVault, type TestVault } from './support/s3.js';

const way = failbackActivities();
const { buildStandby, catchUpStandby, followAgain } = standbyActivities();
const SLOT = 'home';
const note = (id: number) => `insert into ledger.notes values (${id})`;

let cluster: TestCluster;
let vault: TestVault;
let from: DatabaseAt;
let home: DatabaseAt;
let found: ReplacedPrimary;

beforeAll(async () => {
  [cluster, vault] = await Promise.all([startTestCluster(), startVault()]);
  const withReplication = (site: DatabaseAt): DatabaseAt => {
    const { user, password } = site.postgres.admin;
    return { ...site, postgres: { ...site.postgres, replication: { user, password } } };
  };
  from = withReplication(cluster.primary);
  home = withReplication(cluster.target);
  await ask(from, 'drop table ledger.spare');
  await ask(from, 'drop tablespace spare');
  // As pgBackRest leaves it in a primary that was restored.
  await ask(from, "alter system set recovery_target_timeline = '1'");
  await ask(from, "alter system set recovery_target_lsn = '0/1'");
  await ask(from, "create role payymo_app login password 'only-for-tests'");
  const { systemIdentifier } = await serviceOf(from.postgres).control();
  found = { systemIdentifier, timeline: 1, time: new Date().toISOString() };
}, 60_000);
afterAll(async () => {
  await Promise.all([cluster?.close(), vault?.remove()]);
});

const ask = async (site: DatabaseAt, sql: string): Promise<Record<string, unknown>[]> =>
  cluster.as(site, async (client) => (await client.query(sql)).rows);
const stop = () =>
  way.stopForSwitchover({
    ...{ at: cluster.at, primary: from, standby: home, vault: vault.bucket, found },
    dataClasses: { notes: { rpo: 1, component: 'database', table: 'ledger.notes', key: 'id', time: 'at' } },
  });
const reopen = () => way.reopenPrimary({ at: cluster.at, primary: from, vault: vault.bucket });
const release = (): Promise<StandbyState> =>
  way.releaseStandby({
    ...{ at: cluster.at, standby: home, primary: from, backup: cluster.backup, dataClasses: {} },
  });
const claims = async () =>
  (
    await withVault(vault.bucket, new AbortController().signal, (open) => readClaims(open, cluster.at.system))
  ).map(({ kind }) => kind);

test('a record ends where the next one would begin, past the headers of pages', () => {
  const segment = 16 * 1024 * 1024;
  expect(endOfRecord('0/B000028', 114, segment)).toBe('0/B0000A0');
  // 80 bytes are left on the page, 40 go on to the next one, after its header.
  expect(endOfRecord('0/B001FB0', 114, segment)).toBe('0/B002040');
  expect(endOfRecord('0/BFFFFB0', 114, segment)).toBe('0/C000050');
  expect(endOfRecord('0/B001F88', 114, segment)).toBe('0/B002000');
  const line =
    'rmgr: XLOG        len (rec/tot):    114/   114, tx:          0, lsn: 0/0B000028, prev 0/0A0000F0, desc: CHECKPOINT_SHUTDOWN redo 0/B000028; tli 1';
  expect(parseRecord(line, segment)).toEqual({
    lsn: '0/B000028',
    endLsn: '0/B0000A0',
    what: 'CHECKPOINT_SHUTDOWN',
  });
});

test('home is built, stands still while it is looked at, and catches up', async () => {
  const { at, backup } = cluster;
  const built = await buildStandby({ at, primary: from, target: home, backup, slot: SLOT, lease: 'kept' });
  expect(built).toMatchObject({ site: home.site, slot: SLOT });
  const held = await way.holdStandby({ at, standby: home, primary: found });
  await ask(from, note(300));
  expect(await ask(home, 'select id from ledger.notes where id = 300')).toEqual([]);
  expect((await way.verifyPages({ at, standby: home })).checks).toMatchObject([{ rung: 3, passed: true }]);
  expect(await ask(home, 'select pg_last_wal_replay_lsn()::text as lsn')).toEqual([{ lsn: held.lsn }]);
  expect(await release()).toMatchObject({ receiver: 'streaming', primaryAnswers: true });
  await eventually(async () =>
    expect(await ask(home, 'select id from ledger.notes where id = 300')).toEqual([{ id: 300 }]),
  );
}, 60_000);

test('a standby that is not ready is found before anything is stopped', async () => {
  await way.holdStandby({ at: cluster.at, standby: home, primary: found });
  await expect(stop()).rejects.toMatchObject({ code: 'StandbyBehind' });
  await ask(from, note(301));
  await release();
}, 30_000);

test('what the standby has not replayed opens the primary again', async () => {
  await ask(home, "alter system set recovery_min_apply_delay = '1h'");
  await ask(home, 'select pg_reload_conf()');
  await ask(from, note(302));
  await expect(stop()).rejects.toMatchObject({
    code: 'SwitchoverLossy',
    why: expect.stringContaining('takes logins and writes as before'),
  });
  await ask(from, note(303));
  expect(await claims()).toEqual(['fence', 'release']);
  await ask(home, 'alter system reset recovery_min_apply_delay');
  await ask(home, 'select pg_reload_conf()');
  await eventually(async () => expect((await release()).lagBytes).toBe(0));
}, 40_000);

test('answers and takes no writes while it is dumped, and opens again', async () => {
  const close = () =>
    way.closeForDump({ at: cluster.at, primary: from, vault: vault.bucket, found, dataClasses: {} });
  const closed = await close();
  expect(closed.refusedWrite).toMatchObject({ as: 'payymo_app', answer: expect.stringMatching(/^25006 /) });
  await expect(ask(from, note(310))).rejects.toThrow(/read-only transaction/);
  expect(await ask(from, 'select id from ledger.notes where id = 303')).toEqual([{ id: 303 }]);
  expect(await close()).toMatchObject({ token: closed.token });
  expect((await reopen()).summary).toContain('takes logins and writes as before');
  await ask(from, note(311));
  await eventually(async () => expect((await release()).lagBytes).toBe(0));
}, 60_000);

let fence: SwitchoverFence;

test('is shut down with everything at home; done again, the same; whoever starts it gets a standby', async () => {
  await ask(from, note(304));
  fence = await stop();
  expect(fence.refusedWrite?.answer).toContain('no server runs on');
  expect(fence.census).toEqual({ notes: { records: 0, newest: null } });
  expect(await ask(home, 'select pg_last_wal_replay_lsn()::text as lsn')).toEqual([
    { lsn: fence.shutdown.endLsn },
  ]);
  expect(await stop()).toMatchObject({ shutdown: fence.shutdown, token: fence.token });
  await serviceOf(from.postgres).start('ready');
  await expect(ask(from, note(305))).rejects.toThrow(/read-only transaction/);
  // Called off: it is the primary again, with all that it had.
  expect((await reopen()).summary).toContain('takes logins and writes as before');
  await ask(from, note(306));
  expect((await reopen()).summary).toContain('not shut down by this run');
}, 60_000);

test('what is promoted ends with the last record of the primary', async () => {
  await eventually(async () => expect((await release()).lagBytes).toBe(0));
  fence = await stop();
  const { at, backup } = cluster;
  const catchUp = () =>
    catchUpStandby({
      ...{
        at,
        standby: home,
        backup,
        state: found,
        vault: vault.bucket,
        token: fence.token,
        dataClasses: {},
      },
    });
  await catchUp();
  // Let go and held again: its own settings outlive that.
  await followAgain({ at, standby: home, vault: vault.bucket });
  expect(await readFile(join(home.postgres.service.dataDirectory, 'postgresql.auto.conf'), 'utf8')).toContain(
    `port = '${home.postgres.port}'`,
  );
  const caughtUp = await catchUp();
  expect(caughtUp.lsn).toBe(fence.shutdown.endLsn);
  const verify = (shutdown: SwitchoverFence['shutdown']) =>
    way.verifySwitchover({ at, standby: home, backup, caughtUp, fence: { ...fence, shutdown } });
  expect((await verify(fence.shutdown)).checks.map(({ rung }) => rung)).toEqual([1, 2, 4, 4]);
  await expect(verify({ ...fence.shutdown, endLsn: '0/FFFFFFF' })).rejects.toMatchObject({
    code: 'VerificationFailed',
    message: expect.stringContaining('nothing is lost'),
  });
}, 60_000);

test('the left one follows without a copy, unless it wrote anything since', async () => {
  await ask(home, 'select pg_promote()');
  const { at, backup } = cluster;
  const follow = (shutdown = fence.shutdown) =>
    way.followHome({ at, left: from, primary: home, backup, slot: SLOT, fence: { ...fence, shutdown } });
  await expect(follow({ ...fence.shutdown, checkpointLsn: '0/1000028' })).rejects.toMatchObject({
    code: 'HistoryDiverged',
  });
  expect(await follow()).toMatchObject({ site: from.site, timeline: 2 });
  expect((await follow()).lagBytes).toBeGreaterThanOrEqual(0);
  await ask(home, note(400));
  await eventually(async () =>
    expect(await ask(from, 'select id from ledger.notes where id in (306, 400) order by 1')).toEqual([
      { id: 306 },
      { id: 400 },
    ]),
  );
  expect(await ask(from, 'select slot_name from pg_replication_slots')).toEqual([]);
}, 60_000);

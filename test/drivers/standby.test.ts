/** A streaming standby: built, looked at, brought to the end of all there is, verified, and let go again. Tests follow one another. */
import { mkdir, open, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { DatabaseAt, StandbyCaughtUp, StandbyState } from '../../activities/contract.js';
import { outageActivities } from '../../activities/outage/index.js';
import { serviceOf } from '../../activities/service/index.js';
import { standbyActivities } from '../../activities/standby/index.js';
import { acquireFencingToken, withVault } from '../../activities/vault/index.js';
import { startTestCluster, type TestCluster } from '../support/cluster.js';
import { flipped } from '../support/damage.js';
import { eventually } from '../support/eventually.js';
import { startVault, type TestVault } from './support/s3.js';

const { lookAtWays } = outageActivities();
const { buildStandby, catchUpStandby, checkStandby, followAgain, verifyStandby } = standbyActivities();
const SLOT = 'next';
const note = (id: number) => `insert into ledger.notes values (${id})`;

let cluster: TestCluster;
let vault: TestVault;
let primary: DatabaseAt;
let standby: DatabaseAt;
let token: number;

beforeAll(async () => {
  [cluster, vault] = await Promise.all([startTestCluster(), startVault()]);
  const { admin } = cluster.primary.postgres;
  const replication = { user: admin.user, password: admin.password };
  primary = { ...cluster.primary, postgres: { ...cluster.primary.postgres, replication } };
  standby = cluster.target;
  await cluster.as(primary, (client) => client.query('drop table ledger.spare'));
  await cluster.as(primary, (client) => client.query('drop tablespace spare'));
}, 60_000);
afterAll(async () => {
  await Promise.all([cluster?.close(), vault?.remove()]);
});

const ask = async (site: DatabaseAt, sql: string): Promise<Record<string, unknown>[]> =>
  cluster.as(site, async (client) => (await client.query(sql)).rows);
const build = () =>
  buildStandby({ at: cluster.at, primary, target: standby, backup: cluster.backup, slot: SLOT });
const look = () =>
  checkStandby({ at: cluster.at, standby, primary, backup: cluster.backup, dataClasses: {} });
/** Beside the standby: a backup that would be restored elsewhere. */
const ways = (more: object = {}) =>
  lookAtWays({
    ...{ at: cluster.at, standby, primary, from: { ...standby, site: 'elsewhere' } },
    ...{ backup: cluster.backup, dataClasses: {}, maxLagMs: 60_000 },
    ...more,
  });
const catchUp = (state: StandbyState, more: object = {}) =>
  catchUpStandby({
    ...{
      at: cluster.at,
      standby,
      backup: cluster.backup,
      state,
      vault: vault.bucket,
      token,
      dataClasses: {},
    },
    ...more,
  });
const verify = (caughtUp: StandbyCaughtUp) =>
  verifyStandby({ at: cluster.at, standby, backup: cluster.backup, caughtUp });

/** Ends the segment on the primary and waits until both repositories have it. */
async function archive(): Promise<void> {
  const [row] = await ask(primary, 'select pg_walfile_name(pg_switch_wal()) as name');
  await eventually(async () => {
    const [done] = await ask(primary, 'select last_archived_wal as name from pg_stat_archiver');
    expect(String(done?.name) >= String(row?.name)).toBe(true);
  });
}

/** The standby hears nothing of the primary any more, and replays nothing. */
async function deafen(): Promise<void> {
  await ask(standby, "alter system set primary_conninfo = 'host=127.0.0.1 port=1'");
  await ask(standby, 'select pg_reload_conf()');
  await eventually(async () => expect(await ask(standby, 'select from pg_stat_wal_receiver')).toEqual([]));
  await ask(standby, 'select pg_wal_replay_pause()');
}

test('a directory that nobody of the run has made is not taken for a standby', async () => {
  const { dataDirectory } = standby.postgres.service;
  await mkdir(dataDirectory, { recursive: true });
  await writeFile(join(dataDirectory, 'somebody'), 'else');
  await expect(build()).rejects.toMatchObject({ code: 'TargetNotEmpty' });
  await rm(dataDirectory, { recursive: true });
});

test('is built with a slot of its own and follows; built again, it is found', async () => {
  const first = await build();
  expect(first).toMatchObject({ site: standby.site, slot: SLOT, timeline: 1 });
  const pid = await serviceOf(standby.postgres).pid();
  expect((await build()).slot).toBe(SLOT);
  expect(await serviceOf(standby.postgres).pid()).toBe(pid);
  expect(await ask(standby, 'select status, slot_name from pg_stat_wal_receiver')).toEqual([
    { status: 'streaming', slot_name: SLOT },
  ]);
}, 60_000);

test('says where it stands, and that the primary answers; a primary is no standby', async () => {
  await ask(primary, note(100));
  await eventually(async () => expect((await look()).lagBytes).toBe(0));
  expect(await look()).toMatchObject({ timeline: 1, receiver: 'streaming', primaryAnswers: true });
  await expect(
    checkStandby({ at: cluster.at, standby: primary, primary, backup: cluster.backup, dataClasses: {} }),
  ).rejects.toMatchObject({
    code: 'StandbyUnusable',
    message: expect.stringContaining('takes writes already'),
  });
}, 30_000);

test('takes over in an outage where it is fit; else a backup does; where neither can, it is said', async () => {
  await ask(primary, note(101));
  await archive();
  await eventually(async () => expect((await look()).lagBytes).toBe(0));
  const open = await ways();
  expect(open).toMatchObject({
    proposed: standby.site,
    standby: { unfit: [] },
    restore: { site: 'elsewhere' },
  });
  expect(open.restore.point).toMatchObject({ systemIdentifier: open.systemIdentifier, timeline: 1 });

  const taken = await ways({ standby: primary });
  expect(taken).toMatchObject({ proposed: 'elsewhere', standby: { state: null }, timeline: 1 });
  expect(taken.standby.unfit).toEqual([expect.stringContaining('takes writes already')]);
  expect(taken.summary).toMatch(/^a backup is restored at elsewhere: the standby at .* is not fit/);

  const none = { ...cluster.backup, stanza: 'nobody' };
  const alone = await ways({ backup: none });
  expect(alone).toMatchObject({ proposed: standby.site, restore: { point: null } });
  await expect(ways({ standby: primary, backup: none })).rejects.toMatchObject({ code: 'NoWayOpen' });
}, 60_000);

test('is left alone without the fence', async () => {
  const state = await look();
  token = 1;
  await expect(catchUp(state)).rejects.toMatchObject({ code: 'FenceSuperseded' });
  expect(await ask(standby, 'select status from pg_stat_wal_receiver')).toEqual([{ status: 'streaming' }]);
  const { systemIdentifier, timeline } = state;
  token = await withVault(vault.bucket, new AbortController().signal, (opened) =>
    acquireFencingToken(opened, { ...cluster.at, systemIdentifier, timeline }),
  );
}, 30_000);

test('what only the archive has is replayed, then nothing moves it any more', async () => {
  await deafen();
  await ask(primary, note(200));
  await archive();
  const state = await look();
  expect(state).toMatchObject({ knownFrom: 'primary', receiver: 'none' });
  expect(state.lagBytes).toBeGreaterThan(0);
  const late = await ways({ maxLagMs: 1 });
  expect(late.proposed).toBe('elsewhere');
  expect(late.standby.state).not.toBeNull();
  expect(late.standby.unfit).toEqual([expect.stringContaining('backups lead')]);

  const caughtUp = await catchUp(state);
  expect(caughtUp.replayedBytes).toBeGreaterThan(0);
  expect(await ask(standby, 'select id from ledger.notes where id = 200')).toEqual([{ id: 200 }]);
  expect((await verify(caughtUp)).checks.map(({ rung, passed }) => [rung, passed])).toEqual([
    [1, true],
    [2, true],
    [3, true],
    [4, true],
  ]);

  // The old primary lives: nothing of what it still writes gets in, and that it writes is found.
  await ask(primary, note(201));
  await archive();
  await ask(primary, note(202));
  await archive();
  expect(await ask(standby, 'select pg_last_wal_replay_lsn()::text as lsn')).toEqual([{ lsn: caughtUp.lsn }]);
  await expect(verify(caughtUp)).rejects.toMatchObject({
    code: 'VerificationFailed',
    message: expect.stringContaining('the archive goes up to'),
  });
}, 60_000);

test('brought to the end once more, it has all that came since', async () => {
  const again = await catchUp(await look());
  expect(await ask(standby, 'select id from ledger.notes where id > 200 order by 1')).toEqual([
    { id: 201 },
    { id: 202 },
  ]);
  expect((await verify(again)).checks).toHaveLength(4);
}, 60_000);

test('it waits where no repository answers: what is archived is not lost by haste', async () => {
  const dead = await cluster.deadFirstRepository();
  const one = { ...cluster.backup, repositories: cluster.backup.repositories.slice(0, 1) };
  const deaf = { ...standby, postgres: { ...standby.postgres, backupConfig: dead } };
  await expect(catchUp(await look(), { standby: deaf, backup: one })).rejects.toMatchObject({
    code: 'ArchiveUnreachable',
  });
}, 60_000);

test('called off, it follows its primary again', async () => {
  await ask(standby, 'alter system reset primary_conninfo');
  const [written] = await ask(primary, 'select 1 as one');
  expect(written).toEqual({ one: 1 });
  const file = join(standby.postgres.service.dataDirectory, 'postgresql.auto.conf');
  const text = await readFile(file, 'utf8');
  expect(text).toContain("restore_command = 'case");
  await followAgain({ at: cluster.at, standby, vault: vault.bucket });
  expect(await ask(standby, 'select pg_get_wal_replay_pause_state() as state')).toEqual([
    { state: 'not paused' },
  ]);
}, 30_000);

test('a standby of another system, or on another timeline, is not taken for this one', async () => {
  const caughtUp = await catchUp(await look());
  await expect(verify({ ...caughtUp, systemIdentifier: '7000000000000000001' })).rejects.toMatchObject({
    code: 'VerificationFailed',
    message: expect.stringMatching(/^Rung 2, .*instead of 7000000000000000001/),
  });
  await expect(verify({ ...caughtUp, timeline: 2 })).rejects.toMatchObject({
    code: 'VerificationFailed',
    message: expect.stringMatching(/timeline 1 instead of 2/),
  });
}, 60_000);

test('a damaged page is found before anybody is asked to promote, also one that pg_basebackup leaves out', async () => {
  const caughtUp = await catchUp(await look());
  const [row] = await ask(standby, "select pg_relation_filepath('ledger.holders') as path");
  const path = join(standby.postgres.service.dataDirectory, String(row?.path));
  // The highest bit of its position: it looks as if it were being changed.
  await flipped([{ file: path, bit: 31 }], async () => {
    await expect(verify(caughtUp)).rejects.toMatchObject({
      code: 'VerificationFailed',
      message: expect.stringMatching(/^Rung 3, .*block 0: bad checksum/),
    });
  });
  const file = await open(path, 'r+');
  await file.write(Buffer.from('damage'), 0, 6, 8000);
  await file.close();
  await expect(verify(caughtUp)).rejects.toMatchObject({
    code: 'VerificationFailed',
    message: expect.stringContaining('Rung 3'),
  });
}, 60_000);

import { readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { MockActivityEnvironment } from '@temporalio/testing';
import { levelFor } from '../../activities/backup/archive.js';
import { backupActivities } from '../../activities/backup/index.js';
import { provisionActivities } from '../../activities/provision/index.js';
import { restoreArchive } from '../../activities/restore/archive.js';
import { restoreActivities } from '../../activities/restore/index.js';
import { serviceOf } from '../../activities/service/index.js';
import type { Progress } from '../../src/model/run.js';
import type { ArchiveBackup } from '../../src/runbook/schema.js';
import { stepOf } from '../drivers/support/steps.js';
import { eventually } from '../support/eventually.js';
import { type ArchiveWorld, makeArchiveWorld, makeTarget, type Target } from './support.js';

const LABEL = '20261121T030000Z-full';
let world: ArchiveWorld;
let target: Target;

beforeAll(async () => {
  world = await makeArchiveWorld();
  target = await makeTarget(world.source);
});
afterAll(async () => {
  await target?.cluster.remove();
  await world?.remove();
});

const { takeArchive } = backupActivities();
const take = (backup: ArchiveBackup, label?: string) =>
  takeArchive({
    at: stepOf('dump'),
    source: world.source.at,
    backup,
    ...(label === undefined ? {} : { label }),
  });

function folderCopy(): Extract<ArchiveBackup['copies'][number], { driver: 'folder' }> {
  const copy = world.backup.copies.find(({ driver }) => driver === 'folder');
  if (copy?.driver !== 'folder') throw new TypeError('one copy is a folder');
  return copy;
}

const destroy = () =>
  provisionActivities({ promotionOf: async () => undefined }).destroyTarget({
    at: target.at,
    target: target.cluster.at,
    vault: world.vault.bucket,
  });

it('dumps and restores on trial what an owner wants tried, and leaves no trial behind', async () => {
  const taken = await take({ ...world.backup, check: 'restore' }, LABEL);
  expect(taken.check).toMatch(/restored into a database of its own in .*: \d+ tables as they were dumped/);
  const databases = await world.source.admin((client) =>
    client.query('select from pg_database where datname like $1', ['muster_trial%']),
  );
  expect(databases.rowCount).toBe(0);
  expect(await readdir(world.source.folder)).not.toContain('data.archive');
});

it('repeats without effect, and only fills the copy that is missing', async () => {
  const copy = folderCopy();
  const archive = join(copy.path, 'payymo', LABEL);
  await rm(archive, { recursive: true });
  const again = await take(world.backup, LABEL);
  expect(again.copies).toHaveLength(2);
  const { copies } = await restoreActivities().listArchives({ at: stepOf('list'), backup: world.backup });
  expect(copies.map(({ archives }) => archives.find(({ label }) => label === LABEL)?.snapshotAt)).toEqual([
    again.snapshot.at,
    again.snapshot.at,
  ]);
});

// Below a file no folder can be made.
it('keeps an archive in the copies that can be written to, and says which one cannot', async () => {
  const lost = {
    driver: 'folder',
    title: 'the lost volume',
    failureDomain: 'x',
    path: join(world.source.folder, 'admin', 'kept'),
  } as const;
  const label = '20261122T030000Z-full';
  const failing = take({ ...world.backup, copies: [lost, folderCopy()] }, label);
  await expect(failing).rejects.toMatchObject({
    code: 'ArchiveCopyFailed',
    message: expect.stringContaining('not in the lost volume'),
  });
  const { copies } = await restoreActivities().listArchives({
    at: stepOf('list'),
    backup: { ...world.backup, copies: [lost, folderCopy()] },
  });
  expect(copies[0]?.unreadable).toContain('cannot be listed');
  expect(copies[1]?.archives[0]).toMatchObject({ label, unusable: null });
});

it('refuses an archive beyond the size that the owner allows, and does not list it as one', async () => {
  const label = '20261123T030000Z-full';
  const backup = { ...world.backup, copies: [folderCopy()], largestBytes: 10_000 };
  await expect(take(backup, label)).rejects.toMatchObject({ code: 'ArchiveTooLarge' });
  const { copies } = await restoreActivities().listArchives({ at: stepOf('list'), backup });
  const listed = copies[0]?.archives.find((one) => one.label === label);
  expect(listed?.unusable ?? 'manifest.json is missing').toContain('is missing');
});

it('restores the chosen tables alone, with everything defined', async () => {
  await target.restore(world.backup, { label: LABEL, tables: ['books.account'] });
  const counted = await target.cluster.admin((client) =>
    client.query<{
      x: string;
    }>(`select (select count(*) from books.account) || ' ' || (select count(*) from books.entry) || ' ' ||
      (select count(*) from pg_trigger where tgname = 'append_only') as x`),
  );
  expect(counted.rows[0]?.x).toBe('50 0 1');
  await expect(
    target.restore(world.backup, { label: LABEL, tables: ['books.nothing'] }),
  ).rejects.toMatchObject({
    code: 'TableNotArchived',
  });
});

it('shows its progress in bytes, goes away when it is cancelled, and begins anew', async () => {
  await destroy();
  const provisioned = await provisionActivities().provisionForArchive({
    at: target.at,
    target: target.cluster.at,
    databaseBytes: 1,
  });
  const env = new MockActivityEnvironment();
  const seen: Progress[] = [];
  env.on('heartbeat', (progress: Progress) => {
    seen.push(progress);
  });
  const running = env.run(restoreActivities().restoreArchive, {
    at: target.at,
    target: target.cluster.at,
    provisioned,
    backup: world.backup,
    label: LABEL,
  });
  running.catch(() => undefined);
  await eventually(async () => {
    if ((await serviceOf(target.cluster.at.postgres).pid()) === undefined) throw new Error('not yet');
  });
  env.cancel();
  await expect(running).rejects.toThrow();
  await eventually(async () => {
    if ((await serviceOf(target.cluster.at.postgres).pid()) !== undefined) throw new Error('still there');
  });
  expect(seen[0]).toMatchObject({ unit: 'bytes' });

  const restored = await target.restore(world.backup, { label: LABEL });
  const again = await target.restore(world.backup, { label: LABEL });
  expect(again).toMatchObject({ systemIdentifier: restored.systemIdentifier, loadMs: restored.loadMs });
  const destroyed = await destroy();
  expect(destroyed.summary).toContain('stopped and removed');
});

it('begins with the largest table, whatever its place in the dump', async () => {
  const { at, cluster } = target;
  const provisioned = await provisionActivities().provisionForArchive({
    at,
    target: cluster.at,
    databaseBytes: 1,
  });
  const begun = new Set<string>();
  const input = { at, target: cluster.at, provisioned, backup: world.backup, label: LABEL };
  await restoreArchive(input, ({ text }) => begun.add(text));
  expect([...begun].filter((text) => text.startsWith('restoring books.'))[0]).toBe('restoring books.entry');
});

it('takes definitions alone, or rows alone', async () => {
  const schema = await take({ ...world.backup, content: 'schema' });
  expect(schema.label).toMatch(/-schema$/);
  await target.restore(world.backup, { label: schema.label });
  const counted = await target.cluster.admin((client) =>
    client.query<{ n: string }>('select count(*) as n from books.entry'),
  );
  expect(counted.rows[0]?.n).toBe('0');
  const data = await take({ ...world.backup, content: 'data' });
  expect(data.label).toMatch(/-data$/);
  await expect(take({ ...world.backup, content: 'data' }, LABEL)).rejects.toMatchObject({ code: 'BadLabel' });
});

it('compresses small databases harder', () => {
  expect([99e6, 100e6, 999e6, 1000e6].map(levelFor)).toEqual([9, 6, 6, 3]);
});

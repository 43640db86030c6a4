import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { backupActivities } from '../../activities/backup/index.js';
import type { ProvisionedTarget, RecoveryPoint } from '../../activities/contract.js';
import { provisionActivities } from '../../activities/provision/index.js';
import { restoreActivities } from '../../activities/restore/index.js';
import { serviceOf } from '../../activities/service/index.js';
import { startTestCluster, type TestCluster } from '../support/cluster.js';

const { restoreDatabase } = restoreActivities();
const { protectAgain, takeBackup, inspectBackup } = backupActivities();
const { provisionTarget, destroyTarget } = provisionActivities({ promotionOf: async () => undefined });

let cluster: TestCluster;
let point: RecoveryPoint;
let provisioned: ProvisionedTarget;

beforeAll(async () => {
  cluster = await startTestCluster();
  await serviceOf(cluster.primary.postgres).stop('fast');
  const { at, target, backup } = cluster;
  point = cluster.point(cluster.marks.twoHundred);
  provisioned = await provisionTarget({ at, target, point });
  await restoreDatabase({ at, target, provisioned, backup, point });
});
afterAll(() => cluster?.close());

// The tests follow one copy through its promotion, in this order.

test('a copy that was not promoted is not backed up, and sends no WAL to the archive', async () => {
  const { at, target, backup } = cluster;
  await expect(protectAgain({ at, target, backup })).rejects.toMatchObject({ code: 'NotPromoted' });
  const timelines = await readdir(join(cluster.folder, 'repo1', 'archive', 'main', '15-1'));
  expect(timelines.filter((name) => name.startsWith('00000002'))).toEqual([]);
});

test('after the promotion every repository gets a full backup on the new timeline; repeated, it is accepted', async () => {
  const { at, target, backup } = cluster;
  await cluster.as(target, (client) => client.query('select pg_promote(true, 30)'));
  const first = await protectAgain({ at, target, backup });
  const again = await protectAgain({ at, target, backup });

  expect(first.labels.map((one) => one.repository)).toEqual([1, 2]);
  expect(again.labels).toEqual(first.labels);
  for (const { repository, label, bytes } of first.labels) {
    expect(label).not.toBe(cluster.labels[repository]);
    expect(bytes).toBeGreaterThan(0);
    const kept = await readdir(join(cluster.folder, `repo${repository}`, 'backup', 'main'));
    expect(kept).toEqual(expect.arrayContaining([label, cluster.labels[repository]]));
  }
  expect(
    await cluster.as(target, async (client) => (await client.query('show archive_mode')).rows[0]),
  ).toEqual({
    archive_mode: 'on',
  });
});

test('an increment goes into every repository and is whole there; one that is not there is told', async () => {
  const { at, target: source, backup } = cluster;
  await cluster.as(source, (client) => client.query('select pg_switch_wal()'));
  const taken = await takeBackup({ at, source, backup, type: 'incr' });
  expect(taken).toMatchObject({ failures: [], labels: [{ repository: 1 }, { repository: 2 }] });
  const labels = taken.labels.map(({ label }) => label);
  expect(labels).toEqual([expect.stringMatching(/I$/), expect.stringMatching(/I$/)]);
  const seen = await inspectBackup({ at, source, backup, labels: [labels[0] ?? '', '20200101-000000F'] });
  expect(seen.places.map(({ sound }) => sound)).toEqual([true, false]);
  expect(seen.places[0]?.says).toMatch(/\(incr\), .*; (\d+) of \1 files as their checksums say/);
  expect(seen.findings).toMatchObject([
    { severity: 'critical', what: expect.stringContaining('20200101-000000F in') },
  ]);
});

test('a promoted copy is neither restored over nor destroyed, even where the vault knows nothing', async () => {
  const { at, target, backup } = cluster;
  const earlier = cluster.point(cluster.marks.hundred);
  await expect(restoreDatabase({ at, target, provisioned, backup, point: earlier })).rejects.toMatchObject({
    code: 'CopyPromoted',
  });
  await expect(destroyTarget({ at, target, vault: {} as never })).rejects.toMatchObject({
    code: 'TargetPromoted',
  });
  await serviceOf(target.postgres).stop('fast');
  await expect(destroyTarget({ at, target, vault: {} as never })).rejects.toMatchObject({
    code: 'TargetPromoted',
  });
  expect(await readdir(target.postgres.service.dataDirectory)).toContain('PG_VERSION');
});

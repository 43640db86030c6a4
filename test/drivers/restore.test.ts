import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmod, mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { MockActivityEnvironment } from '@temporalio/testing';
import type { ProvisionedTarget, RecoveryPoint, StepRef } from '../../activities/contract.js';
import { findRestores } from '../../activities/pgbackrest/leftovers.js';
import { pointActivities } from '../../activities/point/index.js';
import { provisionActivities } from '../../activities/provision/index.js';
import { leaseFileOf, tablespaceDirectoryOf } from '../../activities/provision/lease.js';
import { restoreActivities } from '../../activities/restore/index.js';
import { serviceOf } from '../../activities/service/index.js';
import { verifyPoint } from '../../activities/verify/point.js';
import { accountIds } from '../../src/process.js';
import { flipByte, startTestCluster, type TestCluster, until } from '../support/cluster.js';
import { frozenAtControlData } from './support/frozen.js';

const { restoreDatabase } = restoreActivities();
const { proposeNewest } = pointActivities();
const { provisionTarget, destroyTarget } = provisionActivities({ promotionOf: async () => undefined });

let cluster: TestCluster;

beforeAll(async () => {
  cluster = await startTestCluster();
  await serviceOf(cluster.primary.postgres).stop('fast');
});
afterAll(() => cluster?.close());
afterEach(async () => {
  await destroyTarget({ at: cluster.at, target: cluster.target, vault: {} as never });
});

async function provisioned(point: RecoveryPoint, at: StepRef = cluster.at): Promise<ProvisionedTarget> {
  return provisionTarget({ at, target: cluster.target, point });
}

async function entries(): Promise<{ count: string; sum: string | null }> {
  return cluster.as(cluster.target, async (client) => {
    const { rows } = await client.query('select count(*), sum(amount) from ledger.entries');
    return rows[0];
  });
}

async function restoreTo(point: RecoveryPoint, config?: string) {
  const target = config === undefined ? cluster.target : cluster.withConfig(config);
  return restoreDatabase({
    at: cluster.at,
    target,
    provisioned: await provisioned(point),
    backup: cluster.backup,
    point,
  });
}

test('restores to the point and pauses there, read-only, on its own port', async () => {
  const point = cluster.point(cluster.marks.hundred);
  const result = await restoreTo(point);

  expect(await entries()).toEqual({ count: '100', sum: '5050' });
  expect(result).toMatchObject({ repository: 1, backupLabel: cluster.labels[1], delta: false });
  expect(result.lsn).toMatch(/^[0-9A-F]+\/[0-9A-F]+$/);
  expect(result.lastCommitAt && result.lastCommitAt < point.time).toBe(true);
});

test('restores all that was archived of a primary that is gone, through its last commit', async () => {
  const { at, target, backup } = cluster;
  const point = await proposeNewest({ at, from: target, backup, dataClasses: {} });
  const restored = await restoreTo(point);
  const { rows } = await cluster.as(target, (client) =>
    client.query('select max(id) as newest from ledger.notes'),
  );
  expect(rows).toEqual([{ newest: 2 }]);
  expect(restored.lastCommitAt).toBe(point.through?.at);
  const { checks } = await verifyPoint({ at, target, point, restored });
  expect(checks).toMatchObject([
    { rung: 4, passed: true, detail: expect.stringContaining(point.through?.at ?? '') },
  ]);

  const short = { ...point, through: { lsn: point.through?.lsn ?? '', at: '2026-01-01T00:00:00.000000Z' } };
  await expect(verifyPoint({ at, target, point: short, restored })).rejects.toMatchObject({
    code: 'VerificationFailed',
    message: expect.stringContaining('not that commit alone'),
  });
});

test("keeps the original's tablespaces and archive out of reach", async () => {
  const point = cluster.point(cluster.marks.hundred);
  const drill = { ...cluster.at, mode: 'drill' as const };
  await restoreDatabase({
    at: drill,
    target: cluster.target,
    provisioned: await provisioned(point),
    backup: cluster.backup,
    point,
  });
  const found = await cluster.as(cluster.target, async (client) => {
    const { rows } = await client.query(`
      select pg_tablespace_location(oid) as location, current_setting('archive_mode') as archiving,
        (select count(*)::int from ledger.spare) as spare
      from pg_tablespace where spcname = 'spare'`);
    return rows[0];
  });

  expect(found).toEqual({
    location: expect.stringContaining(`${cluster.target.postgres.service.dataDirectory}.tablespaces/`),
    archiving: 'off',
    spare: 10,
  });
});

test('moves to a later and to an earlier point without copying everything again', async () => {
  await restoreTo(cluster.point(cluster.marks.hundred));
  const later = await restoreTo(cluster.point(cluster.marks.twoHundred));
  expect(await entries()).toEqual({ count: '200', sum: '20100' });
  const earlier = await restoreTo(cluster.point(cluster.marks.hundred));
  expect(await entries()).toEqual({ count: '100', sum: '5050' });

  expect(later).toMatchObject({ delta: true, restoredBytes: 0 });
  expect(earlier.delta).toBe(true);
  expect(earlier.restoredBytes).toBeLessThan(cluster.point(cluster.marks.hundred).backup.databaseBytes / 4);
});

test('repeated, it finds the copy paused at the point and leaves it running', async () => {
  const point = cluster.point(cluster.marks.twoHundred);
  const first = await restoreTo(point);
  const pid = await serviceOf(cluster.target.postgres).pid();
  const second = await restoreTo(point);

  expect(await serviceOf(cluster.target.postgres).pid()).toBe(pid);
  expect(second).toMatchObject({ lsn: first.lsn, backupLabel: first.backupLabel, filesMs: first.filesMs });
});

test('cancelled in the middle it leaves nothing running, and repeated it finishes', async () => {
  const point = cluster.point(cluster.marks.hundred);
  const { dataDirectory } = cluster.target.postgres.service;
  const env = new MockActivityEnvironment();
  const input = {
    at: cluster.at,
    target: cluster.target,
    provisioned: await provisioned(point),
    backup: cluster.backup,
    point,
  };
  const restoring = env.run(restoreDatabase, input);
  await until('files are being restored', async () =>
    (await readdir(dataDirectory)).includes('backup.manifest'),
  );
  env.cancel();
  await expect(restoring).rejects.toMatchObject({ name: 'CancelledFailure' });
  expect(await findRestores(dataDirectory)).toEqual([]);
  // pg_control comes last: without it nothing could be started from here.
  expect(await readdir(join(dataDirectory, 'global'))).not.toContain('pg_control');
  expect(await serviceOf(cluster.target.postgres).pid()).toBeUndefined();

  const result = await restoreDatabase(input);
  expect(result.delta).toBe(true);
  expect(await entries()).toEqual({ count: '100', sum: '5050' });
});

test('an attempt that was frozen leaves the copy alone that a later one made and that was promoted since', async () => {
  const later = cluster.point(cluster.marks.twoHundred);
  await restoreTo(cluster.point(cluster.marks.hundred));
  await serviceOf(cluster.target.postgres).stop('fast');
  const folder = await mkdtemp(join(tmpdir(), 'muster-frozen-'));
  try {
    await chmod(folder, 0o755);
    const frozen = await frozenAtControlData(cluster.target, folder, 1);
    // A drill archives nothing, so that the new timeline stays here.
    const input = {
      at: { ...cluster.at, mode: 'drill' as const },
      provisioned: await provisioned(later),
      backup: cluster.backup,
      point: later,
    };
    const attempt = restoreDatabase({ ...input, target: frozen.at });
    attempt.catch(() => undefined);
    await frozen.stands();
    await restoreDatabase({ ...input, target: cluster.target });
    const pid = await serviceOf(cluster.target.postgres).pid();
    await cluster.as(cluster.target, (client) => client.query('select pg_promote()'));
    await frozen.wake();
    await expect(attempt).rejects.toMatchObject({ code: 'AttemptOvertaken' });
    expect(await serviceOf(cluster.target.postgres).pid()).toBe(pid);
    expect(await entries()).toEqual({ count: '200', sum: '20100' });
  } finally {
    await rm(folder, { recursive: true, force: true });
    // What has left recovery is not removed by the run.
    await serviceOf(cluster.target.postgres).stop('immediate');
    const { dataDirectory } = cluster.target.postgres.service;
    for (const made of [dataDirectory, tablespaceDirectoryOf(dataDirectory), leaseFileOf(dataDirectory)]) {
      await rm(made, { recursive: true, force: true });
    }
  }
});

test('helpers of a restore that was killed are ended before anything is written again', async () => {
  const point = cluster.point(cluster.marks.hundred);
  const { dataDirectory, account } = cluster.target.postgres.service;
  const input = {
    at: cluster.at,
    target: cluster.target,
    provisioned: await provisioned(point),
    backup: cluster.backup,
    point,
  };
  const { uid, gid } = accountIds(account);
  const killed = spawn(
    'pgbackrest',
    [
      ...[`--config=${cluster.target.postgres.backupConfig}`, '--stanza=main', '--repo=1', '--process-max=2'],
      ...[`--pg1-path=${dataDirectory}`, `--set=${cluster.labels[1]}`],
      ...[`--tablespace-map-all=${dataDirectory}.tablespaces`, 'restore'],
    ],
    { stdio: 'ignore', ...(process.getuid?.() === 0 ? { uid, gid } : {}) },
  );
  await until('its helpers are at work', async () => (await findRestores(dataDirectory)).length > 1);
  // They would be done with so little before anybody looks again.
  for (const pid of await findRestores(dataDirectory)) process.kill(pid, 'SIGSTOP');
  killed.kill('SIGKILL');
  await once(killed, 'exit');
  expect((await findRestores(dataDirectory)).length).toBeGreaterThan(0);

  await restoreDatabase(input);
  expect(await findRestores(dataDirectory)).toEqual([]);
  expect(await entries()).toEqual({ count: '100', sum: '5050' });
});

test('takes the other repository when a file of the backup is damaged, and says so', async () => {
  const { config, folder } = await cluster.copyRepositories('damaged-file');
  await flipByte(
    await largestFile(join(folder, 'repo1', 'backup', 'main', cluster.labels[1] ?? '')),
    500_000,
  );
  const result = await restoreTo(cluster.point(cluster.marks.hundred), config);

  expect(result).toMatchObject({ repository: 2, backupLabel: cluster.labels[2] });
  expect(result.summary).toMatch(
    /Passed over: Restoring \S+F from repository 1 \(west\) failed \(pgBackRest \d+, (checksum|format|decryption)\)/,
  );
  expect(await entries()).toEqual({ count: '100', sum: '5050' });
});

test('goes round a repository that does not answer, for files and for WAL', async () => {
  const result = await restoreTo(cluster.point(cluster.marks.hundred), await cluster.deadFirstRepository());

  expect(result).toMatchObject({ repository: 2, backupLabel: cluster.labels[2] });
  expect(result.summary).toMatch(/Passed over: Asking repository 1 failed \(pgBackRest 49/);
  expect(await entries()).toEqual({ count: '100', sum: '5050' });
  // A dead repository would be asked for minutes, segment by segment.
  expect(result.replayMs).toBeLessThan(20_000);
});

test('is worth another try when no repository answers', async () => {
  const point = cluster.point(cluster.marks.hundred, [1]);
  await expect(restoreTo(point, await cluster.deadFirstRepository())).rejects.toMatchObject({
    name: 'TransientError',
    code: 'RepositoryUnreachable',
  });
});

test('names the file and the repository when no other repository can be used', async () => {
  const { config, folder } = await cluster.copyRepositories('damaged-only');
  await flipByte(
    await largestFile(join(folder, 'repo1', 'backup', 'main', cluster.labels[1] ?? '')),
    500_000,
  );

  await expect(restoreTo(cluster.point(cluster.marks.hundred, [1]), config)).rejects.toMatchObject({
    name: 'PermanentError',
    code: 'BackupDamaged',
    message: expect.stringMatching(/repository 1 \(west\).*\/base\/\d+\/\d+/),
  });
});

test('names the WAL segment that is missing from every repository', async () => {
  const { config, folder } = await cluster.copyRepositories('missing-wal');
  const point = cluster.point(cluster.marks.twoHundred);
  for (const repository of ['repo1', 'repo2']) {
    const archive = join(folder, repository, 'archive', 'main', '15-1', point.walEnd.slice(0, 16));
    for (const name of await readdir(archive)) {
      if (name.startsWith(point.walEnd)) await rm(join(archive, name));
    }
  }

  await expect(restoreTo(point, config)).rejects.toMatchObject({
    name: 'PermanentError',
    code: 'WalMissing',
    message: expect.stringContaining(`WAL segment ${point.walEnd}`),
  });
});

test('reads WAL that one repository has damaged from the other', async () => {
  const { config, folder } = await cluster.copyRepositories('damaged-wal');
  const point = cluster.point(cluster.marks.twoHundred);
  const archive = join(folder, 'repo1', 'archive', 'main', '15-1', point.walEnd.slice(0, 16));
  const name = (await readdir(archive)).find((one) => one.startsWith(point.walEnd)) ?? '';
  await flipByte(join(archive, name), 300);

  await restoreTo(point, config);
  expect(await entries()).toEqual({ count: '200', sum: '20100' });
});

test('a wrong passphrase is called that, and nothing is restored', async () => {
  const { config } = await cluster.copyRepositories('wrong-key');
  await writeFile(config, (await readFile(config, 'utf8')).replaceAll('test-passphrase', 'another'));

  await expect(restoreTo(cluster.point(cluster.marks.hundred), config)).rejects.toMatchObject({
    code: 'WrongRepositoryKey',
    why: expect.stringContaining('passphrase'),
  });
});

test('a point after the last commit of the archive is refused, with the last commit', async () => {
  const point = { ...cluster.point(cluster.marks.rewritten), time: '2099-01-01T00:00:00.000000Z' };
  await expect(restoreTo(point)).rejects.toMatchObject({
    code: 'PointNotReached',
    next: expect.stringMatching(/at or before \d{4}-/),
  });
});

async function largestFile(folder: string): Promise<string> {
  let best = { file: '', size: -1 };
  for (const name of (await readdir(folder, { recursive: true })) as string[]) {
    const file = join(folder, name);
    const found = await stat(file);
    if (found.isFile() && found.size > best.size) best = { file, size: found.size };
  }
  return best.file;
}

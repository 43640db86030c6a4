import { createHash } from 'node:crypto';
import { chmod, mkdir, readdir, readFile, rename, rm, stat, symlink } from 'node:fs/promises';
import { join } from 'node:path';
import { preserveActivities } from '../../activities/preserve/index.js';
import { serviceOf } from '../../activities/service/index.js';
import {
  acquireFencingToken,
  releaseFencingToken,
  takePromotionToken,
  withVault,
} from '../../activities/vault/index.js';
import { frozenAtControlData } from './support/frozen.js';
import { generationOf, makeCluster, type TestCluster } from './support/postgres.js';
import { startVault, type TestVault } from './support/s3.js';
import { stepOf } from './support/steps.js';

const { preserveDamaged, returnFromQuarantine } = preserveActivities();
const never = new AbortController().signal;
let vault: TestVault;
let systems = 0;
/** Stopped: what each test's cluster is copied from. */
let template: TestCluster;
let generation: Awaited<ReturnType<typeof generationOf>>;
let cluster: TestCluster;
let order: Parameters<typeof preserveDamaged>[0];

beforeAll(async () => {
  [vault, template] = await Promise.all([startVault(), makeCluster()]);
  generation = await generationOf(template);
  await template.stop('fast');
});
afterAll(() => Promise.all([vault?.remove(), template?.remove()]));
beforeEach(async () => {
  cluster = await makeCluster({ copyOf: template });
  await cluster.start();
  const { systemIdentifier } = generation;
  const quarantineDirectory = join(cluster.folder, 'quarantine');
  systems += 1;
  const at = stepOf('run-1', `system-${systems}`);
  const token = await acquire('run-1', at.system);
  order = { at, damaged: cluster.at, quarantineDirectory, systemIdentifier, vault: vault.bucket, token };
});
afterEach(() => cluster?.remove());

function acquire(runId: string, system: string): Promise<number> {
  return withVault(vault.bucket, never, (open) =>
    acquireFencingToken(open, { system, runId, ...generation }),
  );
}

const exists = (path: string) =>
  stat(path).then(
    () => true,
    () => false,
  );
const dataDirectory = () => cluster.at.postgres.service.dataDirectory;
const payments = () =>
  cluster.admin(async (client) => Number((await client.query('select count(*) from payment')).rows[0].count));

test('the cluster is stopped cleanly, its last WAL archived, moved whole, and cannot be started', async () => {
  await cluster.admin((client) => client.query('insert into payment default values'));
  const tablespace = join(cluster.folder, 'elsewhere');
  await symlink(tablespace, join(dataDirectory(), 'pg_tblspc', '99999'));
  const written = await cluster.admin(
    async (client) =>
      (await client.query('select pg_walfile_name(pg_current_wal_lsn()) as segment')).rows[0].segment,
  );

  const kept = await preserveDamaged(order);

  expect(await readdir(cluster.archive)).toContain(written);
  expect(await exists(dataDirectory())).toBe(false);
  expect(kept.directory).toBe(join(order.quarantineDirectory, 'run-1', 'data'));
  const text = await readFile(kept.manifest);
  expect(createHash('sha256').update(text).digest('hex')).toBe(kept.sha256);
  const manifest = JSON.parse(text.toString());
  const control = await readFile(join(kept.directory, 'global', 'pg_control'));
  expect(manifest).toMatchObject({
    control: { systemIdentifier: order.systemIdentifier, state: 'shut down' },
    controlFileSha256: createHash('sha256').update(control).digest('hex'),
    bytes: kept.bytes,
    links: [{ path: 'pg_tblspc/99999', leadsTo: tablespace }],
  });
  for (const { path, bytes } of manifest.files) {
    expect((await stat(join(kept.directory, path))).size).toBe(bytes);
  }
  const { service } = cluster.at.postgres;
  const there = { ...cluster.at.postgres, service: { ...service, dataDirectory: kept.directory } };
  await expect(serviceOf(there).start('ready')).rejects.toMatchObject({ code: 'ServerStartFailed' });
});

test('an archive that does not answer holds a clean stop up for seconds only', async () => {
  await cluster.admin(async (client) => {
    await client.query('insert into payment default values');
    await client.query("alter system set archive_command = 'sleep 600'");
    await client.query('select pg_reload_conf()');
  });
  const begun = performance.now();
  const kept = await preserveDamaged(order);
  expect(performance.now() - begun).toBeLessThan(40_000);
  const { control } = JSON.parse(await readFile(kept.manifest, 'utf8'));
  expect(control.state).toBe('shut down');
});

test('repeated it says the same; returned, the cluster runs and holds what it held', async () => {
  await cluster.admin((client) => client.query('insert into payment default values'));
  const first = await preserveDamaged(order);
  expect(await preserveDamaged(order)).toEqual(first);
  await returnFromQuarantine(order);
  expect(await payments()).toBe(1);
  await returnFromQuarantine(order);
  expect(await payments()).toBe(1);
});

test('an attempt that died between moving and protecting is completed', async () => {
  const first = await preserveDamaged(order);
  await chmod(first.directory, 0o700);
  await preserveDamaged(order);
  expect((await stat(first.directory)).mode & 0o777).toBe(0o500);
});

test('a cluster other than the assessed one is not touched', async () => {
  await expect(preserveDamaged({ ...order, systemIdentifier: '1' })).rejects.toMatchObject({
    name: 'PermanentError',
    code: 'WrongCluster',
  });
  expect(await payments()).toBe(0);
});

test('a second cluster at the old place is not moved over the first, nor the first over it', async () => {
  const { directory } = await preserveDamaged(order);
  await mkdir(dataDirectory());
  await expect(preserveDamaged(order)).rejects.toMatchObject({ code: 'TwoClusters' });
  await expect(returnFromQuarantine(order)).rejects.toMatchObject({ code: 'TwoClusters' });
  expect(await exists(join(directory, 'global', 'pg_control'))).toBe(true);
});

test('a cluster that is nowhere is said to be missing', async () => {
  await serviceOf(cluster.at.postgres).stop('fast');
  await rename(dataDirectory(), join(cluster.folder, 'taken-away'));
  await expect(preserveDamaged(order)).rejects.toMatchObject({ code: 'ClusterMissing' });
});

test('with quarantine on another file system it is kept beside its old place, never copied', async () => {
  // Memory-backed, so always a file system of its own.
  const quarantineDirectory = `/dev/shm/muster-quarantine-${process.pid}`;
  try {
    const kept = await preserveDamaged({ ...order, quarantineDirectory });
    expect(kept.directory).toBe(`${dataDirectory()}.quarantine-run-1`);
    expect(await exists(join(kept.directory, 'global', 'pg_control'))).toBe(true);
    expect(kept.summary).toContain(kept.directory);
    await returnFromQuarantine({ ...order, quarantineDirectory });
    expect(await payments()).toBe(0);
  } finally {
    await rm(quarantineDirectory, { recursive: true, force: true });
  }
});

test('a run that is not in charge any more stops nothing', async () => {
  const { system } = order.at;
  await acquire('run-2', system);
  await expect(preserveDamaged(order)).rejects.toMatchObject({
    name: 'PermanentError',
    code: 'FenceSuperseded',
  });
  await withVault(vault.bucket, never, (open) => releaseFencingToken(open, { system, runId: 'run-2' }));
  // The primary is in use again.
  await expect(preserveDamaged(order)).rejects.toMatchObject({ code: 'FenceSuperseded' });
  expect(await payments()).toBe(0);
});

test.each([
  ['stop', 1],
  ['move', 2],
])(
  'an attempt that was frozen before its %s leaves the cluster alone once it was returned',
  async (_, call) => {
    const frozen = await frozenAtControlData(cluster.at, cluster.folder, call);
    const attempt = preserveDamaged({ ...order, damaged: frozen.at });
    attempt.catch(() => undefined);
    await frozen.stands();
    await returnFromQuarantine(order);
    await frozen.wake();
    await expect(attempt).rejects.toThrow();
    expect(await payments()).toBe(0);
  },
);

test('a cluster whose place was taken by a promoted copy is not started again', async () => {
  const { at, token } = order;
  await preserveDamaged(order);
  await withVault(vault.bucket, never, (open) =>
    takePromotionToken(open, {
      ...at,
      ...generation,
      fencingToken: token,
      site: 'recovery',
      replayLsn: '0/1',
      checksSha256: 'x',
    }),
  );
  await expect(returnFromQuarantine(order)).rejects.toMatchObject({
    name: 'PermanentError',
    code: 'PromotionHeld',
    message: expect.stringContaining('stays in quarantine'),
  });
  expect(await exists(dataDirectory())).toBe(false);
});

test('a cluster that was down when it was set aside is left down when it is returned', async () => {
  await cluster.stop('fast');
  await preserveDamaged(order);
  const { summary } = await returnFromQuarantine(order);
  expect(summary).toContain('this run has not stopped it');
  expect(await exists(join(dataDirectory(), 'global', 'pg_control'))).toBe(true);
  expect(await serviceOf(cluster.at.postgres).pid()).toBeUndefined();
});

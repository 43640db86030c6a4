import { chmod, chown, mkdir, mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:net';
import { tmpdir, userInfo } from 'node:os';
import { join } from 'node:path';
import type { DatabaseAt, RecoveryPoint, StepRef } from '../../activities/contract.js';
import { provisionActivities } from '../../activities/provision/index.js';
import {
  holdLease,
  markRestored,
  readLease,
  requireHeld,
  takeLease,
} from '../../activities/provision/lease.js';
import { accountIds } from '../../src/process.js';
import { backupConfigOf } from '../../src/runbook/backup-config.js';

let promotion: { promotedAt: string } | undefined;
const { provisionTarget, destroyTarget } = provisionActivities({ promotionOf: async () => promotion });
const vault = {} as never;
const at: StepRef = {
  runId: 'run-1',
  system: 'payymo',
  scenario: 'corruption',
  mode: 'real',
  step: 'provision',
};
const account = userInfo().uid === 0 ? 'postgres' : userInfo().username;

let folder: string;
let target: DatabaseAt;
let holder: Server;

beforeEach(async () => {
  promotion = undefined;
  folder = await mkdtemp(join(tmpdir(), 'muster-provision-'));
  await chmod(folder, 0o755);
  await writeFile(join(folder, 'pgbackrest.conf'), '[global]\n', { mode: 0o600 });
  const { uid, gid } = accountIds(account);
  if (userInfo().uid === 0) await chown(join(folder, 'pgbackrest.conf'), uid, gid);
  holder = createServer();
  await new Promise<void>((resolve) => holder.listen(0, '127.0.0.1', resolve));
  const address = holder.address();
  const port = typeof address === 'object' && address !== null ? address.port : 0;
  await new Promise((resolve) => holder.close(resolve));
  target = {
    site: 'recovery',
    postgres: {
      host: '127.0.0.1',
      port,
      database: 'ledger',
      admin: { user: 'muster', password: 'env:UNUSED' },
      application: { user: 'app', password: 'env:UNUSED' },
      service: {
        driver: 'pg-ctl',
        account,
        dataDirectory: join(folder, 'clusters', 'ledger'),
        socketDirectory: join(folder, 'run'),
        logFile: join(folder, 'log', 'ledger.log'),
      },
      backupConfig: join(folder, 'pgbackrest.conf'),
    },
  };
});
afterEach(() => rm(folder, { recursive: true, force: true }));

function point(databaseBytes = 1_000_000): RecoveryPoint {
  return {
    time: '2026-11-21T03:00:00.000000Z',
    asked: '2026-11-21T03:00:00.000000Z',
    systemIdentifier: '1',
    timeline: 1,
    backup: {
      label: '20261121-013000F',
      repository: 1,
      type: 'full',
      stoppedAt: '2026-11-21T01:30:00Z',
      databaseBytes,
      walStart: '000000010000000000000001',
    },
    usableRepositories: [1],
    walSegments: 3,
    walEnd: '000000010000000000000003',
    loses: {},
    summary: '',
  };
}

test('makes an empty directory that only its account can enter, and a lease beside it; twice is once', async () => {
  const first = await provisionTarget({ at, target, point: point() });
  const second = await provisionTarget({ at, target, point: point() });
  const { dataDirectory } = target.postgres.service;
  const found = await stat(dataDirectory);

  expect(found.mode & 0o777).toBe(0o700);
  expect(found.uid).toBe(accountIds(account).uid);
  expect(second.lease).toBe(first.lease);
  expect(JSON.parse(await readFile(`${dataDirectory}.lease.json`, 'utf8'))).toMatchObject({
    id: first.lease,
    runId: 'run-1',
    madeAt: expect.stringMatching(/Z$/),
  });
  expect(first.neededBytes).toBe(1_200_000 + 3 * 16 * 1024 * 1024);
});

test('a directory that holds anything is refused and left as it is', async () => {
  const { dataDirectory } = target.postgres.service;
  await mkdir(dataDirectory, { recursive: true });
  await writeFile(join(dataDirectory, 'PG_VERSION'), '15\n');

  await expect(provisionTarget({ at, target, point: point() })).rejects.toMatchObject({
    code: 'TargetNotEmpty',
  });
  expect(await destroyTarget({ at, target, vault })).toMatchObject({
    summary: expect.stringContaining('left it alone'),
  });
  expect(await readdir(dataDirectory)).toEqual(['PG_VERSION']);
});

test('what another run has taken is refused and left as it is', async () => {
  await provisionTarget({ at, target, point: point() });
  const other = { ...at, runId: 'run-2' };

  await expect(provisionTarget({ at: other, target, point: point() })).rejects.toMatchObject({
    code: 'TargetLeased',
    message: expect.stringContaining('run-1'),
  });
  await destroyTarget({ at: other, target, vault });
  expect(await readdir(join(folder, 'clusters'))).toEqual(['ledger', 'ledger.lease.json']);
});

test('of two runs that begin at once one gets the directory', async () => {
  const outcomes = await Promise.allSettled(
    ['run-1', 'run-2'].map((runId) => provisionTarget({ at: { ...at, runId }, target, point: point() })),
  );
  expect(outcomes.map((one) => one.status).sort()).toEqual(['fulfilled', 'rejected']);
});

test('too little room is told with figures, and nothing is left behind', async () => {
  await expect(provisionTarget({ at, target, point: point(1e18) })).rejects.toMatchObject({
    code: 'NoRoom',
    details: { neededBytes: expect.any(Number), freeBytes: expect.any(Number) },
  });
  expect(await readdir(join(folder, 'clusters'))).toEqual([]);
});

test('a port that is taken is refused', async () => {
  await new Promise<void>((resolve) => holder.listen(target.postgres.port, '127.0.0.1', resolve));
  try {
    await expect(provisionTarget({ at, target, point: point() })).rejects.toMatchObject({
      code: 'PortTaken',
    });
  } finally {
    await new Promise((resolve) => holder.close(resolve));
  }
});

test('a configuration that the account cannot read is refused', async () => {
  await rm(backupConfigOf(target.postgres));
  await expect(provisionTarget({ at, target, point: point() })).rejects.toMatchObject({
    code: 'BackupConfigMissing',
  });
});

test('destroys what the run made, unless the vault holds its promotion', async () => {
  await provisionTarget({ at, target, point: point() });
  promotion = { promotedAt: '2026-11-21T03:10:00Z' };
  await expect(destroyTarget({ at, target, vault })).rejects.toMatchObject({ code: 'TargetPromoted' });
  promotion = undefined;
  await destroyTarget({ at, target, vault });

  expect(await readdir(join(folder, 'clusters'))).toEqual([]);
  expect(await destroyTarget({ at, target, vault })).toMatchObject({
    summary: expect.stringContaining('bears no lease'),
  });
});

test('an earlier attempt does not bring back the lease of what was given up, nor touch what a later one holds', async () => {
  await provisionTarget({ at, target, point: point() });
  const frozen = await holdLease(at, target);
  const later = await holdLease(at, target);
  await expect(requireHeld(frozen)).rejects.toMatchObject({ code: 'AttemptOvertaken' });
  await expect(markRestored(frozen, undefined)).rejects.toMatchObject({ code: 'AttemptOvertaken' });
  await requireHeld(later);
  await destroyTarget({ at, target, vault });
  await expect(markRestored(later, undefined)).rejects.toMatchObject({ code: 'AttemptOvertaken' });
  expect(await readLease(target.postgres.service.dataDirectory)).toBeUndefined();
});

test('a lease is there whole or not at all, and one of many takers gets it', async () => {
  const { dataDirectory } = target.postgres.service;
  await mkdir(join(folder, 'clusters'));
  const takers = Array.from({ length: 8 }, (_, index) => ({ ...at, runId: `run-${index}` }));
  const seen: unknown[] = [];
  const looking = (async () => {
    for (let look = 0; look < 200; look++) seen.push(await readLease(dataDirectory));
  })();
  const outcomes = await Promise.allSettled(takers.map((taker) => takeLease(taker, target)));
  await looking;
  expect(outcomes.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
  expect(await readdir(join(folder, 'clusters'))).toEqual(['ledger.lease.json']);
  expect(seen).toHaveLength(200);
});

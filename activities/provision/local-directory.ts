import { chmod, chown, lstat, mkdir, readdir, rm, stat, statfs } from 'node:fs/promises';
import { createServer } from 'node:net';
import { dirname } from 'node:path';
import { PermanentError, TransientError } from '../../src/errors.js';
import { formatBytes } from '../../src/model/format.js';
import { accountIds, runTool } from '../../src/process.js';
import { backupConfigOf } from '../../src/runbook/backup-config.js';
import type { DatabaseAt, ProvisionedTarget, RecoveryPoint, StepRef } from '../contract.js';
import { endLeftovers } from '../pgbackrest/leftovers.js';
import { type ClusterService, hasLeftRecovery, serviceOf } from '../service/index.js';
import { ownedDirectory } from '../service/pg-ctl.js';
import { isSealed } from '../service/sealed.js';
import {
  CLOSED,
  dropLease,
  holdLease,
  readLease,
  requireLease,
  spoolDirectoryOf,
  tablespaceDirectoryOf,
  takeLease,
} from './lease.js';

/** Room for what replay writes before it can give any back. */
const WAL_SEGMENT_BYTES = 16 * 1024 * 1024;
const MOST_SEGMENTS_KEPT = 128;
const GROWTH = 1.2;

/**
 * A target on the worker's own machine: a data directory and a port. Everything is looked at before anything is made, and
 * the lease is made first. An attempt that finds the run's own lease goes on with it.
 *
 * @throws PermanentError `TargetNotEmpty`, `TargetLeased`, `PortTaken`, `NoRoom`, `BackupConfigMissing`, `NotThisMachine`
 */
export async function provisionDirectory(
  at: StepRef,
  target: DatabaseAt,
  point: RecoveryPoint,
): Promise<ProvisionedTarget> {
  await requireBackupConfig(target);
  return provisionRoom(
    at,
    target,
    Math.ceil(
      point.backup.databaseBytes * GROWTH +
        Math.min(point.walSegments, MOST_SEGMENTS_KEPT) * WAL_SEGMENT_BYTES,
    ),
  );
}

/**
 * The same where nothing of pgBackRest is needed.
 *
 * @param neededBytes free space without which nothing is begun
 */
export async function provisionRoom(
  at: StepRef,
  target: DatabaseAt,
  neededBytes: number,
): Promise<ProvisionedTarget> {
  const { dataDirectory, account, socketDirectory, logFile } = target.postgres.service;
  await ownedDirectory(dirname(dataDirectory), account);
  const found = await contentOf(dataDirectory);
  const known = await readLease(dataDirectory);
  if (known === undefined && found.entries > 0) throw notEmpty(target, found.entries);
  if (known !== undefined) await requireLease(at, target);
  await requirePort(target, serviceOf(target.postgres));
  const freeBytes = await freeAt(dirname(dataDirectory));
  // What an earlier attempt has restored is already taken off the free space.
  if (found.entries === 0 && freeBytes < neededBytes) throw noRoom(target, freeBytes, neededBytes);
  const lease = await takeLease(at, target);
  if (!found.exists) await mkdir(dataDirectory, { mode: 0o700 });
  const ids = accountIds(account);
  if (ids.switch) await chown(dataDirectory, ids.uid, ids.gid);
  await chmod(dataDirectory, 0o700);
  await ownedDirectory(socketDirectory, account);
  await ownedDirectory(dirname(logFile), account);
  return {
    site: target.site,
    dataDirectory,
    freeBytes,
    neededBytes,
    lease: lease.id,
    summary: `${dataDirectory} at ${target.site}, ${formatBytes(freeBytes)} free, ${formatBytes(neededBytes)} needed, port ${target.postgres.port} free`,
  };
}

/** Whether the copy may have become the primary; asked before anything is removed. */
export type PromotionGuard = () => Promise<{ readonly promotedAt: string } | undefined>;

/**
 * Removes what the run made: server, data directory, tablespaces, lease. What bears no lease of the run is left alone,
 * which is success: the run has nothing there.
 *
 * @throws PermanentError `TargetPromoted`
 */
export async function destroyDirectory(
  at: StepRef,
  target: DatabaseAt,
  promotion: PromotionGuard,
): Promise<{ readonly summary: string }> {
  const { dataDirectory } = target.postgres.service;
  const lease = await readLease(dataDirectory);
  if (lease?.runId !== at.runId || lease.dataDirectory !== dataDirectory) {
    const whose = lease === undefined ? 'bears no lease' : `belongs to run ${lease.runId}`;
    return {
      summary: `${dataDirectory} at ${target.site} ${whose}: this run made nothing there and left it alone`,
    };
  }
  const promoted = await promotion();
  if (promoted !== undefined)
    throw keepPromoted(target, `the vault holds its promotion of ${promoted.promotedAt}`);
  const service = serviceOf(target.postgres);
  // A directory whose files are not complete holds nothing that could have been promoted, unless a server runs there.
  // While an archive is loaded its server is not in recovery; nor is one that was loaded to be handed over: of both the vault tells.
  const closed = lease.logical === true ? lease.restored?.backupLabel.endsWith(CLOSED) === true : undefined;
  const complete = closed ?? (lease.restored !== undefined || (await service.pid()) !== undefined);
  if (complete && (await hasLeftRecovery(target.postgres, lease.restored?.timeline ?? Infinity))) {
    throw keepPromoted(target, 'its server has left recovery');
  }
  await holdLease(at, target);
  // Its files are about to go: no checkpoint is needed.
  await service.stop('immediate');
  await endLeftovers(dataDirectory);
  await rm(dataDirectory, { recursive: true, force: true });
  for (const beside of [
    tablespaceDirectoryOf(dataDirectory),
    spoolDirectoryOf(dataDirectory),
    `${dataDirectory}.archive`,
  ]) {
    await rm(beside, { recursive: true, force: true });
  }
  await dropLease(dataDirectory);
  return { summary: `${dataDirectory} at ${target.site} stopped and removed` };
}

function keepPromoted(target: DatabaseAt, why: string): PermanentError {
  return new PermanentError(
    'TargetPromoted',
    `The copy at ${target.site} may be the primary and is not removed: ${why}.`,
    { next: 'Leave it. If it is certain that it takes no writes, a person removes it by hand.' },
  );
}

function notEmpty(target: DatabaseAt, entries: number): PermanentError {
  const { dataDirectory } = target.postgres.service;
  return new PermanentError(
    'TargetNotEmpty',
    `${dataDirectory} at ${target.site} holds ${entries} entries and bears no lease of a run.`,
    {
      why: 'It may be the last copy of something.',
      next: 'Find out whose it is and move it away, or name an empty directory in the runbook (sites.<site>.postgres.service.dataDirectory).',
    },
  );
}

function noRoom(target: DatabaseAt, freeBytes: number, neededBytes: number): PermanentError {
  return new PermanentError(
    'NoRoom',
    `${target.site} has ${formatBytes(freeBytes)} free for ${target.postgres.service.dataDirectory}; the recovery needs ${formatBytes(neededBytes)}.`,
    {
      why: 'Needed: 1.2 times the database and the WAL that replay keeps.',
      next: 'Free space there or name a directory on a larger volume, then retry the step.',
      details: { freeBytes, neededBytes },
    },
  );
}

async function contentOf(path: string): Promise<{ readonly exists: boolean; readonly entries: number }> {
  const found = await lstat(path).catch(() => undefined);
  if (found === undefined) return { exists: false, entries: 0 };
  if (found.isDirectory()) return { exists: true, entries: (await readdir(path)).length };
  throw new PermanentError('TargetNotDirectory', `${path} is not a directory.`, {
    next: 'Move it away, or name another directory in the runbook, then retry the step.',
  });
}

async function freeAt(path: string): Promise<number> {
  const { bavail, bsize } = await statfs(path);
  return bavail * bsize;
}

async function requireBackupConfig(target: DatabaseAt): Promise<void> {
  const { service } = target.postgres;
  const backupConfig = backupConfigOf(target.postgres);
  const found = await stat(backupConfig).catch(() => undefined);
  const readable =
    found !== undefined &&
    (await runTool('test', ['-r', backupConfig], { account: service.account, timeoutMs: 10_000 }))
      .exitCode === 0;
  if (readable) return;
  throw new PermanentError(
    'BackupConfigMissing',
    `pgBackRest's configuration ${backupConfig} is not there or ${service.account} cannot read it.`,
    {
      next: `Provide it at ${target.site} (mode 0600, owned by ${service.account}), then retry the step.`,
    },
  );
}

/** The port must be free, or held by the run's own copy. */
async function requirePort(target: DatabaseAt, service: ClusterService): Promise<void> {
  const { host, port } = target.postgres;
  // A sealed copy listens on no port before it is opened.
  if (isSealed(target.postgres)) return;
  const refusal = await tryToListen(host, port);
  if (refusal === undefined) return;
  if (refusal === 'EADDRINUSE') {
    if ((await service.pid()) !== undefined) return;
    throw new PermanentError('PortTaken', `Port ${port} on ${host} is taken by another process.`, {
      next: 'Stop what listens there, or name a free port for the target in the runbook, then retry the step.',
    });
  }
  const facts = {
    next: 'Run a worker on that machine, or correct the address in the runbook, then retry the step.',
  };
  const text = `Nothing can listen on ${host}:${port} here (${refusal}): ${target.site} is not this machine, or its name does not resolve.`;
  throw refusal === 'EAI_AGAIN'
    ? new TransientError('NotThisMachine', text, facts)
    : new PermanentError('NotThisMachine', text, facts);
}

function tryToListen(host: string, port: number): Promise<string | undefined> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once('error', (error: NodeJS.ErrnoException) => resolve(error.code ?? error.message));
    server.listen({ host, port, exclusive: true }, () => server.close(() => resolve(undefined)));
  });
}

/** Where a copy is kept that nobody but Muster may reach: a directory beside the target's, and a socket, no port. */
import { createHash } from 'node:crypto';
import { chmod, chown, lstat, mkdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PermanentError } from '../../src/errors.js';
import { accountIds } from '../../src/process.js';
import type { DatabaseAt, StepRef } from '../contract.js';
import { sealedSettings } from '../service/sealed.js';

/** What a copy is made for: each has a directory of its own, so that they do not meet. */
export type Purpose = 'search' | 'salvage' | 'tables';

/** Only the name of the socket is made with it: the server listens at no address. */
const SOCKET_NUMBER = 5432;

/**
 * The target's server as a copy of one run beside it. It is reached through a socket in a folder that only the account of the
 * cluster may enter.
 */
export function privatePlace(
  { runId }: Pick<StepRef, 'runId'>,
  target: DatabaseAt,
  purpose: Purpose,
): DatabaseAt {
  const { service } = target.postgres;
  const dataDirectory = `${service.dataDirectory}.${purpose}.${runId}`;
  // Short, whatever the directory is called: the path of a socket has 107 bytes at most.
  const sockets = join(
    tmpdir(),
    `muster-${createHash('sha256').update(dataDirectory).digest('hex').slice(0, 16)}`,
  );
  return {
    site: target.site,
    postgres: {
      ...target.postgres,
      host: sockets,
      port: SOCKET_NUMBER,
      service: {
        ...service,
        dataDirectory,
        socketDirectory: sockets,
        logFile: `${dataDirectory}.log`,
      },
    },
  };
}

/** What makes the copy's server private, whatever the backup's configuration says. */
export function privateSettings({ postgres }: DatabaseAt): Readonly<Record<string, string>> {
  return {
    ...sealedSettings(postgres),
    hba_file: accessFileOf(postgres.service.dataDirectory),
    ssl: 'off',
    archive_mode: 'off',
    archive_command: '',
    // It runs beside a server that has the machine's memory.
    shared_buffers: '128MB',
    huge_pages: 'off',
    cluster_name: '',
  };
}

/** Whoever may enter the folder of the socket is let in: the passwords of an old backup may be others. */
export const ACCESS = 'local all all trust\n';

export function accessFileOf(dataDirectory: string): string {
  return join(dataDirectory, 'muster_private_hba.conf');
}

/** What an archive is loaded through. */
export function loadingDirectoryOf(dataDirectory: string): string {
  return `${dataDirectory}.archive`;
}

/** @throws PermanentError `SocketFolderTaken` where somebody else has made the folder */
export async function makeSocketFolder({ postgres }: DatabaseAt): Promise<void> {
  const { account, socketDirectory } = postgres.service;
  const { uid, gid } = accountIds(account);
  const made = await mkdir(socketDirectory, { mode: 0o700 }).then(
    () => true,
    (error: NodeJS.ErrnoException) => {
      if (error.code === 'EEXIST') return false;
      throw error;
    },
  );
  if (made && process.getuid?.() === 0) await chown(socketDirectory, uid, gid);
  const found = await lstat(socketDirectory);
  if (!found.isDirectory() || found.uid !== uid) {
    throw new PermanentError(
      'SocketFolderTaken',
      `${socketDirectory} is there and does not belong to ${account}.`,
      { next: 'Find out who made it and remove it, then retry the step.' },
    );
  }
  await chmod(socketDirectory, 0o700);
}

export async function removeSocketFolder({ postgres }: DatabaseAt): Promise<void> {
  await rm(postgres.service.socketDirectory, { recursive: true, force: true });
}

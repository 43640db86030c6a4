/**
 * A copy that nobody reaches but Muster: it listens on no network address, only on a socket that the account of the cluster alone
 * can open, and of those who come by it only the administrator needs no password (PostgreSQL manual: 20.3, 21.1).
 */
import { chown, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { accountIds } from '../../src/process.js';
import type { PostgresSite } from '../../src/runbook/schema.js';
import type { DatabaseAt } from '../contract.js';
import { trialDatabase } from './trial-database.js';

const RULES = 'muster-sealed-hba.conf';

/** Whether a server is addressed by its socket: libpq and its kin take a path for the folder of one. */
export function isSealed({ host }: Pick<PostgresSite, 'host'>): boolean {
  return host.startsWith('/');
}

/** Settings of a sealed server, in place of those that lead to it over the network. */
export function sealedSettings({ service }: PostgresSite): Readonly<Record<string, string>> {
  return {
    listen_addresses: '',
    unix_socket_directories: service.socketDirectory,
    unix_socket_permissions: '0700',
    hba_file: join(service.dataDirectory, RULES),
  };
}

/** Settings that are given up when the way in is opened. */
export const SEALING: readonly string[] = ['unix_socket_permissions', 'hba_file'];

/** Writes who comes in by the socket, before the server is started. */
export async function writeSealedRules({ postgres }: DatabaseAt): Promise<void> {
  const { admin, service } = postgres;
  const text = [
    '# Muster: this copy is sealed. The first line that fits decides.',
    `local "${trialDatabase(postgres)}" all scram-sha-256`,
    `local all "${admin.user}" trust`,
    'local all all scram-sha-256',
    '',
  ].join('\n');
  const file = join(service.dataDirectory, RULES);
  await writeFile(file, text, { mode: 0o600 });
  const ids = accountIds(service.account);
  if (ids.switch) await chown(file, ids.uid, ids.gid);
}

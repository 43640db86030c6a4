import { chown, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Account } from '../account.js';
import { makePrivateFolder } from '../folders.js';
import { type ClusterLayout, REGIONS, type RegionName } from '../layout.js';
import { run } from '../process.js';
import { BACKUP_BUCKET, REGION_CODES } from './s3.js';

/** pgBackRest's name for the ledger's cluster and its backups. */
export const STANZA = 'payymo';

/** What a cluster's backup configuration is made of. */
export interface BackupSetup {
  /** Left out: Payymo's. */
  readonly stanza?: string;
  /** In every region. Left out: Payymo's. */
  readonly bucket?: string;
  readonly cluster: ClusterLayout;
  readonly port: number;
  readonly account: Account;
  readonly caFile: string;
  /** Those that the cluster reads and writes. */
  readonly repositories: Readonly<Partial<Record<RegionName, Repository>>>;
  /** Where it goes; left out: to where the layout has it. */
  readonly file?: string;
}

export interface Repository {
  readonly port: number;
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly passphrase: string;
}

/** Beside a site's own configuration: one that knows the copies alone that an intruder cannot change. */
export function cleanConfigOf(backupConfig: string): string {
  return backupConfig.replace(/\.conf$/, '-clean.conf');
}

/**
 * Writes pgBackRest's configuration for one cluster: its repositories, encrypted, each with a passphrase of its own and the
 * same number everywhere. It holds secrets, so it belongs to the database account and is readable for it alone. Locks and spool lie beside the
 * cluster: pgBackRest's default folder is shared by all clusters of a machine with the same stanza.
 *
 * Archiving is synchronous: a segment counts as archived only when both repositories have it, and at the ledger's
 * rate a push (about 0.2 s) is far below the time in which a segment fills.
 */
export async function writeBackupConfig(setup: BackupSetup): Promise<void> {
  const { cluster, account } = setup;
  const folders = {
    lock: join(cluster.base, 'lock'),
    spool: join(cluster.base, 'spool'),
    log: join(cluster.base, 'log'),
  };
  for (const folder of Object.values(folders)) {
    await makePrivateFolder(folder, account);
  }
  const repositories = REGIONS.flatMap((region, index) => {
    const repository = setup.repositories[region];
    if (repository === undefined) return [];
    const { port, accessKeyId, secretAccessKey, passphrase } = repository;
    const settings: Record<string, string> = {
      type: 's3',
      path: '/postgresql',
      's3-bucket': setup.bucket ?? BACKUP_BUCKET,
      's3-endpoint': 'localhost',
      's3-region': REGION_CODES[region],
      's3-uri-style': 'path',
      's3-key': accessKeyId,
      's3-key-secret': secretAccessKey,
      'storage-port': String(port),
      'storage-ca-file': setup.caFile,
      'cipher-type': 'aes-256-cbc',
      'cipher-pass': passphrase,
      bundle: 'y',
      'retention-full-type': 'time',
      'retention-full': '30',
    };
    return Object.entries(settings).map(([name, value]) => `repo${index + 1}-${name}=${value}`);
  });
  const text = [
    '[global]',
    ...repositories,
    'process-max=2',
    'compress-type=zst',
    'start-fast=y',
    'log-level-console=warn',
    'log-level-file=detail',
    `log-path=${folders.log}`,
    `lock-path=${folders.lock}`,
    `spool-path=${folders.spool}`,
    '',
    `[${setup.stanza ?? STANZA}]`,
    `pg1-path=${cluster.data}`,
    `pg1-port=${setup.port}`,
    `pg1-socket-path=${cluster.socket}`,
    'pg1-user=postgres',
    'pg1-database=postgres',
    '',
  ].join('\n');
  const file = setup.file ?? cluster.backupConfig;
  const next = `${file}.new`;
  await writeFile(next, text, { mode: 0o600 });
  await chown(next, account.uid, account.gid);
  await rename(next, file);
}

/** The shell command by which PostgreSQL hands a finished WAL segment to pgBackRest. */
export function archiveCommand(program: string, cluster: ClusterLayout, stanza = STANZA): string {
  return `${program} --config=${cluster.backupConfig} --stanza=${stanza} archive-push %p`;
}

/** The shell command by which a standby gets a WAL segment that the primary no longer has. */
export function restoreCommand(program: string, cluster: ClusterLayout, stanza = STANZA): string {
  return `${program} --config=${cluster.backupConfig} --stanza=${stanza} archive-get %f "%p"`;
}

/** Runs pgBackRest for a cluster under its account and returns what it printed. @throws LabError with its own words. */
export function pgbackrest(
  program: string,
  cluster: ClusterLayout,
  account: Account,
  args: readonly string[],
  stanza = STANZA,
): Promise<string> {
  return run(program, [`--config=${cluster.backupConfig}`, `--stanza=${stanza}`, ...args], {
    cwd: cluster.base,
    timeoutMs: 3_600_000,
    account,
  });
}

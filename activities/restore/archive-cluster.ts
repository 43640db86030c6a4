/** The cluster that an archive is loaded into: made for it, fast while nothing in it is trusted, then safe. */
import { chmod, chown, readdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { PermanentError } from '../../src/errors.js';
import { accountIds, runTool } from '../../src/process.js';
import { resolveSecret } from '../../src/secrets.js';
import { LONGEST_MS, runClient, wordsOf } from '../archive/client.js';
import { type OpenArchive, partsOf, readPart } from '../archive/load.js';
import { activitySignal } from '../context.js';
import type { DatabaseAt } from '../contract.js';
import { majorVersionOf, programOf } from '../service/index.js';
import { isSealed, sealedSettings, writeSealedRules } from '../service/sealed.js';
import { writeOwnSettings } from './settings.js';

/**
 * While loading nothing has to survive a crash: an attempt that is cut short begins again. Without WAL for what is created in
 * the same transaction, without syncing and without vacuuming, a load takes less than half the time.
 */
const LOADING = {
  fsync: 'off',
  synchronous_commit: 'off',
  full_page_writes: 'off',
  wal_level: 'minimal',
  max_wal_senders: '0',
  archive_mode: 'off',
  autovacuum: 'off',
  max_wal_size: '16GB',
  checkpoint_timeout: '1h',
  maintenance_work_mem: '512MB',
  // Each foreign key is checked by one query, which runs for less time than compiling it takes.
  jit: 'off',
} as const;

/**
 * Makes an empty cluster in the target's directory.
 *
 * @param besides settings that win over those that it is loaded with
 * @throws PermanentError `InitFailed`, `PostgresTooOld`
 */
export async function makeCluster(
  target: DatabaseAt,
  archive: OpenArchive,
  besides: Readonly<Record<string, string>> = {},
): Promise<void> {
  const { postgres } = target;
  const { dataDirectory, account } = postgres.service;
  for (const entry of await readdir(dataDirectory)) {
    await rm(join(dataDirectory, entry), { recursive: true, force: true, maxRetries: 3 });
  }
  const { encoding, collate, ctype, dataChecksums, serverVersionNumber } = archive.manifest.database;
  const passwordFile = `${dataDirectory}.password`;
  const ids = accountIds(account);
  await writeFile(passwordFile, await resolveSecret(postgres.admin.password), { mode: 0o600 });
  try {
    if (ids.switch) await chown(passwordFile, ids.uid, ids.gid);
    const made = await runTool(
      await programOf(postgres, 'initdb'),
      [
        `--pgdata=${dataDirectory}`,
        `--username=${postgres.admin.user}`,
        `--pwfile=${passwordFile}`,
        '--auth=scram-sha-256',
        `--encoding=${encoding}`,
        `--lc-collate=${collate}`,
        `--lc-ctype=${ctype}`,
        '--lc-messages=C',
        '--no-sync',
        ...(dataChecksums ? ['--data-checksums'] : []),
      ],
      { account, env: { LC_ALL: 'C.UTF-8' }, timeoutMs: 5 * 60_000, signal: activitySignal() },
    );
    if (made.exitCode !== 0) {
      throw new PermanentError(
        'InitFailed',
        `No cluster could be made in ${dataDirectory}: ${made.stderr.trim()}`,
        {
          next: `Provide what is missing at ${target.site} (locale ${collate}, room, rights), then retry the step.`,
        },
      );
    }
  } finally {
    await rm(passwordFile, { force: true });
  }
  const major = (await majorVersionOf(dataDirectory)) ?? 0;
  if (major < Math.floor(serverVersionNumber / 10_000)) {
    throw new PermanentError(
      'PostgresTooOld',
      `PostgreSQL ${major} at ${target.site} cannot take an archive of ${archive.manifest.database.serverVersion}.`,
      { next: 'Install the version of the original or a newer one there, then retry the step.' },
    );
  }
  // Until everything is loaded nobody else may look, or write: the roles come back with their passwords.
  const user = `"${postgres.admin.user.replaceAll('"', '""')}"`;
  await writeFile(
    join(dataDirectory, 'pg_hba.conf'),
    `local all ${user} scram-sha-256\nhost all ${user} all scram-sha-256\n`,
  );
  await writeSettings(target, '', { ...LOADING, ...besides });
}

/**
 * The administrator that loads is there already, with the password that the runbook refers to.
 *
 * @throws PermanentError `RestoreFailed`; what reading the part throws
 */
export async function restoreRoles({ postgres }: DatabaseAt, archive: OpenArchive): Promise<void> {
  const [part] = partsOf(archive, 'roles');
  if (part === undefined) return;
  const { user } = postgres.admin;
  const names = [user, `"${user.replaceAll('"', '""')}"`];
  const own = names.flatMap((name) => [`CREATE ROLE ${name};`, `ALTER ROLE ${name} WITH `]);
  const sql = (await readPart(archive, part))
    .toString('utf8')
    .split('\n')
    .filter((line) => !own.some((begin) => line.startsWith(begin)))
    .join('\n');
  const outcome = await runClient(
    postgres,
    'psql',
    ['--no-psqlrc', '--quiet', '--set=ON_ERROR_STOP=1', '--file=-'],
    {
      database: 'postgres',
      input: sql,
      signal: activitySignal(),
    },
  );
  if (outcome.exitCode === 0) return;
  throw new PermanentError(
    'RestoreFailed',
    `The roles of ${archive.manifest.label} cannot be made: ${wordsOf(outcome, 'psql')}`,
    {
      next: 'See which role it is; what it needs on the target is provided there, then the step is retried.',
    },
  );
}

/** Puts everything that was loaded on disk for good. The server is stopped. */
export async function syncToDisk({ postgres }: DatabaseAt): Promise<void> {
  const { dataDirectory, account } = postgres.service;
  const synced = await runTool(
    await programOf(postgres, 'initdb'),
    ['--sync-only', `--pgdata=${dataDirectory}`],
    {
      account,
      timeoutMs: LONGEST_MS,
      signal: activitySignal(),
    },
  );
  if (synced.exitCode === 0) return;
  throw new PermanentError(
    'SyncFailed',
    `${dataDirectory} cannot be synced to disk: ${synced.stderr.trim()}`,
    {
      why: 'What was loaded may be lost with a power failure.',
      next: 'Look at the disk of the target, then retry the step.',
    },
  );
}

/** Lines that would lead the server to the original's files, or to files that an archive does not hold. */
const PLACES =
  /^(\s*(?:data_directory|hba_file|ident_file|external_pid_file|include|include_dir|include_if_exists)\b.*)$/gim;

/** The original's own settings, with what is the target's; syncing is on whatever they say. @param besides wins over both */
export async function writeProductionSettings(
  target: DatabaseAt,
  archive: OpenArchive,
  besides: Readonly<Record<string, string>> = {},
): Promise<void> {
  const { dataDirectory } = target.postgres.service;
  let own = '';
  for (const part of partsOf(archive, 'configuration')) {
    const text = (await readPart(archive, part)).toString('utf8');
    const safe = text.replace(PLACES, '# Muster: $1');
    if (part.of === 'postgresql.auto.conf') own = safe;
    else if (/^(postgresql|pg_hba|pg_ident)\.conf$/.test(part.of ?? '')) {
      await writeFile(join(dataDirectory, part.of ?? ''), part.of === 'postgresql.conf' ? safe : text);
    }
  }
  await writeSettings(target, own, {
    fsync: 'on',
    full_page_writes: 'on',
    // The archive of the original's WAL is another cluster's: a new one begins with the first physical backup.
    archive_mode: 'off',
    restore_command: '',
    archive_cleanup_command: '',
    recovery_end_command: '',
    primary_conninfo: '',
    primary_slot_name: '',
    // There is no standby yet: commits would wait for one for ever.
    synchronous_standby_names: '',
    ...besides,
  });
}

async function writeSettings(
  target: DatabaseAt,
  before: string,
  settings: Readonly<Record<string, string>>,
): Promise<void> {
  const { postgres } = target;
  const { dataDirectory, socketDirectory, account } = postgres.service;
  if (isSealed(postgres)) await writeSealedRules(target);
  const all = {
    ...(isSealed(postgres)
      ? sealedSettings(postgres)
      : { listen_addresses: postgres.host, unix_socket_directories: socketDirectory }),
    port: String(postgres.port),
    logging_collector: 'off',
    log_destination: 'stderr',
    lc_messages: 'C',
    ...settings,
  };
  await writeFile(join(dataDirectory, 'postgresql.auto.conf'), before);
  await writeOwnSettings(target, all);
  const ids = accountIds(account);
  for (const name of ['postgresql.auto.conf', 'postgresql.conf', 'pg_hba.conf', 'pg_ident.conf']) {
    await chmod(join(dataDirectory, name), 0o600);
    if (ids.switch) await chown(join(dataDirectory, name), ids.uid, ids.gid);
  }
}

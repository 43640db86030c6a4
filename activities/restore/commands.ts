import type { PrintedCommand } from '../../src/model/plan.js';
import { byDriver, type OfPgbackrest } from '../../src/runbook/backups.js';
import type { Backup } from '../../src/runbook/schema.js';
import { loadArchiveCommands } from '../archive/commands.js';
import type { DatabaseAt } from '../contract.js';
import { archiveGetCommand, archivePushCommand } from './shell.js';

interface ForRestore {
  readonly target: DatabaseAt;
  readonly backup: Backup;
}

/** How a database is restored to a point by hand. */
export const restoreCommands: (given: ForRestore) => readonly PrintedCommand[] = byDriver({
  pgbackrest: restoreAndReplay,
  archive: loadArchiveCommands,
});

function restoreAndReplay({ target, backup }: OfPgbackrest<ForRestore>): readonly PrintedCommand[] {
  const { postgres } = target;
  const { host, port, database, service, admin } = postgres;
  const where = `on ${host}, as ${service.account}`;
  const bin = service.binDirectory === undefined ? '' : `${service.binDirectory}/`;
  const repositories = backup.repositories.map((one) => `${one.number}: ${one.title}`).join('; ');
  return [
    {
      where,
      command: [
        `pgbackrest --config=${postgres.backupConfig} --stanza=${backup.stanza} --repo=<repository>`,
        `--pg1-path=${service.dataDirectory} --tablespace-map-all=${service.dataDirectory}.tablespaces`,
        `--set=<backup set> --type=time --target="<point, as 2026-11-21 02:59:39.871234+00>" --target-exclusive`,
        `--target-action=pause --target-timeline=<timeline> --process-max=${backup.processes}`,
        '--log-level-console=info restore',
      ].join(' \\\n  '),
      note: `Repositories: ${repositories}. Add --delta where the directory already holds an earlier attempt. A failure that names a file: take the other repository or an older set.`,
    },
    {
      where,
      command: [
        `cat >> ${service.dataDirectory}/postgresql.auto.conf <<'EOF'`,
        `listen_addresses = '${host}'`,
        `port = '${port}'`,
        `unix_socket_directories = '${service.socketDirectory}'`,
        `restore_command = '${archiveGetCommand(postgres, backup)}'`,
        `archive_command = '${archivePushCommand(postgres, backup)}'`,
        `archive_cleanup_command = ''`,
        `synchronous_standby_names = ''`,
        'EOF',
      ].join('\n'),
      note: 'In a drill also: archive_mode = off.',
    },
    { where, command: `${bin}pg_ctl start -D ${service.dataDirectory} -l ${service.logFile}` },
    {
      where,
      command: `${bin}psql -h ${host} -p ${port} -U ${admin.user} -d ${database} -c "select pg_is_in_recovery(), pg_get_wal_replay_pause_state(), pg_last_wal_replay_lsn(), pg_last_xact_replay_timestamp()"`,
      note: `Repeat until it says t and paused. The last commit must lie before the point. ${service.logFile} says "recovery stopping before commit". Do not resume replay: that promotes.`,
    },
  ];
}

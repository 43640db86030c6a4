import type { PrintedCommand } from '../../src/model/plan.js';
import { byDriver, type OfPgbackrest } from '../../src/runbook/backups.js';
import type { Backup } from '../../src/runbook/schema.js';
import { takeArchiveCommands } from '../archive/commands.js';
import type { DatabaseAt } from '../contract.js';

interface ForBackup {
  readonly target: DatabaseAt;
  readonly backup: Backup;
}

/** How a recovered system is protected again by hand. */
export const backupCommands: (given: ForBackup) => readonly PrintedCommand[] = byDriver({
  pgbackrest: backUpAgain,
  archive: takeArchiveCommands,
});

function backUpAgain({ target, backup }: OfPgbackrest<ForBackup>): readonly PrintedCommand[] {
  const { host, port, database, admin, service, backupConfig } = target.postgres;
  const where = `on ${host}, as ${service.account}`;
  const bin = service.binDirectory === undefined ? '' : `${service.binDirectory}/`;
  const psql = (statement: string) =>
    `${bin}psql -h ${host} -p ${port} -U ${admin.user} -d ${database} -Atc "${statement}"`;
  return [
    {
      where,
      command: psql('select pg_walfile_name(pg_switch_wal())'),
      note: 'The first 8 digits are the new timeline.',
    },
    {
      where,
      command: psql('select last_archived_wal, failed_count, last_failed_wal from pg_stat_archiver'),
      note: 'Repeat until last_archived_wal has reached that segment.',
    },
    ...backup.repositories.map(({ number, title }) => ({
      where,
      command: [
        `pgbackrest --config=${backupConfig} --stanza=${backup.stanza} --repo=${number}`,
        `--pg1-path=${service.dataDirectory} --pg1-port=${port} --pg1-socket-path=${service.socketDirectory}`,
        `--type=full --start-fast --process-max=${backup.processes} --no-expire-auto backup`,
      ].join(' \\\n  '),
      note: `${title}. Old backups are not expired before the recovery is closed.`,
    })),
  ];
}

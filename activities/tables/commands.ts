import type { PrintedCommand } from '../../src/model/plan.js';
import { byDriver, type OfArchive, type OfPgbackrest } from '../../src/runbook/backups.js';
import type { Backup, ChosenTable } from '../../src/runbook/schema.js';
import { decryptCommand, verifyArchiveCommands } from '../archive/commands.js';
import type { DatabaseAt } from '../contract.js';

interface ForTaking {
  readonly target: DatabaseAt;
  readonly backup: Backup;
  readonly tables: readonly ChosenTable[];
}

/** Taking the rows out of a copy by hand. */
export const takeTablesCommands: (given: ForTaking) => readonly PrintedCommand[] = byDriver({
  pgbackrest: fromReplayedCopy,
  archive: fromLoadedCopy,
});

function fromReplayedCopy({ target, backup, tables }: OfPgbackrest<ForTaking>): readonly PrintedCommand[] {
  const { host, service, backupConfig } = target.postgres;
  const where = `on ${host}, as ${service.account}`;
  return [
    {
      where,
      command: `pgbackrest --config=${backupConfig} --stanza=${backup.stanza} --pg1-path=${besideOf(target)} --type=time --target='<point>' --target-exclusive --target-action=pause --archive-mode=off restore`,
      note: 'Then set listen_addresses to nothing and a socket directory of its own in its postgresql.auto.conf, and start it: paused in recovery it is read-only.',
    },
    ...copyingOut(target, tables),
  ];
}

function fromLoadedCopy({ target, backup, tables }: OfArchive<ForTaking>): readonly PrintedCommand[] {
  const { host, service, admin } = target.postgres;
  const where = `on ${host}, as ${service.account}`;
  const bin = service.binDirectory === undefined ? '' : `${service.binDirectory}/`;
  const directory = besideOf(target);
  const login = `-h <socket directory> -U ${admin.user}`;
  return [
    ...verifyArchiveCommands(backup),
    {
      where: 'in the folder of the archive, on a disk with room for it',
      command: decryptCommand(),
      note: 'An archive with the layout custom is dump/dump.custom instead of the directory.',
    },
    {
      where,
      command: `${bin}initdb -D ${directory} -U ${admin.user} --auth=trust --encoding=<encoding> --lc-collate=<collate> --lc-ctype=<ctype> && ${bin}pg_ctl start -D ${directory} -o "-c listen_addresses='' -c unix_socket_directories=<socket directory> -c fsync=off" -l ${directory}.log`,
      note: 'Encoding and locale stand in manifest.json under database. The socket directory belongs to the account alone: nobody else reaches this copy.',
    },
    {
      where,
      command: [
        `${bin}psql ${login} -d postgres -f dump/roles.sql`,
        `${bin}pg_restore ${login} --create --jobs=${Math.max(2, backup.jobs)} --exit-on-error --no-tablespaces --dbname=postgres directory`,
      ].join('\n'),
      note: 'That a role exists already does no harm. Anything else that fails does.',
    },
    ...copyingOut(target, tables),
  ];
}

function besideOf({ postgres }: DatabaseAt): string {
  return `${postgres.service.dataDirectory}.tables`;
}

function copyingOut({ postgres }: DatabaseAt, tables: readonly ChosenTable[]): readonly PrintedCommand[] {
  const { host, service, admin, database } = postgres;
  return tables.map(({ table }) => ({
    where: `on ${host}, as ${service.account}`,
    command: `psql -h <socket directory> -U ${admin.user} -d ${database} -c "\\copy ${table} to '<file>'"`,
    note: `${table}, where it is chosen.`,
  }));
}

/** Replacing them by hand. */
export function replaceTablesCommands({
  live,
  tables,
}: {
  readonly live: DatabaseAt;
  readonly tables: readonly ChosenTable[];
}): readonly PrintedCommand[] {
  const { host, port, admin, database } = live.postgres;
  const where = 'anywhere that reaches the live database, all in one transaction';
  const psql = `psql -h ${host} -p ${port} -U ${admin.user} -d ${database}`;
  return tables.flatMap(({ table, stays, afterwards }): PrintedCommand[] => [
    {
      where,
      command: `${psql} -c "begin" -c "lock table ${table} in share row exclusive mode" -c "create table muster_kept.<name> as table ${table}"`,
      note: `Then load the file into a temporary table, update the rows that differ${stays.length === 0 ? '' : ` (but for ${stays.join(', ')})`}, insert those that are missing.`,
    },
    ...afterwards.map(({ title, sql }) => ({ where, command: sql, note: title })),
    {
      where,
      command: `${psql} -c "<each query of verification.invariants>"`,
      note: 'Commit only if none of them gives a row.',
    },
  ]);
}

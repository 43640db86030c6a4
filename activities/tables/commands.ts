import type { PrintedCommand } from '../../src/model/plan.js';
import type { ChosenTable, PgbackrestBackup } from '../../src/runbook/schema.js';
import type { DatabaseAt } from '../contract.js';

/** Taking the rows out of a copy by hand. */
export function takeTablesCommands({
  target,
  backup,
  tables,
}: {
  readonly target: DatabaseAt;
  readonly backup: PgbackrestBackup;
  readonly tables: readonly ChosenTable[];
}): readonly PrintedCommand[] {
  const { host, service, backupConfig, admin, database } = target.postgres;
  const where = `on ${host}, as ${service.account}`;
  const directory = `${service.dataDirectory}.tables`;
  return [
    {
      where,
      command: `pgbackrest --config=${backupConfig} --stanza=${backup.stanza} --pg1-path=${directory} --type=time --target='<point>' --target-exclusive --target-action=pause --archive-mode=off restore`,
      note: 'Then set listen_addresses to nothing and a socket directory of its own in its postgresql.auto.conf, and start it: paused in recovery it is read-only.',
    },
    ...tables.map(({ table }) => ({
      where,
      command: `psql -h <socket directory> -U ${admin.user} -d ${database} -c "\\copy ${table} to '<file>'"`,
      note: `${table}, where it is chosen.`,
    })),
  ];
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

import type { PrintedCommand } from '../../src/model/plan.js';
import type { PgbackrestBackup } from '../../src/runbook/schema.js';
import type { DatabaseAt } from '../contract.js';
import { archiveGetCommand } from '../restore/shell.js';

const onHost = (site: string) => `on the database host of ${site}`;

function psql({ postgres }: DatabaseAt, statement: string): string {
  const { host, port, database, admin } = postgres;
  return `psql -h ${host} -p ${port} -U ${admin.user} -d ${database} -c "${statement}"`;
}

/** Looking at a standby by hand. */
export function checkCommands({ standby }: { readonly standby: DatabaseAt }): readonly PrintedCommand[] {
  return [
    {
      where: 'anywhere that reaches the standby',
      command: psql(
        standby,
        'SELECT pg_is_in_recovery(), (pg_control_system()).system_identifier, (pg_control_checkpoint()).timeline_id, pg_last_wal_receive_lsn(), pg_last_wal_replay_lsn(), pg_last_xact_replay_timestamp()',
      ),
      note: 'Must begin with t. Write system identifier, timeline and positions down: what was committed after the last time is lost unless the archive has it.',
    },
    {
      where: 'anywhere that reaches the standby',
      command: psql(
        standby,
        'SELECT status, latest_end_lsn, last_msg_receipt_time FROM pg_stat_wal_receiver',
      ),
      note: 'No row: it receives nothing.',
    },
  ];
}

/** Bringing a standby to the end of all that there is. */
export function catchUpCommands({
  standby,
  backup,
}: {
  readonly standby: DatabaseAt;
  readonly backup: PgbackrestBackup;
}): readonly PrintedCommand[] {
  const { service, backupConfig } = standby.postgres;
  const where = onHost(standby.site);
  const get = archiveGetCommand(standby.postgres, backup);
  const file = `${service.dataDirectory}/postgresql.auto.conf`;
  return [
    {
      where,
      command: `cp -p ${file} ${file}.before && cat >> ${file} <<'CONF'\nprimary_conninfo = ''\nprimary_slot_name = ''\nrecovery_min_apply_delay = '0'\nsynchronous_standby_names = ''\nwal_retrieve_retry_interval = '100ms'\nrestore_command = '${get.replaceAll("'", "''")}'\nCONF`,
      note: `To let it follow again: mv ${file}.before ${file}, then reload and SELECT pg_wal_replay_resume().`,
    },
    { where, command: psql(standby, 'SELECT pg_reload_conf()') },
    {
      where,
      command: `pgbackrest --config=${backupConfig} --stanza=${backup.stanza} info`,
      note: 'Write the newest WAL segment (wal archive min/max) down: it must be replayed.',
    },
    {
      where,
      command: psql(standby, 'SELECT pg_last_wal_receive_lsn(), pg_last_wal_replay_lsn()'),
      note: 'Repeat until the position stands still for some seconds and is not before the newest segment of the archive.',
    },
    {
      where,
      command: psql(standby, 'SELECT pg_wal_replay_pause()'),
      note: 'From here on it is not moved any more.',
    },
  ];
}

/** Rungs 1 to 4 by hand. */
export function verifyStandbyCommands({
  standby,
  backup,
}: {
  readonly standby: DatabaseAt;
  readonly backup: PgbackrestBackup;
}): readonly PrintedCommand[] {
  const { host, port, admin, service, backupConfig } = standby.postgres;
  const where = onHost(standby.site);
  return [
    {
      where,
      command: `pgbackrest --config=${backupConfig} --stanza=${backup.stanza} info`,
      note: 'Rung 1. The newest WAL segment must be the one that was replayed; a newer one: the old primary lives.',
    },
    {
      where,
      command: `sudo -u ${service.account} pg_controldata -D ${service.dataDirectory}`,
      note: 'Rung 2. The system identifier of the primary, "in archive recovery", "End-of-backup record required: no".',
    },
    {
      where,
      command: `pg_basebackup -h ${host} -p ${port} -U ${admin.user} --target=blackhole --wal-method=none --checkpoint=fast --progress`,
      note: 'Rung 3. Reads every page; must end without a warning about checksums.',
    },
    {
      where: 'anywhere that reaches the standby',
      command: psql(
        standby,
        'SELECT pg_is_in_recovery(), pg_get_wal_replay_pause_state(), pg_last_wal_replay_lsn()',
      ),
      note: 'Rung 4. Must be: t, paused, the position written down.',
    },
  ];
}

/** A new standby by hand. */
export function buildCommands({
  primary,
  target,
  slot,
}: {
  readonly primary: DatabaseAt;
  readonly target: DatabaseAt;
  readonly slot: string;
}): readonly PrintedCommand[] {
  const { host, port, replication, admin } = primary.postgres;
  const { account, dataDirectory, logFile } = target.postgres.service;
  const where = onHost(target.site);
  return [
    {
      where: 'anywhere that reaches the new primary',
      command: psql(primary, `SELECT pg_create_physical_replication_slot('${slot}', true)`),
    },
    {
      where,
      command: `sudo -u ${account} pg_basebackup -h ${host} -p ${port} -U ${replication?.user ?? admin.user} -D ${dataDirectory} -S ${slot} -X stream -R --checkpoint=fast --progress`,
      note: 'The directory must be empty.',
    },
    {
      where,
      command: `sudo -u ${account} pg_ctl start -D ${dataDirectory} -l ${logFile} -w`,
      note: `Before: set listen_addresses, port and archive_command in its configuration to those of ${target.site}.`,
    },
    {
      where: 'anywhere that reaches the new primary',
      command: psql(primary, 'SELECT slot_name, active, restart_lsn FROM pg_replication_slots'),
      note: 'Must show it active.',
    },
  ];
}

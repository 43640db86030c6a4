import type { PrintedCommand } from '../../src/model/plan.js';
import type { PgbackrestBackup } from '../../src/runbook/schema.js';
import type { DatabaseAt } from '../contract.js';

/** Finding backup and WAL by hand. */
export function pointCommands({
  damaged,
  backup,
}: {
  readonly damaged: DatabaseAt;
  readonly backup: PgbackrestBackup;
}): readonly PrintedCommand[] {
  const { host, port, database, admin, service, backupConfig } = damaged.postgres;
  const pgbackrest = (rest: string) =>
    `pgbackrest --config=${backupConfig} --stanza=${backup.stanza} ${rest}`;
  const where = `on ${host}, as ${service.account}`;
  const bin = service.binDirectory === undefined ? '' : `${service.binDirectory}/`;
  return [
    {
      where: 'anywhere that reaches the damaged primary, if it lives',
      command: `psql -h ${host} -p ${port} -U ${admin.user} -d ${database} -Atc "SELECT pg_current_xact_id()" -c "SELECT pg_walfile_name(pg_switch_wal())"`,
      note: 'Repeat SELECT last_archived_wal FROM pg_stat_archiver until it shows that segment.',
    },
    {
      where,
      command: pgbackrest('info'),
      note: 'Take the newest backup whose stop time is before the point. Status must be ok; the exit code says nothing.',
    },
    ...backup.repositories.map(({ number, title }) => ({
      where,
      command: pgbackrest(`--repo=${number} repo-ls --recurse archive/${backup.stanza}`),
      note: `${title}: every segment from the backup's "wal start" to the point must be there, without a gap.`,
    })),
    {
      where,
      command: `${pgbackrest('archive-get <segment> /tmp/<segment>')} && TZ=UTC ${bin}pg_waldump --rmgr=Transaction /tmp/<segment> | grep COMMIT`,
      note: 'Shows the times of its commits: the segment with the first commit at or after the point is the last one needed.',
    },
  ];
}

/** Finding the end of the archive by hand, from where the database is restored to. */
export function newestCommands({
  target,
  backup,
}: {
  readonly target: DatabaseAt;
  readonly backup: PgbackrestBackup;
}): readonly PrintedCommand[] {
  const { host, service, backupConfig } = target.postgres;
  const pgbackrest = (rest: string) =>
    `pgbackrest --config=${backupConfig} --stanza=${backup.stanza} ${rest}`;
  const where = `on ${host}, as ${service.account}`;
  return [
    {
      where,
      command: pgbackrest('info'),
      note: 'Take the newest backup. Status must be ok; the exit code says nothing. "wal archive max" is the newest segment.',
    },
    ...backup.repositories.map(({ number, title }) => ({
      where,
      command: pgbackrest(`--repo=${number} repo-ls --recurse archive/${backup.stanza}`),
      note: `${title}: from the backup's "wal start" on, the first segment that is missing ends what can be replayed. Take the repository that leads furthest.`,
    })),
    {
      where,
      command: `${pgbackrest('restore --type=standby')}`,
      note: 'With a data directory restored so, replay goes on to the end of the archive and waits there. pg_last_xact_replay_timestamp() says how far it came; pause it with SELECT pg_wal_replay_pause() before anything else.',
    },
  ];
}

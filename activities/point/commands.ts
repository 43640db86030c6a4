import type { PrintedCommand } from '../../src/model/plan.js';
import { byDriver, type OfPgbackrest } from '../../src/runbook/backups.js';
import type { Backup } from '../../src/runbook/schema.js';
import { chooseArchiveCommands, earlierArchiveCommands } from '../archive/commands.js';
import type { DatabaseAt } from '../contract.js';

interface ForPoint {
  readonly damaged: DatabaseAt;
  readonly backup: Backup;
}

interface ForNewest {
  readonly target: DatabaseAt;
  readonly backup: Backup;
}

/** Finding by hand what to go back to. */
export const pointCommands: (given: ForPoint) => readonly PrintedCommand[] = byDriver({
  pgbackrest: pointInWal,
  archive: ({ backup }) => chooseArchiveCommands(backup, 'Take the newest from before the damage.'),
});

/** The same after a breach, in copies that the intruder could not change. */
export const cleanPointCommands: (given: ForPoint) => readonly PrintedCommand[] = byDriver({
  pgbackrest: pointInWal,
  archive: ({ backup }) => earlierArchiveCommands(backup),
});

/** Finding the newest by hand, from where the database is restored to. */
export const newestCommands: (given: ForNewest) => readonly PrintedCommand[] = byDriver({
  pgbackrest: endOfWal,
  archive: ({ backup }) => chooseArchiveCommands(backup, 'Take the newest.'),
});

function pointInWal({ damaged, backup }: OfPgbackrest<ForPoint>): readonly PrintedCommand[] {
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

function endOfWal({ target, backup }: OfPgbackrest<ForNewest>): readonly PrintedCommand[] {
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

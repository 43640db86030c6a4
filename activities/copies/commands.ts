import type { PrintedCommand } from '../../src/model/plan.js';
import type { ArchiveBackup, Backup, PgbackrestBackup } from '../../src/runbook/schema.js';
import { chooseArchiveCommands, loadArchiveCommands, verifyArchiveCommands } from '../archive/commands.js';
import type { DatabaseAt } from '../contract.js';

interface Places {
  readonly damaged: DatabaseAt;
  readonly standby: DatabaseAt | null;
  readonly target: DatabaseAt;
  readonly backup: Backup;
  readonly archives: Readonly<Record<string, ArchiveBackup>>;
}

/** Looking at every copy by hand. */
export function surveyCommands({
  damaged,
  standby,
  target,
  backup,
  archives,
}: Places): readonly PrintedCommand[] {
  const { account, dataDirectory } = damaged.postgres.service;
  return [
    ...(backup.driver === 'archive' ? [] : verifyRepositories(target, backup)),
    ...Object.values(archives).flatMap((each) => [
      ...chooseArchiveCommands(each, 'Write down every label: each is a copy of its own.'),
      ...earlierCommands(each),
    ]),
    ...(standby === null
      ? []
      : [
          {
            where: `anywhere that reaches ${standby.site}`,
            command: `psql -h ${standby.postgres.host} -p ${standby.postgres.port} -U ${standby.postgres.admin.user} -d ${standby.postgres.database} -c "SELECT pg_is_in_recovery(), pg_last_wal_replay_lsn(), pg_last_xact_replay_timestamp()"`,
            note: 'Must begin with t. The time says how new it is.',
          },
        ]),
    {
      where: `on the database host of ${damaged.site}`,
      command: `sudo -u ${account} pg_controldata -D ${dataDirectory}`,
      note: 'Only read. An error: nothing of it can be started.',
    },
  ];
}

function verifyRepositories(target: DatabaseAt, backup: PgbackrestBackup): readonly PrintedCommand[] {
  const pgbackrest = pgbackrestOf(target, backup);
  return backup.repositories.map(({ number, title }) => ({
    where: `on the database host of ${target.site}`,
    command: `${pgbackrest} --repo=${number} info; timeout 10m ${pgbackrest} --repo=${number} --output=text --verbose verify`,
    note: `${title}: write down which backups are valid, and the newest WAL segment without a gap before it. One that does not come to its end has met a truncated file.`,
  }));
}

/** What was overwritten or deleted lies behind the versions of now. */
function earlierCommands({ copies }: ArchiveBackup): readonly PrintedCommand[] {
  return copies.flatMap((copy) =>
    copy.driver === 's3'
      ? [
          {
            where: `anywhere that reaches ${copy.title}`,
            command: `aws s3api list-object-versions --bucket ${copy.bucket} --prefix ${copy.prefix}<system>/ --query "Versions[].[LastModified,Key,VersionId]" --region ${copy.region}${copy.endpoint === undefined ? '' : ` --endpoint-url ${copy.endpoint}`}${copy.caFile === undefined ? '' : ` --ca-bundle ${copy.caFile}`} --output text`,
            note: `${copy.title}: of an archive that was changed, the versions up to its first manifest.json are the archive as it was made (get-object --version-id).`,
          },
        ]
      : [],
  );
}

function pgbackrestOf({ postgres }: DatabaseAt, { stanza }: PgbackrestBackup): string {
  return `pgbackrest --config=${postgres.backupConfig} --stanza=${stanza}`;
}

/** Trying copies by hand: the newest first, in isolation, until one is sound. */
export function tryCommands({
  damaged,
  standby,
  target,
  backup,
  archives,
}: Places): readonly PrintedCommand[] {
  const { account, dataDirectory, logFile } = target.postgres.service;
  const where = `on the database host of ${target.site}`;
  return [
    ...(backup.driver === 'archive'
      ? []
      : [
          {
            where,
            command: `sudo -u ${account} ${pgbackrestOf(target, backup)} --repo=<n> --set=<label> --type=default --target-action=pause --archive-mode=off restore`,
            note: 'A backup. Empty the directory before each attempt; it must be that of the target.',
          },
        ]),
    ...Object.values(archives).flatMap((each) => [
      ...verifyArchiveCommands(each),
      ...loadArchiveCommands({ target, backup: each }),
    ]),
    ...(standby === null
      ? []
      : [
          {
            where,
            command: `pg_basebackup -h ${standby.postgres.host} -p ${standby.postgres.port} -U ${standby.postgres.admin.user} -D ${dataDirectory} -X fetch --checkpoint=fast --progress && pg_verifybackup ${dataDirectory}`,
            note: 'The standby: it is copied, not promoted, so that it stays as it is.',
          },
        ]),
    {
      where,
      command: `cp -a -T ${damaged.postgres.service.dataDirectory} ${dataDirectory} && rm -f ${dataDirectory}/postmaster.pid`,
      note: `The damaged server's files, where no server runs on them.`,
    },
    {
      where,
      command: `sudo -u ${account} touch ${dataDirectory}/standby.signal && sudo -u ${account} pg_ctl start -D ${dataDirectory} -l ${logFile} -w && sudo -u ${account} pg_ctl stop -D ${dataDirectory} -m fast && sudo -u ${account} pg_checksums --check -D ${dataDirectory}`,
      note: "Before: primary_conninfo = '', restore_command = 'false', listen_addresses and port of the target. Then pg_amcheck, pg_dump > /dev/null, the invariants and the application. What fails is not promoted.",
    },
  ];
}

import type { PrintedCommand } from '../../src/model/plan.js';
import { byDriver, type OfPgbackrest } from '../../src/runbook/backups.js';
import type { Backup } from '../../src/runbook/schema.js';
import { loadedControlCommands, verifyArchiveCommands, verifyLoadedCommands } from '../archive/commands.js';
import type { DatabaseAt } from '../contract.js';

export interface VerifyCommandsInput {
  /** 1 to 8, as in docs/verification.md. */
  readonly rung: number;
  readonly target: DatabaseAt;
  readonly backup: Backup;
}

/** How a rung of the ladder is climbed by hand. */
export const verifyCommands: (given: VerifyCommandsInput) => readonly PrintedCommand[] = byDriver({
  pgbackrest: verifyRestored,
  archive: ({ backup, ...given }) => {
    if (given.rung === 1) return verifyArchiveCommands(backup);
    if (given.rung === 2) return loadedControlCommands(given);
    if (given.rung === 4) return verifyLoadedCommands({ ...given, backup });
    return verifyContents(given);
  },
});

function verifyRestored({
  rung,
  target,
  backup,
}: OfPgbackrest<VerifyCommandsInput>): readonly PrintedCommand[] {
  const { host, port, database, admin, service, backupConfig } = target.postgres;
  const where = `on ${host}, as ${service.account}`;
  const bin = service.binDirectory === undefined ? '' : `${service.binDirectory}/`;
  const login = `-h ${host} -p ${port} -U ${admin.user}`;
  const psql = (statement: string) => `${bin}psql ${login} -d ${database} -Atc "${statement}"`;
  const data = service.dataDirectory;
  const pgbackrest = (repository: number) =>
    `pgbackrest --config=${backupConfig} --stanza=${backup.stanza} --repo=${repository}`;

  switch (rung) {
    case 1:
      return backup.repositories.flatMap(({ number, title }) => [
        {
          where,
          command: `${pgbackrest(number)} --output=text --verbose --log-level-stderr=info verify`,
          note: `${title}. It exits 0 whatever it finds: it must print "status: ok" and for the backup set "status: valid" with as many valid files as files. The log names what is damaged.`,
        },
        {
          where,
          command: `${pgbackrest(number)} repo-ls archive/${backup.stanza}/<archive id>/<first 16 digits of the segment>`,
          note: "Every segment from the backup's first to the one that holds the point must be there, once; for a timeline above 1 its .history file too, one folder up.",
        },
      ]);
    case 2:
      return [
        { where, command: `${bin}pg_ctl stop -D ${data} -m fast` },
        {
          where,
          command: `${bin}pg_controldata -D ${data}`,
          note: 'System identifier and timeline as on the damaged primary; state "shut down in recovery"; "End-of-backup record required: no".',
        },
      ];
    case 4:
      return [
        {
          where,
          command: psql(
            'select pg_is_in_recovery(), pg_get_wal_replay_pause_state(), pg_last_wal_replay_lsn(), pg_last_xact_replay_timestamp()',
          ),
          note: 'Must be: t, paused, the position of the restore, a time before the point.',
        },
        {
          where,
          command: `TZ=UTC ${bin}pg_waldump -p ${data}/pg_wal -t <timeline> -s <position> -n 1`,
          note: 'Must show a COMMIT or ABORT at or after the point: the first one that is not in the copy.',
        },
      ];
    default:
      return verifyContents({ rung, target });
  }
}

/** The rungs that are climbed in the same way whatever the copy was made from. */
function verifyContents({
  rung,
  target,
}: Pick<VerifyCommandsInput, 'rung' | 'target'>): readonly PrintedCommand[] {
  const { host, port, database, admin, service } = target.postgres;
  const where = `on ${host}, as ${service.account}`;
  const bin = service.binDirectory === undefined ? '' : `${service.binDirectory}/`;
  const login = `-h ${host} -p ${port} -U ${admin.user}`;
  const data = service.dataDirectory;

  switch (rung) {
    case 3:
      return [
        {
          where,
          command: `${bin}pg_checksums --check --progress -D ${data}`,
          note: 'Must end with "Bad checksums: 0".',
        },
        {
          where,
          command: `${bin}pg_ctl start -D ${data} -l ${service.logFile}`,
          note: 'Wait until replay is paused at the same position as before.',
        },
      ];
    case 5:
      return [
        {
          where,
          command: `${bin}pg_amcheck ${login} --heapallindexed --jobs=<jobs> --progress ${database}`,
          note: 'Must print no finding and exit 0. Needs the extension amcheck, which only the original can install.',
        },
      ];
    case 6:
      return [
        {
          where,
          command: `${bin}pg_dump ${login} --file=/dev/null --no-sync --verbose ${database}`,
          note: 'Must exit 0.',
        },
      ];
    case 7:
      return [
        {
          where,
          command: `${bin}psql ${login} -d ${database}`,
          note: 'Run each query of verification.invariants in the runbook: none may give a row. Sequences must stand at or beyond their columns, tables of data classes must not be empty.',
        },
      ];
    default:
      return [
        {
          where: 'on the machine that the application runs on',
          command: `MUSTER_PORT=<free port> MUSTER_DATABASE_HOST=${host} MUSTER_DATABASE_PORT=${port} <command of applications.<name>.trial>`,
          note: 'Ask its health path, then the exchanges of each function with readOnly: true; end it afterwards.',
        },
      ];
  }
}

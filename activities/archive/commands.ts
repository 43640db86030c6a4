/** What is done with archives by hand, without Muster: docs/archive.md has the same in one piece. */
import type { PrintedCommand } from '../../src/model/plan.js';
import type { ArchiveBackup, ArchiveCopy } from '../../src/runbook/schema.js';
import type { DatabaseAt } from '../contract.js';

interface Given {
  readonly target: DatabaseAt;
  readonly backup: ArchiveBackup;
}

/** Which archives there are. @param which which of them is to be taken, in words */
export function chooseArchiveCommands(backup: ArchiveBackup, which: string): readonly PrintedCommand[] {
  return backup.copies.map((copy) => ({
    where: whereIs(copy),
    command: listing(copy),
    note: `${copy.title}. A folder is an archive, named after the moment at which it was begun; one without manifest.json does not count. ${which}`,
  }));
}

/** Which archives there were before somebody could touch them. */
export function earlierArchiveCommands(backup: ArchiveBackup): readonly PrintedCommand[] {
  return backup.copies.map((copy) => ({
    where: whereIs(copy),
    command:
      copy.driver === 's3'
        ? `aws s3api list-object-versions --bucket ${copy.bucket} --prefix ${copy.prefix}<system>/${optionsOf(copy)}`
        : listing(copy),
    note: `${copy.title}. Of each object take the newest version whose LastModified is before the first sign (aws s3api get-object --version-id), whatever is listed after it. Begin with the newest archive; load it where nobody reaches it and look for the intruder as in the step before; with a sign take the next older one.`,
  }));
}

/** Rung 1: whose it is, and that all of it is there. */
export function verifyArchiveCommands(backup: ArchiveBackup): readonly PrintedCommand[] {
  return [
    ...backup.copies.map((copy) => ({
      where: whereIs(copy),
      command: fetching(copy),
      note: `${copy.title}. The first that passes what follows will do.`,
    })),
    {
      where: 'in the folder of the archive',
      command:
        'openssl pkeyutl -verify -pubin -inkey <one of signers>.pem -rawin -in manifest.json -sigfile manifest.sig',
      note: 'Must say "Signature Verified Successfully". manifest.json must name this system and the label of its folder.',
    },
    {
      where: 'in the folder of the archive',
      command: `jq -r '.parts[] | "\\(.sha256)  \\(.file)"' manifest.json | sha256sum --check --quiet`,
      note: 'Must say nothing. A file that is missing or differs: take another copy, or an older archive.',
    },
  ];
}

/** Its parts in the clear, sorted as pg_restore wants them. */
export function decryptCommand(): string {
  return 'umask 077; mkdir dump && for part in parts/*.age; do age --decrypt -i <identity> -o "dump/$(basename "$part" .age)" "$part"; done && mkdir directory && mv dump/toc.dat dump/*.dat.gz directory/';
}

/** Loading it into a new cluster, and closing that. */
export function loadArchiveCommands({ target, backup }: Given): readonly PrintedCommand[] {
  const { postgres } = target;
  const { host, port, admin, service } = postgres;
  const where = `on ${host}, as ${service.account}`;
  const data = service.dataDirectory;
  const bin = service.binDirectory === undefined ? '' : `${service.binDirectory}/`;
  const login = `-h ${host} -p ${port} -U ${admin.user}`;
  return [
    {
      where: 'in the folder of the archive, on a disk with room for it',
      command: decryptCommand(),
      note: 'With large objects also: tar -C directory -xf dump/blobs.tar && mv dump/blobs.toc directory/. An archive with the layout custom is dump/dump.custom instead of the directory.',
    },
    {
      where,
      command: `${bin}initdb -D ${data} -U ${admin.user} -W --auth=scram-sha-256 --encoding=<encoding> --lc-collate=<collate> --lc-ctype=<ctype> <--data-checksums>`,
      note: 'Encoding, locale and checksums stand in manifest.json under database.',
    },
    {
      where,
      command: [
        `cat >> ${data}/postgresql.auto.conf <<'EOF'`,
        `listen_addresses = '${host}'`,
        `port = '${port}'`,
        `unix_socket_directories = '${service.socketDirectory}'`,
        'fsync = off',
        'full_page_writes = off',
        'wal_level = minimal',
        'max_wal_senders = 0',
        'autovacuum = off',
        "maintenance_work_mem = '512MB'",
        "max_wal_size = '16GB'",
        'EOF',
        `${bin}pg_ctl start -D ${data} -l ${service.logFile}`,
      ].join('\n'),
      note: 'Nothing of this survives a crash: after one, begin again with an empty directory.',
    },
    {
      where,
      command: [
        `${bin}psql ${login} -d postgres -f dump/roles.sql`,
        `${bin}pg_restore ${login} --create --jobs=${Math.max(2, backup.jobs)} --exit-on-error --no-tablespaces --dbname=postgres directory`,
        `${bin}psql ${login} -d <database> -c "create extension if not exists amcheck"`,
      ].join('\n'),
      note: 'That a role exists already does no harm. Anything else that fails does.',
    },
    {
      where,
      command: [
        `${bin}pg_ctl stop -D ${data} -m fast`,
        `cp dump/*.conf ${data}/`,
        `cat >> ${data}/postgresql.auto.conf <<'EOF'`,
        `listen_addresses = '${host}'`,
        `port = '${port}'`,
        `unix_socket_directories = '${service.socketDirectory}'`,
        'fsync = on',
        'full_page_writes = on',
        'wal_level = replica',
        'archive_mode = off',
        "synchronous_standby_names = ''",
        'EOF',
        `${bin}initdb --sync-only -D ${data}`,
        `${bin}postgres --single -D ${data} postgres </dev/null`,
        `touch ${data}/standby.signal`,
        `${bin}pg_ctl start -D ${data} -l ${service.logFile}`,
      ].join('\n'),
      note: 'In postgresql.auto.conf no line of the loading may be left. With standby.signal the copy refuses every write until it is promoted.',
    },
  ];
}

/** Rung 2 of a loaded cluster; rung 3 is that of every copy. */
export function loadedControlCommands({ target }: Pick<Given, 'target'>): readonly PrintedCommand[] {
  const { host, service } = target.postgres;
  const where = `on ${host}, as ${service.account}`;
  const bin = service.binDirectory === undefined ? '' : `${service.binDirectory}/`;
  return [
    { where, command: `${bin}pg_ctl stop -D ${service.dataDirectory} -m fast` },
    {
      where,
      command: `${bin}pg_controldata -D ${service.dataDirectory}`,
      note: 'State "shut down in recovery", timeline 1. The system identifier is a new one: it was loaded, not copied.',
    },
  ];
}

/** Rung 4: the figures that were counted with the dump. */
export function verifyLoadedCommands({ target, backup }: Given): readonly PrintedCommand[] {
  const { host, port, database, admin } = target.postgres;
  const where = 'anywhere that reaches the copy';
  const psql = (statement: string) =>
    `psql -h ${host} -p ${port} -U ${admin.user} -d ${database} -Atc "${statement}"`;
  return [
    {
      where,
      command: psql('select pg_is_in_recovery(), pg_last_wal_replay_lsn()'),
      note: 'Must be: t, and the same position each time.',
    },
    {
      where,
      command: psql('select count(*) from <table>'),
      note: 'For each table that dump/facts.json names under rows: the same number. Sequences (pg_sequences) at or beyond those under sequences.',
    },
    ...Object.values(backup.sums).map(({ title, sql }) => ({
      where,
      command: psql(sql.replaceAll(/\s+/g, ' ').trim()),
      note: `${title}: the same as under sums.`,
    })),
  ];
}

/** The end of the recovery that a loaded copy stands in. */
export function openLoadedCommands({ target }: Pick<Given, 'target'>): readonly PrintedCommand[] {
  const { host, port, database, admin } = target.postgres;
  const where = 'anywhere that reaches the recovered copy';
  const psql = (statement: string) =>
    `psql -h ${host} -p ${port} -U ${admin.user} -d ${database} -Atc "${statement}"`;
  return [
    {
      where,
      command: psql('SELECT pg_is_in_recovery(), pg_last_wal_replay_lsn()'),
      note: 'Must be: t, and the position that was verified.',
    },
    {
      where,
      command: psql('SELECT pg_promote(true, 60)'),
      note: 'Must answer t. There is no way back from here.',
    },
    {
      where,
      command: psql('SELECT pg_is_in_recovery(), pg_walfile_name(pg_current_wal_lsn())'),
      note: 'Must be: f, and a name that begins with 00000002.',
    },
  ];
}

/** An archive of the new primary. */
export function takeArchiveCommands({ target, backup }: Given): readonly PrintedCommand[] {
  const { host, port, database, admin, service } = target.postgres;
  const login = `-h ${host} -p ${port} -U ${admin.user}`;
  const recipients = backup.recipients.map((one) => `-r ${one}`).join(' ');
  return [
    {
      where: `on ${host}, as ${service.account}`,
      command: `umask 077; set -o pipefail; pg_dump ${login} --format=custom --blobs ${backup.database ?? database} | age ${recipients} > <moment>.custom.age && pg_dumpall ${login} --roles-only | age ${recipients} > <moment>.roles.sql.age && sha256sum <moment>.* > <moment>.sha256`,
      note: `Not an archive of Muster's, but restorable by hand (docs/archive.md). Put all three into: ${backup.copies.map(({ title }) => title).join('; ')}.`,
    },
  ];
}

function whereIs(copy: ArchiveCopy): string {
  return copy.driver === 's3' ? `anywhere that reaches ${copy.title}` : `where ${copy.path} is mounted`;
}

function listing(copy: ArchiveCopy): string {
  return copy.driver === 's3'
    ? `aws s3 ls s3://${copy.bucket}/${copy.prefix}<system>/${optionsOf(copy)}`
    : `ls -r ${copy.path}/<system>`;
}

function fetching(copy: ArchiveCopy): string {
  return copy.driver === 's3'
    ? `aws s3 sync s3://${copy.bucket}/${copy.prefix}<system>/<label>/ <label>/${optionsOf(copy)}`
    : `cd ${copy.path}/<system>/<label>`;
}

function optionsOf({ endpoint, region, caFile }: Extract<ArchiveCopy, { driver: 's3' }>): string {
  return [
    endpoint === undefined ? '' : ` --endpoint-url ${endpoint}`,
    ` --region ${region}`,
    caFile === undefined ? '' : ` --ca-bundle ${caFile}`,
  ].join('');
}

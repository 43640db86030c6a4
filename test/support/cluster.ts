/**
 * A small cluster with its archive, for tests of the drivers: one primary, two encrypted pgBackRest repositories on disk, a
 * backup in each, a little data with marks in time, and a place for a target.
 */
import { chmod, chown, mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir, userInfo } from 'node:os';
import { join } from 'node:path';
import type pg from 'pg';
import type { DatabaseAt, RecoveryPoint, StepRef } from '../../activities/contract.js';
import { adminOf, programOf, serviceOf } from '../../activities/service/index.js';
import { withClient } from '../../src/postgres.js';
import { accountIds, runTool } from '../../src/process.js';
import { backupConfigOf } from '../../src/runbook/backup-config.js';
import type { PgbackrestBackup, PostgresSite } from '../../src/runbook/schema.js';

/** A moment between two transactions, and the WAL that it needs. */
export interface Mark {
  readonly time: string;
  readonly walEnd: string;
}

export interface TestCluster {
  readonly folder: string;
  readonly account: string;
  readonly primary: DatabaseAt;
  readonly target: DatabaseAt;
  readonly backup: PgbackrestBackup;
  readonly at: StepRef;
  /** Moments: 100 entries; 200 entries; amounts rewritten, an orphan, a number beyond its sequence. */
  readonly marks: { readonly hundred: Mark; readonly twoHundred: Mark; readonly rewritten: Mark };
  readonly labels: Readonly<Record<number, string>>;
  point(mark: Mark, repositories?: readonly number[]): RecoveryPoint;
  /** The same with another configuration, for instance of damaged repositories. */
  withConfig(config: string): DatabaseAt;
  /** A configuration whose first repository is an object store at which nothing listens. */
  deadFirstRepository(): Promise<string>;
  /** Copies the repositories so that they can be damaged, and returns the configuration that leads to the copy. */
  copyRepositories(name: string): Promise<{ readonly config: string; readonly folder: string }>;
  as<T>(site: DatabaseAt, work: (client: pg.Client) => Promise<T>): Promise<T>;
  /** Stops the servers and removes everything. */
  close(): Promise<void>;
}

const PASSWORD = 'only-for-tests';

export async function startTestCluster(): Promise<TestCluster> {
  const account = userInfo().uid === 0 ? 'postgres' : userInfo().username;
  const folder = await mkdtemp(join(tmpdir(), 'muster-cluster-'));
  const own = async (path: string) => {
    const { uid, gid } = accountIds(account);
    if (userInfo().uid === 0) await chown(path, uid, gid);
  };
  await chmod(folder, 0o755);
  await own(folder);
  for (const name of ['repo1', 'repo2', 'lock', 'log', 'run', 'space']) {
    await mkdir(join(folder, name), { mode: 0o750 });
    await own(join(folder, name));
  }
  await writeFile(join(folder, 'password'), `${PASSWORD}\n`, { mode: 0o600 });
  await own(join(folder, 'password'));

  const [primaryPort, targetPort] = [await freePort(), await freePort()];
  const siteOf = (site: string, port: number): DatabaseAt => ({
    site,
    postgres: {
      host: '127.0.0.1',
      port,
      database: 'ledger',
      admin: { user: 'muster', password: `file:${join(folder, 'password')}` },
      application: { user: 'payymo_app', password: `file:${join(folder, 'password')}` },
      service: {
        driver: 'pg-ctl',
        account,
        dataDirectory: join(folder, site),
        socketDirectory: join(folder, 'run'),
        logFile: join(folder, 'log', `${site}.log`),
      },
      backupConfig: join(folder, `${site}.conf`),
    } satisfies PostgresSite,
  });
  const primary = siteOf('primary', primaryPort);
  const target = siteOf('target', targetPort);
  const writeConfig = async (file: string, postgres: PostgresSite, repositories: string) => {
    await writeFile(file, configOf(folder, postgres, repositories), { mode: 0o600 });
    await own(file);
  };
  await writeConfig(backupConfigOf(primary.postgres), primary.postgres, folder);
  await writeConfig(backupConfigOf(target.postgres), target.postgres, folder);

  const run = async (program: string, args: readonly string[]) => {
    const outcome = await runTool(program, args, { account, timeoutMs: 120_000 });
    if (outcome.exitCode !== 0) throw new Error(`${program}: ${outcome.stdout}${outcome.stderr}`);
    return outcome.stdout;
  };
  const pgbackrest = (...args: string[]) =>
    run('pgbackrest', [`--config=${primary.postgres.backupConfig}`, '--stanza=main', ...args]);
  const as: TestCluster['as'] = (site, work) =>
    withClient(adminOf(site.postgres), { statementTimeoutMs: 60_000, applicationName: 'test' }, work);

  await run(await programOf(primary.postgres, 'initdb'), [
    ...['-D', primary.postgres.service.dataDirectory, '-U', 'muster', '-k', '--no-sync', '-E', 'UTF8'],
    ...['--locale=C.UTF-8', '--auth-local=trust', '--auth-host=scram-sha-256'],
    `--pwfile=${join(folder, 'password')}`,
  ]);
  await writeFile(
    join(primary.postgres.service.dataDirectory, 'postgresql.conf'),
    [
      "listen_addresses = '127.0.0.1'",
      `port = ${primaryPort}`,
      `unix_socket_directories = '${join(folder, 'run')}'`,
      'fsync = off',
      "shared_buffers = '16MB'",
      'max_wal_senders = 2',
      'archive_mode = on',
      `archive_command = 'pgbackrest --config=${primary.postgres.backupConfig} --stanza=main archive-push %p'`,
      '',
    ].join('\n'),
  );
  await serviceOf(primary.postgres).start('ready');
  await withClient(
    { ...adminOf(primary.postgres), database: 'postgres' },
    { statementTimeoutMs: 60_000, applicationName: 'test' },
    (client) => client.query('create database ledger'),
  );
  await as(primary, (client) => client.query(SEED));
  // A statement that allows no others beside it.
  await as(primary, (client) => client.query(`create tablespace spare location '${join(folder, 'space')}'`));
  await as(primary, (client) =>
    client.query('create table ledger.spare tablespace spare as select generate_series(1, 10) as id'),
  );
  await pgbackrest('stanza-create');
  await pgbackrest('--repo=1', '--type=full', 'backup');
  await pgbackrest('--repo=2', '--type=full', 'backup');
  const labels: Record<number, string> = {};
  for (const repository of [1, 2]) {
    const names = await readdir(join(folder, `repo${repository}`, 'backup', 'main'));
    labels[repository] = names.find((name) => /F$/.test(name)) ?? '';
  }

  // Only a backup that ended in an earlier second is certain to have ended before a moment.
  const backedUp = Math.floor(Date.now() / 1000);
  await until('the second of the last backup is over', async () => Date.now() / 1000 >= backedUp + 1);
  const mark = async (): Promise<Mark> =>
    as(primary, async (client) => {
      // Commits carry microseconds: the mark must lie strictly between two of them.
      await client.query('select pg_sleep(0.01)');
      const { rows } = await client.query<Mark>(
        `select to_char(clock_timestamp() at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"') as time,
           pg_walfile_name(pg_current_wal_lsn()) as "walEnd"`,
      );
      await client.query('select pg_sleep(0.01)');
      return rows[0] as Mark;
    });
  const write = (sql: string) => as(primary, (client) => client.query(sql));
  await write(entries(1, 100));
  const hundred = await mark();
  await write(entries(101, 200));
  await write('select pg_switch_wal()');
  await write('insert into ledger.notes values (1)');
  const twoHundred = await mark();
  await write(DAMAGE);
  const rewritten = await mark();
  await write('insert into ledger.notes values (2)');
  await write('select pg_switch_wal()');
  await until('the last segment is archived', () =>
    as(primary, async (client) => {
      const { rows } = await client.query<{ done: boolean }>(
        'select last_archived_wal >= $1 as done from pg_stat_archiver',
        [rewritten.walEnd],
      );
      return rows[0]?.done === true;
    }),
  );
  const control = await serviceOf(primary.postgres).control();
  const info = JSON.parse(await pgbackrest('info', '--output=json')) as readonly {
    readonly backup: readonly {
      readonly label: string;
      readonly archive: { readonly start: string };
      readonly info: { readonly size: number };
      readonly timestamp: { readonly stop: number };
    }[];
  }[];

  return {
    folder,
    account,
    primary,
    target,
    labels,
    as,
    marks: { hundred, twoHundred, rewritten },
    backup: {
      driver: 'pgbackrest',
      stanza: 'main',
      repositories: [
        { number: 1, title: 'west', failureDomain: 'a' },
        { number: 2, title: 'east', failureDomain: 'b' },
      ],
      processes: 2,
      schedule: [],
      retention: [],
    },
    at: { runId: 'run-1', system: 'payymo', scenario: 'corruption', mode: 'real', step: 'test' },
    point(at, repositories = [1, 2]) {
      const repository = repositories[0] ?? 1;
      const found = info[0]?.backup.find((one) => one.label === labels[repository]);
      if (found === undefined) throw new Error('no backup');
      const number = (segment: string) => Number.parseInt(segment.slice(16), 16);
      return {
        time: at.time,
        asked: at.time,
        systemIdentifier: control.systemIdentifier,
        timeline: 1,
        backup: {
          label: found.label,
          repository,
          type: 'full',
          stoppedAt: new Date(found.timestamp.stop * 1000).toISOString(),
          databaseBytes: found.info.size,
          walStart: found.archive.start,
        },
        usableRepositories: repositories,
        walSegments: number(at.walEnd) - number(found.archive.start) + 1,
        walEnd: at.walEnd,
        loses: {},
        summary: 'a point',
      };
    },
    withConfig: (config) => ({ ...target, postgres: { ...target.postgres, backupConfig: config } }),
    async deadFirstRepository() {
      const config = join(folder, 'dead.conf');
      await writeConfig(config, target.postgres, folder);
      const dead = [
        ...['repo1-path=/', 'repo1-type=s3', 'repo1-s3-bucket=west', 'repo1-s3-region=us-west-2'],
        ...['repo1-s3-endpoint=localhost', `repo1-storage-port=${await freePort()}`],
        ...['repo1-s3-key=unused', 'repo1-s3-key-secret=unused', 'repo1-s3-uri-style=path'],
      ];
      const text = await readFile(config, 'utf8');
      await writeFile(config, text.replace(/^repo1-path=.*$/m, dead.join('\n')));
      return config;
    },
    async copyRepositories(name) {
      const copy = join(folder, name);
      await mkdir(copy);
      await own(copy);
      for (const repository of ['repo1', 'repo2']) {
        await run('cp', ['-a', join(folder, repository), join(copy, repository)]);
      }
      const config = join(folder, `${name}.conf`);
      await writeConfig(config, target.postgres, copy);
      return { config, folder: copy };
    },
    async close() {
      for (const site of [primary, target]) await serviceOf(site.postgres).stop('immediate');
      await rm(folder, { recursive: true, force: true });
    },
  };
}

// No row of holders is touched after the backup: replay brings no page of it back.
const SEED = `
  create extension amcheck;
  create schema ledger;
  create table ledger.holders (id int primary key, name text not null);
  create table ledger.accounts (id int primary key, holder int not null references ledger.holders, updated_at timestamptz not null default now());
  create table ledger.entries (
    id bigint generated by default as identity primary key,
    account int not null references ledger.accounts,
    amount bigint not null check (amount <> 0),
    at timestamptz not null default clock_timestamp()
  );
  create index on ledger.entries (account);
  create table ledger.notes (id int primary key);
  create table ledger.nothing (at timestamptz);
  insert into ledger.holders select id, 'holder ' || id from generate_series(1, 50) id;
  insert into ledger.accounts select id, id from generate_series(1, 50) id;`;

const DAMAGE = `
  update ledger.entries set amount = amount * 7;
  insert into ledger.entries (id, account, amount) values (5000, 1, 1);
  set session_replication_role = replica;
  insert into ledger.entries (account, amount) values (999, 1);
  reset session_replication_role;`;

function entries(first: number, last: number): string {
  return `insert into ledger.entries (account, amount) select 1 + id % 50, id from generate_series(${first}, ${last}) id`;
}

function configOf(folder: string, postgres: PostgresSite, repositories: string): string {
  const repository = (number: number) => [
    `repo${number}-path=${repositories}/repo${number}`,
    `repo${number}-bundle=y`,
    `repo${number}-cipher-type=aes-256-cbc`,
    `repo${number}-cipher-pass=test-passphrase-${number}`,
    `repo${number}-retention-full=9`,
  ];
  return [
    '[global]',
    ...repository(1),
    ...repository(2),
    'compress-type=zst',
    'compress-level=1',
    'log-level-file=off',
    `lock-path=${folder}/lock`,
    'start-fast=y',
    'job-retry-interval=0.1',
    '[main]',
    `pg1-path=${postgres.service.dataDirectory}`,
    `pg1-port=${postgres.port}`,
    `pg1-socket-path=${postgres.service.socketDirectory}`,
    'pg1-user=muster',
    'pg1-database=ledger',
    '',
  ].join('\n');
}

/** Waits for something that has no event; fails after half a minute. */
export async function until(what: string, done: () => Promise<boolean>): Promise<void> {
  const deadline = Date.now() + 30_000;
  while (!(await done())) {
    if (Date.now() > deadline) throw new Error(`waited in vain: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

async function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once('error', reject);
    server.listen(0, '127.0.0.1', () => {
      const address = server.address();
      server.close(() => resolve(typeof address === 'object' && address !== null ? address.port : 0));
    });
  });
}

/** Changes one byte of a file. */
export async function flipByte(file: string, offset: number): Promise<void> {
  const bytes = await readFile(file);
  bytes[offset] = (bytes[offset] ?? 0) ^ 0x40;
  await writeFile(file, bytes);
}

import { appendFile, chmod, chown, mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import pg from 'pg';
import type { DatabaseAt } from '../../../activities/contract.js';
import { binDirectoryOf } from '../../../activities/service/index.js';
import { databaseAccount } from '../../../lab/account.js';
import { freePorts } from '../../../lab/ports.js';
import { lastLines, run } from '../../../lab/process.js';
import { temporaryFolder } from './folder.js';

const ADMIN_PASSWORD = 'admin-secret';
export const APP_PASSWORD = 'app-secret';

/** A small PostgreSQL server with an administrator (`muster`), an application (`app`), a database `ledger` and an archive. */
export interface TestCluster {
  readonly at: DatabaseAt;
  /** Everything of it lies here. */
  readonly folder: string;
  readonly archive: string;
  start(): Promise<void>;
  /** `immediate` unless told otherwise: what a crash leaves behind. */
  stop(mode?: 'fast' | 'immediate'): Promise<void>;
  /** A connection as the administrator, over TCP. */
  admin<T>(work: (client: pg.Client) => Promise<T>, database?: string): Promise<T>;
  /** A connection that the caller ends; breaking off is no error. */
  open(user: string, password?: string, database?: string): Promise<pg.Client>;
  remove(): Promise<void>;
}

export interface ClusterOptions {
  readonly site?: string;
  /** Where its segments are put and fetched; its own folder when absent. */
  readonly archive?: string;
  /** Files to begin with instead of a new cluster. */
  readonly copyOf?: TestCluster;
  /** No cluster at all: a place for one. */
  readonly empty?: true;
  /** Lines for postgresql.auto.conf. */
  readonly settings?: readonly string[];
}

export async function makeCluster(options: ClusterOptions = {}): Promise<TestCluster> {
  const account = await databaseAccount();
  const folder = await temporaryFolder('pg');
  await chown(folder.path, account.uid, account.gid);
  const { port } = await freePorts({ port: { addresses: ['127.0.0.1'] } });
  const path = (name: string) => join(folder.path, name);
  const archive = options.archive ?? path('archive');
  const at: DatabaseAt = {
    site: options.site ?? 'west',
    postgres: {
      host: '127.0.0.1',
      port,
      database: 'ledger',
      admin: { user: 'muster', password: `file:${path('admin')}` },
      application: { user: 'app', password: `file:${path('app')}` },
      service: {
        driver: 'pg-ctl',
        account: account.name,
        dataDirectory: path('data'),
        socketDirectory: folder.path,
        logFile: path('postgresql.log'),
      },
      backupConfig: path('pgbackrest.conf'),
    },
  };
  const bin = await binDirectoryOf(at.postgres);
  const tool = (name: string, ...args: string[]) =>
    run(join(bin, name), args, { cwd: folder.path, timeoutMs: 60_000, account });
  await writeFile(path('admin'), ADMIN_PASSWORD);
  await writeFile(path('app'), APP_PASSWORD);
  if (options.archive === undefined) {
    await mkdir(archive);
    await chown(archive, account.uid, account.gid);
    await chmod(archive, 0o755);
  }
  const data = path('data');
  const fresh = options.copyOf === undefined && options.empty === undefined;
  if (fresh) {
    await tool(
      'initdb',
      '-D',
      data,
      '-U',
      'muster',
      '--no-sync',
      '--auth=scram-sha-256',
      `--pwfile=${path('admin')}`,
    );
  } else if (options.copyOf !== undefined) {
    await run('cp', ['-a', options.copyOf.at.postgres.service.dataDirectory, data], {
      cwd: folder.path,
      timeoutMs: 60_000,
      account,
    });
  }
  const settings = [
    `port = ${port}`,
    `unix_socket_directories = '${folder.path}'`,
    "listen_addresses = '127.0.0.1'",
    'fsync = off',
    'shared_buffers = 16MB',
    'archive_mode = on',
    `archive_command = 'test ! -f ${archive}/%f && cp %p ${archive}/%f'`,
    `restore_command = 'cp ${archive}/%f %p'`,
    ...(options.settings ?? []),
  ];
  if (options.empty === undefined) {
    await appendFile(join(data, 'postgresql.auto.conf'), `${settings.join('\n')}\n`);
  }

  const open = async (user: string, password = ADMIN_PASSWORD, database = 'ledger') => {
    const client = new pg.Client({ host: '127.0.0.1', port, user, password, database });
    client.on('error', () => undefined);
    await client.connect();
    return client;
  };
  const cluster: TestCluster = {
    at,
    folder: folder.path,
    archive,
    start: async () => {
      await tool('pg_ctl', 'start', '-D', data, '-l', path('postgresql.log'), '-w', '-s').catch(
        async (error) => {
          const lines = await lastLines(path('postgresql.log'), 5);
          throw new Error(`the server does not start: ${lines.join('\n')}`, { cause: error });
        },
      );
    },
    stop: async (mode = 'immediate') => {
      await tool('pg_ctl', 'stop', '-D', data, '-m', mode, '-s').catch(() => undefined);
    },
    open,
    admin: async (work, database = 'ledger') => {
      const client = await open('muster', ADMIN_PASSWORD, database);
      try {
        return await work(client);
      } finally {
        await client.end();
      }
    },
    remove: async () => {
      await cluster.stop();
      await folder.remove();
    },
  };
  if (fresh) {
    await cluster.start();
    await cluster.admin(async (client) => {
      await client.query('create database ledger');
      await client.query(`create role app login password '${APP_PASSWORD}'`);
    }, 'postgres');
    await cluster.admin((client) =>
      client.query(`
        create table payment (id uuid primary key default gen_random_uuid(), at timestamptz not null default clock_timestamp(), amount integer not null default 1);
        grant select, insert, update, delete on payment to app`),
    );
  }
  return cluster;
}

/** The data class of the fixture's only table. */
export const PAYMENTS = {
  rpo: 300_000,
  component: 'database',
  table: 'public.payment',
  key: 'id',
  time: 'at',
} as const;

/** System identifier and timeline, as a recovery point has them. */
export async function generationOf(
  cluster: TestCluster,
): Promise<{ systemIdentifier: string; timeline: number }> {
  return cluster.admin(async (client) => {
    const { rows } = await client.query(
      'select s.system_identifier::text as id, c.timeline_id as timeline from pg_control_system() s, pg_control_checkpoint() c',
    );
    return { systemIdentifier: rows[0].id, timeline: rows[0].timeline };
  }, 'postgres');
}

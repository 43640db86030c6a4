import { appendFile, chown, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import pg from 'pg';
import type { Account } from '../account.js';
import { makePrivateFolder } from '../folders.js';
import type { ClusterLayout } from '../layout.js';
import { run } from '../process.js';
import type { PartName } from '../state.js';
import type { PartSpec } from './part.js';

/** A login over TCP. */
export interface Login {
  readonly user: string;
  readonly password: string | (() => Promise<string>);
  readonly database: string;
}

/** Address, port, socket folder and archive command: what belongs to the site and not to the cluster. */
const SITE_SETTINGS = 'site.conf';

/** Settings that belong to the cluster wherever it runs; they lie in the data directory, so a restored copy has them too. */
const COMMON = `
include_if_exists = '${SITE_SETTINGS}'
password_encryption = scram-sha-256
timezone = UTC
log_timezone = UTC
log_line_prefix = '%m [%p] %q%u@%d '
log_checkpoints = on
`;

const LEDGER = `${COMMON}
wal_level = replica
archive_mode = on
archive_timeout = 60
max_wal_senders = 5
track_commit_timestamp = on
shared_buffers = 256MB
maintenance_work_mem = 256MB
max_wal_size = 2GB
min_wal_size = 80MB
checkpoint_timeout = 15min
`;

const WORLD = `${COMMON}
wal_level = replica
max_wal_senders = 5
track_commit_timestamp = on
shared_buffers = 64MB
max_wal_size = 512MB
min_wal_size = 80MB
`;

/** The same with its WAL in an archive. */
const ARCHIVING = `${WORLD}
archive_mode = on
archive_timeout = 60
`;

const STORE = `${COMMON}
wal_level = minimal
max_wal_senders = 0
archive_mode = off
shared_buffers = 64MB
`;

const SETTINGS = { ledger: LEDGER, world: WORLD, 'world-archiving': ARCHIVING, store: STORE } as const;

/** Socket connections need no password: the socket's folder is open to the database account alone. */
const HBA = `# TYPE  DATABASE     USER  ADDRESS       METHOD
local   all          all                 trust
local   replication  all                 trust
host    all          all   127.0.0.0/8   scram-sha-256
host    replication  all   127.0.0.0/8   scram-sha-256
`;

/** Makes the folders of a cluster except for its data directory, owned by the database account, mode 0700. */
export async function makeClusterFolders(layout: ClusterLayout, account: Account): Promise<void> {
  for (const folder of [layout.base, layout.socket, dirname(layout.logFile)]) {
    await makePrivateFolder(folder, account);
  }
}

/** Makes an empty cluster with data checksums, superuser `postgres`, and the settings of its kind. */
export async function initCluster(
  layout: ClusterLayout,
  kind: keyof typeof SETTINGS,
  how: { bin: string; account: Account },
): Promise<void> {
  await run(
    join(how.bin, 'initdb'),
    [
      ...['-D', layout.data, '-U', 'postgres', '--data-checksums', '--no-sync', '--encoding=UTF8'],
      ...['--locale=C.UTF-8', '--auth-local=trust', '--auth-host=scram-sha-256'],
    ],
    { cwd: layout.base, timeoutMs: 60_000, account: how.account },
  );
  await appendFile(join(layout.data, 'postgresql.conf'), SETTINGS[kind]);
  await writeFile(join(layout.data, 'pg_hba.conf'), HBA, { mode: 0o600 });
}

/** Settings of a cluster at its site. They are in the data directory, so that `pg_ctl` alone can start it again. */
export async function writeSiteSettings(
  layout: ClusterLayout,
  account: Account,
  settings: Readonly<Record<string, string>>,
): Promise<void> {
  const file = join(layout.data, SITE_SETTINGS);
  const lines = Object.entries(settings).map(([name, value]) => `${name} = '${value.replaceAll("'", "''")}'`);
  await writeFile(file, `${lines.join('\n')}\n`, { mode: 0o600 });
  await chown(file, account.uid, account.gid);
}

/** The settings by which a cluster listens on one address and on its private socket. */
export function listening(layout: ClusterLayout, address: string, port: number): Record<string, string> {
  return {
    listen_addresses: address,
    port: String(port),
    unix_socket_directories: layout.socket,
  };
}

/** How a cluster of the lab is run. */
export interface ClusterRun {
  readonly name: PartName;
  readonly layout: ClusterLayout;
  readonly bin: string;
  readonly account: Account;
  /** Where it answers, according to its settings. */
  readonly address: string;
  readonly port: number;
  /** Settings for this time alone, over those in the data directory. */
  readonly settings?: Readonly<Record<string, string>>;
  /** Logs in over TCP to see that it answers; undefined: as `postgres` over the socket. */
  readonly login?: Login;
}

/** The process of a cluster; it answers when a login succeeds and a query is answered. */
export function postgresPart(cluster: ClusterRun): PartSpec {
  const { layout, port, address, settings = {} } = cluster;
  return {
    name: cluster.name,
    command: join(cluster.bin, 'postgres'),
    args: [
      '-D',
      layout.data,
      ...Object.entries(settings).flatMap(([name, value]) => ['-c', `${name}=${value}`]),
    ],
    env: {},
    cwd: layout.base,
    account: cluster.account,
    address: address === '' ? layout.socket : `${address}:${port}`,
    logFile: layout.logFile,
    dataDir: layout.data,
    stopSignal: 'SIGQUIT',
    deadlineMs: 60_000,
    answers: async () => {
      const client = cluster.login
        ? new pg.Client({
            host: address,
            port,
            connectionTimeoutMillis: 2_000,
            query_timeout: 2_000,
            ...cluster.login,
          })
        : socketClient(layout, port, 'postgres');
      await withClient(client, (connected) => connected.query('select 1'));
    },
  };
}

/** A client, not yet connected, as superuser over the cluster's private socket. */
export function socketClient(layout: ClusterLayout, port: number, database: string): pg.Client {
  return new pg.Client({
    host: layout.socket,
    port,
    user: 'postgres',
    database,
    connectionTimeoutMillis: 5_000,
  });
}

/** Connects, does the work, and closes the connection whatever happens. */
export async function withClient<T>(client: pg.Client, work: (client: pg.Client) => Promise<T>): Promise<T> {
  // A connection that breaks while idle raises 'error'; the next query fails and says so.
  client.on('error', () => undefined);
  try {
    await client.connect();
    return await work(client);
  } finally {
    await client.end().catch(() => undefined);
  }
}

/** A real PostgreSQL server for one test file: own folder, free port, loopback only, gone afterwards. */
import { execFileSync, spawnSync } from 'node:child_process';
import { chownSync, existsSync, mkdtempSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pg from 'pg';

export interface TestServer {
  readonly host: '127.0.0.1';
  readonly port: number;
  readonly folder: string;
  /** Superuser `postgres`, no password. */
  connect(database?: string): Promise<pg.Client>;
  start(): Promise<void>;
  /** As a crash does: connections break. */
  stop(): void;
  /** Process id of the postmaster. */
  pid(): number;
  remove(): void;
}

/** Makes a cluster and starts it; anybody on loopback may log in as anybody. */
export async function startPostgres(): Promise<TestServer> {
  const folder = mkdtempSync(join(tmpdir(), 'muster-pg-'));
  const data = join(folder, 'data');
  const account = databaseAccount();
  if (account !== undefined) chownSync(folder, account.uid, account.gid);
  const run = (program: string, args: readonly string[]) => {
    const outcome = spawnSync(join(binDirectory(), program), [...args], {
      cwd: folder,
      encoding: 'utf8',
      stdio: ['ignore', 'ignore', 'pipe'],
      ...account,
    });
    if (outcome.status !== 0) throw new Error(`${program}: ${outcome.stderr}`);
  };
  run('initdb', [
    '-D',
    data,
    '-U',
    'postgres',
    '--auth=trust',
    '--no-sync',
    '--encoding=UTF8',
    '--locale=C.UTF-8',
  ]);
  const port = await freePort();
  const settings = {
    listen_addresses: '127.0.0.1',
    port: String(port),
    unix_socket_directories: '',
    fsync: 'off',
    shared_buffers: '16MB',
  };
  const options = Object.entries(settings)
    .map(([name, value]) => `-c ${name}=${value === '' ? "''" : value}`)
    .join(' ');
  const server: TestServer = {
    host: '127.0.0.1',
    port,
    folder,
    connect: async (database = 'postgres') => {
      const client = new pg.Client({ host: '127.0.0.1', port, user: 'postgres', database });
      client.on('error', () => undefined);
      await client.connect();
      return client;
    },
    start: async () => {
      run('pg_ctl', ['start', '-w', '-D', data, '-o', options, '-l', join(folder, 'log')]);
    },
    stop: () => run('pg_ctl', ['stop', '-w', '-m', 'immediate', '-D', data]),
    pid: () => Number(execFileSync('head', ['-1', join(data, 'postmaster.pid')], { encoding: 'utf8' })),
    remove: () => {
      if (existsSync(join(data, 'postmaster.pid'))) server.stop();
      rmSync(folder, { recursive: true, force: true });
    },
  };
  await server.start();
  return server;
}

/** PostgreSQL refuses to run as root: root uses the account that the server's packages create. */
function databaseAccount(): { uid: number; gid: number } | undefined {
  if (process.getuid?.() !== 0) return undefined;
  const id = (flag: string) => Number(execFileSync('id', [flag, 'postgres'], { encoding: 'utf8' }));
  return { uid: id('-u'), gid: id('-g') };
}

function binDirectory(): string {
  const usual = '/usr/lib/postgresql/15/bin';
  if (existsSync(join(usual, 'initdb'))) return usual;
  const found = execFileSync('which', ['initdb'], { encoding: 'utf8' }).trim();
  return found.slice(0, found.lastIndexOf('/'));
}

function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const probe = createServer();
    probe.on('error', reject);
    probe.listen(0, '127.0.0.1', () => {
      const address = probe.address();
      probe.close(() => resolve(typeof address === 'object' && address !== null ? address.port : 0));
    });
  });
}

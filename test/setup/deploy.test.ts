/** What the containers run, run here with the same programs: scripts, servers' settings and health checks. */
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { closeSync, mkdirSync, openSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { request } from 'node:https';
import { hostname } from 'node:os';
import path from 'node:path';
import { Connection } from '@temporalio/client';
import pg from 'pg';
import { freePorts } from '../../lab/ports.js';
import { waitFor } from '../../lab/wait.js';
import { loadParts } from '../../src/parts.js';
import { startPostgres, type TestServer } from '../support/postgres.js';
import { sharedTemporal } from '../support/temporal.js';
import { readCompose } from './compose-rules.js';
import { temporaryFolder } from './support.js';

const parts = loadParts();
const { services } = readCompose(readFileSync('docker-compose.yml', 'utf8'));
const loopback = { addresses: ['127.0.0.1'] };
const started: ChildProcess[] = [];

function start(
  program: string,
  args: readonly string[],
  env: Record<string, string>,
  cwd: string,
): ChildProcess {
  const log = openSync(path.join(env.LOG_FOLDER ?? cwd, 'log'), 'a');
  const child = spawn(program, args, {
    cwd,
    env: { PATH: process.env.PATH ?? '', HOME: cwd, ...env },
    stdio: ['ignore', log, log],
  });
  closeSync(log);
  started.push(child);
  return child;
}

async function stop(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const ended = new Promise((resolve) => child.once('exit', resolve));
  child.kill('SIGTERM');
  const late = setTimeout(() => child.kill('SIGKILL'), 10_000);
  await ended;
  clearTimeout(late);
}

function node(script: string, args: readonly string[], env: Record<string, string>) {
  return spawnSync(process.execPath, [script, ...args], {
    encoding: 'utf8',
    timeout: 30_000,
    env: { PATH: process.env.PATH ?? '', ...env },
  });
}

afterAll(async () => {
  await Promise.all(started.map(stop));
});

test('the certificates are good for their servers, kept, and their keys private', async () => {
  const folder = temporaryFolder();
  const make = () =>
    spawnSync('sh', ['deploy/certificates/make.sh', folder, 'store', 's3-west'], { encoding: 'utf8' });
  expect(make()).toMatchObject({ status: 0, stdout: 'certificates: made for store s3-west\n', stderr: '' });
  const file = (name: string) => path.join(folder, name);
  const check = (name: string) =>
    spawnSync(parts.openssl.path, [
      'verify',
      '-CAfile',
      file('authority.crt'),
      '-verify_hostname',
      name,
      file('store.crt'),
    ]);
  expect(check('store').status).toBe(0);
  expect(check('s3-west').status).not.toBe(0);
  expect(statSync(file('store.key')).mode & 0o777).toBe(0o600);

  const before = readFileSync(file('store.crt'), 'utf8');
  expect(make().stdout).toBe('certificates: there already\n');
  expect(readFileSync(file('store.crt'), 'utf8')).toBe(before);
  expect(() => statSync(file('authority.key'))).toThrow('ENOENT');
});

test('object storage takes its settings from the environment that its service has, and is healthy over TLS', async () => {
  const folder = temporaryFolder();
  const { port } = await freePorts({ port: loopback });
  spawnSync('sh', ['deploy/certificates/make.sh', folder, 's3-west']);
  for (const name of ['objects', 'versions']) mkdirSync(path.join(folder, name));
  const service = services['s3-west'];
  const place = (text: string) => text.replace('/certificates', folder).replace('/data', folder);
  const environment = Object.entries(service?.environment ?? {}).map(([key, value]) => [key, place(value)]);
  const command = ((service?.command ?? []) as string[]).map(place);
  start(
    parts.versitygw.path,
    command,
    { ...Object.fromEntries(environment), VGW_PORT: `127.0.0.1:${port}` },
    folder,
  );

  const url = service?.healthcheck?.test?.at(-1)?.replace('7070', String(port)) ?? '';
  const ca = readFileSync(path.join(folder, 'authority.crt'));
  await waitFor({ what: 'the health page', deadlineMs: 20_000 }, async () => {
    const status = await new Promise<number | undefined>((resolve, reject) => {
      request(url, { ca, timeout: 2_000 }, (response) => {
        response.resume();
        resolve(response.statusCode);
      })
        .on('error', reject)
        .end();
    });
    expect(status).toBe(200);
  });
});

test('the DNS server answers for the zone that the Route 53 API was given, and for the same one after a restart', async () => {
  const folder = temporaryFolder();
  const { api, dns } = await freePorts({ api: loopback, dns: { ...loopback, udp: 'udp' } });
  const settings = services.route53?.environment ?? {};
  const apiEnvironment = {
    ...settings,
    GATEWAY_PORT: String(api),
    BIND_HOST: '127.0.0.1',
    STATE_DIR: path.join(folder, 'state'),
  };
  const access = {
    AWS_REGION: 'us-east-1',
    AWS_ENDPOINT_URL: `http://127.0.0.1:${api}`,
    AWS_ACCESS_KEY_ID: 'any',
    AWS_SECRET_ACCESS_KEY: 'any',
    AWS_EC2_METADATA_DISABLED: 'true',
  };
  const health = new URL('/_ministack/health', access.AWS_ENDPOINT_URL);
  const healthy = () =>
    waitFor({ what: 'the Route 53 API', deadlineMs: 30_000 }, async () =>
      expect((await fetch(health)).ok).toBe(true),
    );
  expect(JSON.stringify(services.route53?.healthcheck)).toContain(health.pathname);

  const first = start(parts.ministack.path, [], apiEnvironment, folder);
  await healthy();
  const zoneFile = path.join(folder, 'zone.conf');
  const prepare = () =>
    node('deploy/dns/prepare-zone.mjs', ['payymo.internal', zoneFile, String(dns)], access);
  const made = prepare();
  expect(made).toMatchObject({
    status: 0,
    stdout: expect.stringMatching(/^zone payymo\.internal is Z\w+\n$/),
  });

  const corefile = path.join(folder, 'Corefile');
  const text = readFileSync('deploy/dns/Corefile', 'utf8').replace('/zone/zone.conf', 'zone.conf');
  writeFileSync(corefile, text.replace('errors', 'errors\n    bind 127.0.0.1'));
  const ask =
    services.dns?.healthcheck?.test?.at(-1)?.replaceAll('$$', '$').replace('dig ', `dig -p ${dns} `) ?? '';
  const answers = () =>
    spawnSync('sh', ['-c', ask], { env: { PATH: `${parts.dig.extra.binDir}:/usr/bin:/bin` } }).status;
  expect(answers()).not.toBe(0);
  start(parts.coredns.path, ['-conf', corefile], access, folder);
  await waitFor({ what: 'the DNS server', deadlineMs: 20_000 }, async () => {
    expect(answers()).toBe(0);
  });

  await stop(first);
  start(parts.ministack.path, [], apiEnvironment, folder);
  await healthy();
  expect(prepare().stdout).toBe(made.stdout);
});

describe("the store's preparation", () => {
  const folder = temporaryFolder();
  let server: TestServer;
  beforeAll(async () => {
    server = await startPostgres();
  });
  afterAll(() => server?.remove());

  function prepare(password: string, more: Record<string, string> = {}) {
    const ownerFile = path.join(folder, 'owner');
    const recorderFile = path.join(folder, 'recorder');
    writeFileSync(ownerFile, 'not asked for\n');
    writeFileSync(recorderFile, `${password}\n`);
    return node('deploy/store/prepare-store.mjs', [], {
      STORE_OWNER_URL: `postgres://postgres@127.0.0.1:${server.port}/postgres`,
      STORE_OWNER_PASSWORD_FILE: ownerFile,
      STORE_RECORDER: 'muster',
      STORE_RECORDER_PASSWORD_FILE: recorderFile,
      ...more,
    });
  }

  test('makes the schema and a role that records but changes nothing; again does no harm', async () => {
    expect(prepare("first ' password")).toMatchObject({
      status: 0,
      stdout: expect.stringMatching(/^store: applied /),
      stderr: '',
    });
    expect(prepare('second')).toMatchObject({ status: 0, stdout: 'store: up to date\n' });
    const owner = await server.connect();
    const { rows } = await owner.query(`select rolcanlogin, rolsuper,
        has_table_privilege('muster', 'muster.journal', 'insert') as inserts,
        has_table_privilege('muster', 'muster.journal', 'update, delete, truncate') as changes
      from pg_roles where rolname = 'muster'`);
    await owner.end();
    expect(rows).toEqual([{ rolcanlogin: true, rolsuper: false, inserts: true, changes: false }]);
    const recorder = new pg.Client({
      host: '127.0.0.1',
      port: server.port,
      user: 'muster',
      database: 'postgres',
    });
    await recorder.connect();
    await expect(recorder.query('select count(*) from muster.runs')).resolves.toBeDefined();
    await recorder.end();
  });

  test('says which setting is missing, and refuses another machine without TLS', () => {
    const unset = prepare('x', { STORE_RECORDER: '' });
    expect(unset.status).toBe(1);
    expect(unset.stderr).toContain('STORE_RECORDER is not set.');
    const remote = prepare('x', { STORE_OWNER_URL: 'postgres://postgres@store:5432/muster' });
    expect(remote.stderr).toContain('STORE_AUTHORITY_FILE is not set, and the store is not on this machine.');
  });
});

test("the worker's health check passes once the worker asks for work, and not before", async () => {
  const { address } = await sharedTemporal();
  // A namespace of its own: nobody else is to find a worker, or its absence, on the shared server.
  const namespace = `health-${process.pid}`;
  const connection = await Connection.connect({ address });
  await connection.workflowService.registerNamespace({
    namespace,
    workflowExecutionRetentionPeriod: { seconds: 86_400 as never },
  });
  await connection.close();
  const env = {
    TEMPORAL_ADDRESS: address,
    TEMPORAL_NAMESPACE: namespace,
    MUSTER_PAYLOAD_ENCRYPTION: 'off',
  };
  const [, script = ''] = services.worker?.healthcheck?.test?.slice(1) ?? [];
  const check = () => node(script, [], env);
  await waitFor({ what: 'the namespace', deadlineMs: 20_000 }, async () => {
    expect(check().stderr).toBe(`No worker of ${hostname()} has asked for work within 120 s.\n`);
  });
  expect(check().status).toBe(1);

  const home = temporaryFolder();
  start(
    process.execPath,
    ['dist/src/worker.js'],
    { ...env, MUSTER_HOME: home, LOG_FOLDER: home },
    path.resolve('.'),
  );
  await waitFor({ what: 'a healthy worker', deadlineMs: 40_000 }, async () => expect(check().status).toBe(0));
});

/** A Temporal server as a company runs it itself: the server of its own, on PostgreSQL. It stands where the lab's stood. */
import { execFile } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { mkdir, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { Connection } from '@temporalio/client';
import { databaseAccount } from '../../lab/account.js';
import { makeOpenFolder } from '../../lab/folders.js';
import { type ClusterLayout, layoutOf } from '../../lab/layout.js';
import { findPrograms } from '../../lab/parts/lookup.js';
import { type PartSpec, startPart, untilAnswers } from '../../lab/parts/part.js';
import {
  initCluster,
  listening,
  makeClusterFolders,
  postgresPart,
  socketClient,
  withClient,
} from '../../lab/parts/postgres.js';
import { freePorts, portOf } from '../../lab/ports.js';
import { type ProcessMark, stopProcess } from '../../lab/process.js';
import { loadParts } from '../../src/parts.js';
import { ensureSearchAttributes } from '../../src/temporal/search-attributes.js';
import { eventually } from '../support/eventually.js';
import type { TestLab } from '../support/lab.js';

const LOCAL = '127.0.0.1';
const ROLE = 'temporal';
const DATABASES = { temporal: 'temporal', visibility: 'temporal_visibility' } as const;

/** Settings of docs/benchmarks.md; what is registered is seen at once. */
const DYNAMIC = {
  'history.transferProcessorMaxPollRPS': 1000,
  'history.timerProcessorMaxPollRPS': 1000,
  'system.forceSearchAttributesCacheRefreshOnRead': true,
};

export class SelfHosted {
  private constructor(
    private readonly database: ProcessMark,
    private readonly spec: PartSpec,
    private server: ProcessMark,
  ) {}

  /** The lab's own Temporal server must be gone: this one listens where it did. */
  static async start(lab: TestLab): Promise<SelfHosted> {
    const { temporal } = lab.state;
    const folder = join(lab.dir, 'self-hosted');
    const password = randomBytes(12).toString('hex');
    await makeOpenFolder(folder);
    const { port, database } = await startDatabase(join(folder, 'postgres'), password);
    try {
      const config = await writeConfig(lab, join(folder, 'server'), { port, password });
      const spec: PartSpec = {
        name: 'temporal',
        command: loadParts()['temporal-server'].path,
        args: ['--config-file', config, '--allow-no-auth', 'start'],
        env: {},
        cwd: dirname(config),
        address: temporal.address,
        logFile: join(layoutOf(lab.dir).logs, 'temporal-server.log'),
        stopSignal: 'SIGKILL',
        deadlineMs: 90_000,
        answers: () => isServing(temporal.address),
      };
      const server = await startPart(spec);
      await untilAnswers(spec, server);
      await register(temporal.address, temporal.namespace);
      return new SelfHosted(database, spec, server);
    } catch (error) {
      await stopProcess(database, 'SIGQUIT');
      throw error;
    }
  }

  async takeAway(): Promise<void> {
    await stopProcess(this.server, 'SIGKILL');
  }

  async bringBack(): Promise<void> {
    this.server = await startPart(this.spec);
    await untilAnswers(this.spec, this.server);
  }

  async stop(): Promise<void> {
    await this.takeAway();
    await stopProcess(this.database, 'SIGQUIT');
  }
}

async function startDatabase(base: string, password: string) {
  const { postgresBin: bin } = findPrograms();
  const account = databaseAccount();
  const layout: ClusterLayout = {
    base,
    data: join(base, 'data'),
    socket: join(base, 'socket'),
    logFile: join(base, 'log', 'postgresql.log'),
    backupConfig: join(base, 'none.conf'),
  };
  const { port } = await freePorts({ port: { addresses: [LOCAL] } });
  await makeClusterFolders(layout, account);
  await initCluster(layout, 'store', { bin, account });
  const settings = { ...listening(layout, LOCAL, port), max_connections: '200' };
  const spec = postgresPart({ name: 'store', layout, bin, account, address: '', port, settings });
  const database = await startPart(spec);
  try {
    await untilAnswers(spec, database);
    await withClient(socketClient(layout, port, 'postgres'), (client) =>
      client.query(`create role ${ROLE} login createdb password '${password}'`),
    );
    await Promise.all(
      Object.entries(DATABASES).map(([schema, name]) => makeSchema(port, password, schema, name)),
    );
    return { port, database };
  } catch (error) {
    await stopProcess(database, 'SIGQUIT');
    throw error;
  }
}

async function makeSchema(port: number, password: string, schema: string, database: string): Promise<void> {
  const sql = join(loadParts()['temporal-server'].extra.binDir, 'sql');
  const env = { ...process.env, SQL_PASSWORD: password };
  const where = ['--plugin', 'postgres12', '--ep', LOCAL, '-p', String(port), '-u', ROLE, '--db', database];
  for (const command of [
    ['create-database'],
    ['setup-schema', '-v', '0.0'],
    ['update-schema', '--schema-name', `postgresql/v12/${schema}`],
  ]) {
    await promisify(execFile)(sql, [...where, ...command], { env, timeout: 60_000 });
  }
}

/** After the server's own `config/development-postgres12.yaml`. @returns the file */
async function writeConfig(
  lab: TestLab,
  folder: string,
  { port, password }: { port: number; password: string },
): Promise<string> {
  const { temporal } = lab.state;
  const services = ['frontend', 'matching', 'history', 'worker'] as const;
  const needs = services.flatMap((name) => [`${name}-rpc`, `${name}-membership`]);
  const ports: Record<string, number> = await freePorts(
    Object.fromEntries(needs.map((need) => [need, { addresses: [LOCAL] }])),
  );
  const store = (databaseName: string) => ({
    sql: {
      pluginName: 'postgres12',
      databaseName,
      connectAddr: `${LOCAL}:${port}`,
      connectProtocol: 'tcp',
      user: ROLE,
      password,
      maxConns: 20,
      maxIdleConns: 20,
      maxConnLifetime: '1h',
    },
  });
  const service = (name: (typeof services)[number]) => ({
    rpc: {
      grpcPort: name === 'frontend' ? portOf(temporal.address) : ports[`${name}-rpc`],
      membershipPort: ports[`${name}-membership`],
      bindOnLocalHost: true,
      ...(name === 'frontend' ? { httpPort: portOf(temporal.httpUrl) } : {}),
    },
  });
  const config = {
    log: { stdout: true, level: 'warn' },
    persistence: {
      defaultStore: 'default',
      visibilityStore: 'visibility',
      numHistoryShards: 4,
      datastores: { default: store(DATABASES.temporal), visibility: store(DATABASES.visibility) },
    },
    global: { membership: { maxJoinDuration: '30s', broadcastAddress: LOCAL } },
    services: Object.fromEntries(services.map((name) => [name, service(name)])),
    clusterMetadata: {
      enableGlobalNamespace: false,
      failoverVersionIncrement: 10,
      masterClusterName: 'active',
      currentClusterName: 'active',
      clusterInformation: {
        active: {
          enabled: true,
          initialFailoverVersion: 1,
          rpcName: 'frontend',
          rpcAddress: temporal.address,
        },
      },
    },
    dcRedirectionPolicy: { policy: 'noop' },
    dynamicConfigClient: { filepath: join(folder, 'dynamic.yaml'), pollInterval: '1h' },
  };
  await mkdir(folder, { recursive: true });
  // JSON is YAML.
  const dynamic = Object.fromEntries(Object.entries(DYNAMIC).map(([name, value]) => [name, [{ value }]]));
  await writeFile(join(folder, 'dynamic.yaml'), JSON.stringify(dynamic));
  const file = join(folder, 'config.yaml');
  await writeFile(file, JSON.stringify(config, null, 2), { mode: 0o600 });
  return file;
}

async function isServing(address: string): Promise<void> {
  await connected(address, async (connection) => {
    await connection.withDeadline(Date.now() + 3_000, () => connection.workflowService.listNamespaces({}));
  });
}

async function register(address: string, namespace: string): Promise<void> {
  await connected(address, async (connection) => {
    await eventually(async () => {
      await connection.workflowService
        .registerNamespace({ namespace, workflowExecutionRetentionPeriod: { seconds: 86_400 as never } })
        .catch((error: Error) => {
          if (!/already exists/i.test(error.message)) throw error;
        });
      await connection.workflowService.describeNamespace({ namespace });
      await ensureSearchAttributes(connection, namespace);
    }, 60_000);
  });
}

async function connected(address: string, work: (connection: Connection) => Promise<void>): Promise<void> {
  const connection = await Connection.connect({ address, connectTimeout: 3_000 });
  try {
    await work(connection);
  } finally {
    await connection.close();
  }
}

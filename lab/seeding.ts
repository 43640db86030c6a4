import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import pg from 'pg';
import type { Layout, RegionName } from './layout.js';
import { type PartSpec, startPart, untilAnswers } from './parts/part.js';
import { archiveCommand, pgbackrest, writeBackupConfig } from './parts/pgbackrest.js';
import {
  initCluster,
  listening,
  makeClusterFolders,
  postgresPart,
  socketClient,
  withClient,
} from './parts/postgres.js';
import { makeBuckets, type ObjectStore, s3Part } from './parts/s3.js';
import { accountsFor } from './payymo/generate.js';
import { DATABASE } from './payymo/schema.js';
import { makeDatabase, seedLedger } from './payymo/seed.js';
import { putStatements } from './payymo/statements.js';
import { freePorts } from './ports.js';
import { stopProcess } from './process.js';
import { makeSecrets, type Secrets } from './secrets.js';
import type { SeedRequest } from './template.js';
import { makeCertificates } from './tls.js';

/** Settings for loading alone: a crash would only mean to begin again, and the load bypasses the write-ahead log. */
const LOADING = {
  fsync: 'off',
  full_page_writes: 'off',
  wal_level: 'minimal',
  archive_mode: 'off',
  max_wal_senders: '0',
  autovacuum: 'off',
  max_wal_size: '8GB',
  maintenance_work_mem: '512MB',
};

/**
 * Builds a seed in an empty lab folder: the filled ledger, its first full backup in both repositories (both where Payymo
 * lives in the lab), and Muster's empty store; then stops everything cleanly.
 */
export async function buildSeed(layout: Layout, request: SeedRequest): Promise<void> {
  const { programs, account, log } = request;
  await mkdir(layout.logs, { recursive: true, mode: 0o755 });
  const secrets = await makeSecrets(layout.secrets);
  const tls = await makeCertificates(layout.tls, programs.openssl);
  const ports = await freePorts({
    west: { addresses: ['127.0.0.1'] },
    east: { addresses: ['127.0.0.1'] },
    ledger: { addresses: ['127.0.0.1'] },
  });
  const store = (region: RegionName): ObjectStore => ({
    region,
    folder: layout.s3[region],
    port: ports[region],
    tls,
    accessKeyId: secrets[`s3-${region}-access-key-id`],
    secretAccessKey: secrets[`s3-${region}-secret-access-key`],
    program: programs.versitygw,
    logFile: join(layout.logs, `s3-${region}.log`),
  });
  await makeClusterFolders(layout.store, account);
  const stores = [store('west'), store('east')] as const;
  if (request.ledger === 'without') {
    log('seed: making the store and the buckets');
    await Promise.all([
      initCluster(layout.store, 'store', { bin: programs.postgresBin, account }).then(() =>
        makeStore(layout, secrets, request),
      ),
      ...stores.map(async (one) => during(request, await s3Part(one), 'SIGTERM', () => makeBuckets(one))),
    ]);
    return;
  }
  await makeClusterFolders(layout.sites.west, account);
  const cluster = { bin: programs.postgresBin, account };
  const ledger = {
    name: 'postgres-west',
    layout: layout.sites.west,
    ...cluster,
    address: '',
    port: ports.ledger,
  } as const;

  const local = listening(ledger.layout, '', ports.ledger);

  log('seed: making the clusters');
  await Promise.all([
    initCluster(layout.sites.west, 'ledger', cluster),
    initCluster(layout.store, 'store', cluster).then(() => makeStore(layout, secrets, request)),
  ]);
  log(`seed: loading ${request.size.transactions.toLocaleString('en')} signed transactions`);
  const loading = postgresPart({ ...ledger, settings: { ...local, ...LOADING } });
  await during(request, loading, 'SIGINT', async () => {
    await withClient(socketClient(ledger.layout, ports.ledger, 'postgres'), (client) =>
      makeDatabase(client, secrets),
    );
    await withClient(socketClient(ledger.layout, ports.ledger, DATABASE), (client) =>
      seedLedger(client, request.size, Buffer.from(secrets['signing-key'], 'hex'), Date.now() * 1_000),
    );
  });
  log('seed: first full backup to both repositories');
  await during(request, await s3Part(stores[0]), 'SIGTERM', async () =>
    during(request, await s3Part(stores[1]), 'SIGTERM', async () => {
      await Promise.all(stores.map(makeBuckets));
      await Promise.all(
        stores.map((store) => putStatements(store, request.size, accountsFor(request.size.transactions))),
      );
      const repository = (region: RegionName) => ({
        port: ports[region],
        accessKeyId: secrets[`s3-${region}-access-key-id`],
        secretAccessKey: secrets[`s3-${region}-secret-access-key`],
        passphrase: secrets[`backup-${region}-passphrase`],
      });
      await writeBackupConfig({
        cluster: ledger.layout,
        port: ports.ledger,
        account,
        caFile: tls.ca,
        repositories: { west: repository('west'), east: repository('east') },
      });
      const archiving = { archive_command: archiveCommand(programs.pgbackrest, ledger.layout) };
      const running = postgresPart({ ...ledger, settings: { ...local, ...archiving } });
      await during(request, running, 'SIGINT', async () => {
        const tool = (...args: string[]) => pgbackrest(programs.pgbackrest, ledger.layout, account, args);
        await tool('stanza-create');
        await tool('--repo=1', '--type=full', 'backup');
        await tool('--repo=2', '--type=full', 'backup');
      });
    }),
  );
}

async function makeStore(layout: Layout, secrets: Secrets, request: SeedRequest): Promise<void> {
  const { port } = await freePorts({ port: { addresses: ['127.0.0.1'] } });
  const part = postgresPart({
    name: 'store',
    layout: layout.store,
    bin: request.programs.postgresBin,
    account: request.account,
    address: '',
    port,
    settings: { ...listening(layout.store, '', port), fsync: 'off' },
  });
  await during(request, part, 'SIGINT', () =>
    withClient(socketClient(layout.store, port, 'postgres'), async (client) => {
      await client.query(`create role muster login password ${pg.escapeLiteral(secrets['store-password'])}`);
      await client.query('create database muster owner muster');
    }),
  );
}

/** Runs a part for the time of `work`, and ends it the orderly way. */
async function during(
  { makeshift }: SeedRequest,
  spec: PartSpec,
  stop: NodeJS.Signals,
  work: () => Promise<void>,
): Promise<void> {
  const mark = await startPart(spec);
  await makeshift.withProcess(mark, spec.stopSignal, async () => {
    try {
      await untilAnswers(spec, mark);
      await work();
    } finally {
      await stopProcess(mark, stop, 60_000);
    }
  });
}

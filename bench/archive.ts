/**
 * An archive restored into a fresh target, beside the owner's script (download, decrypt, unpack, restore into a running server)
 * and beside bare pg_restore from a directory on this machine with the same settings.
 */
import { generateKeyPairSync } from 'node:crypto';
import { mkdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { generateIdentity, identityToRecipient } from 'age-encryption';
import { backupActivities } from '../activities/backup/index.js';
import type { StepRef } from '../activities/contract.js';
import { provisionActivities } from '../activities/provision/index.js';
import { leaseFileOf } from '../activities/provision/lease.js';
import { restoreActivities } from '../activities/restore/index.js';
import type { LabState } from '../lab/state.js';
import type { ArchiveBackup } from '../src/runbook/schema.js';
import { makeRoom, start, stop } from './by-hand/copy.js';
import { owner } from './by-hand/fence.js';
import { clientEnvironment, type Hand, program, takeInHand } from './by-hand/hand.js';
import { must, type, until } from './by-hand/shell.js';
import { settle, withBrokenLab } from './labs.js';
import { compare, type Measurement } from './measurement.js';
import { fetchDump, type KeptDump, keepDump } from './owners-way/dump.js';
import { makeCluster } from './owners-way/recovery.js';
import type { Settings } from './settings.js';

const AGAINST_SCRIPT = 0.5;
const AGAINST_BARE = 1.15;
const ROOM = 3_000_000_000;

interface Prepared {
  readonly dump: KeptDump;
  readonly backup: ArchiveBackup;
  readonly folder: string;
}

export async function measureArchive({ sizeBytes, runs, say, tell }: Settings): Promise<Measurement[]> {
  const times = { archive: [] as number[], script: [] as number[], bare: [] as number[] };
  const worker = 'none';
  await withBrokenLab({ sizeBytes, worker, say: tell, prepare }, async ({ state, damage, prepared }) => {
    const hand = await takeInHand(state, damage);
    await keepArchives(hand, prepared);
    // The first round warms the caches up.
    for (let run = 0; run <= runs; run += 1) {
      const sides = {
        archive: () => byDriver(hand, prepared, run),
        script: () => byScript(hand, prepared),
        bare: () => byHand(hand, prepared),
      };
      const names = Object.keys(sides) as (keyof typeof sides)[];
      for (const name of run % 2 === 0 ? names : names.reverse()) {
        const ms = await timedOn(hand, sides[name]);
        if (run > 0) times[name].push(ms);
        say(`archive, ${name}: ${(ms / 1000).toFixed(2)} s${run === 0 ? ' (to warm up)' : ''}`);
      }
    }
  });
  const archive = { name: 'musterMs', values: times.archive };
  return [
    compare('archive', AGAINST_SCRIPT, runs, [archive, { name: 'scriptMs', values: times.script }]),
    compare('archive-bare', AGAINST_BARE, runs, [archive, { name: 'bareMs', values: times.bare }]),
  ];
}

async function prepare(state: LabState): Promise<Prepared> {
  const folder = join(state.dir, 'archives');
  await mkdir(folder);
  const { uid, gid } = owner();
  await type('chown', [`${uid}:${gid}`, folder]);
  const identity = await generateIdentity();
  const pair = generateKeyPairSync('ed25519');
  const keys = { identity: join(state.dir, 'archive.age'), signing: join(state.dir, 'archive.pem') };
  await writeFile(keys.identity, identity, { mode: 0o600 });
  await writeFile(keys.signing, pair.privateKey.export({ type: 'pkcs8', format: 'pem' }), { mode: 0o600 });
  const { endpoint, caFile, accessKeyId, secretAccessKey, region, backupBucket } = state.regions.west;
  return {
    folder,
    dump: await keepDump(state),
    backup: {
      driver: 'archive',
      ...{ content: 'full', layout: 'directory', jobs: 2, compression: 3, check: 'read', sums: {} },
      copies: [
        {
          ...{ driver: 's3', title: 'S3 west', failureDomain: region, prefix: 'archives/', pathStyle: true },
          ...{ bucket: backupBucket, endpoint, region, caFile, accessKeyId, secretAccessKey },
        },
      ],
      recipients: [await identityToRecipient(identity)],
      identities: [`file:${keys.identity}`],
      signingKey: `file:${keys.signing}`,
      signers: [pair.publicKey.export({ type: 'spki', format: 'pem' }).toString()],
      ...{ schedule: [], retention: [] },
    },
  };
}

function refOf(run: number): StepRef {
  return {
    runId: `bench-archive-${run}`,
    system: 'payymo',
    scenario: 'corruption',
    mode: 'real',
    step: 'restore',
  };
}

/** The same data in an archive of Muster's and in a directory. */
async function keepArchives(hand: Hand, { backup, folder }: Prepared): Promise<void> {
  const source = { site: 'west', postgres: hand.old };
  await backupActivities().takeArchive({ at: refOf(0), source, backup });
  await type(
    program(hand, 'pg_dump'),
    ['--format=directory', '--jobs=2', '--compress=3', `--file=${join(folder, 'bare')}`, hand.old.database],
    { as: 'database', env: clientEnvironment(hand, hand.old) },
  );
}

async function byDriver(hand: Hand, { backup }: Prepared, run: number): Promise<number> {
  const target = { site: 'recovery', postgres: hand.target };
  const at = refOf(run);
  const provisioned = await provisionActivities().provisionForArchive({ at, target, databaseBytes: ROOM });
  // Comparing what was restored with what was dumped is left out: neither of the others does it.
  return (await restoreActivities().restoreArchive({ at, target, provisioned, backup })).readyMs;
}

async function byScript(hand: Hand, { dump }: Prepared): Promise<number> {
  await makeCluster(hand, dump);
  const begun = performance.now();
  const path = await fetchDump(hand.state, dump);
  await type(
    program(hand, 'pg_restore'),
    ['--jobs=2', '--exit-on-error', `--dbname=${hand.target.database}`, path],
    { as: 'database', env: clientEnvironment(hand, hand.target) },
  );
  const took = performance.now() - begun;
  await rm(path);
  return took;
}

/** As the driver does it, with the same settings, from plain files: nothing is fetched, decrypted or compared. */
async function byHand(hand: Hand, { folder, dump }: Prepared): Promise<number> {
  const { service, host, port, admin } = hand.target;
  await makeRoom(hand, ROOM);
  const password = join(folder, 'password');
  await writeFile(password, hand.adminPassword, { mode: 0o644 });
  const begun = performance.now();
  await type(
    program(hand, 'initdb'),
    [
      ...[
        '-D',
        service.dataDirectory,
        '-U',
        admin.user,
        `--pwfile=${password}`,
        '--no-sync',
        '--data-checksums',
      ],
      ...['--auth=scram-sha-256', '--encoding=UTF8', '--locale=C.UTF-8'],
    ],
    { as: 'database' },
  );
  const settings = {
    ...{ listen_addresses: host, port: String(port), unix_socket_directories: service.socketDirectory },
    ...{ fsync: 'off', synchronous_commit: 'off', full_page_writes: 'off', wal_level: 'minimal' },
    ...{ max_wal_senders: '0', autovacuum: 'off', max_wal_size: '16GB', checkpoint_timeout: '1h' },
    maintenance_work_mem: '512MB',
  };
  const file = join(service.dataDirectory, 'postgresql.auto.conf');
  const write = (entries: Readonly<Record<string, string>>) =>
    writeFile(
      file,
      Object.entries(entries)
        .map(([name, value]) => `${name} = '${value}'\n`)
        .join(''),
    );
  await write(settings);
  await start(hand);
  const env = clientEnvironment(hand, hand.target);
  const psql = (input: string) =>
    type(program(hand, 'psql'), ['-q', '-d', 'postgres', '-v', 'ON_ERROR_STOP=0'], {
      as: 'database',
      env,
      input,
    });
  await until('the new cluster', () => psql('select 1;').then(() => true), 20);
  await psql(dump.roles);
  await type(
    program(hand, 'pg_restore'),
    ['--jobs=2', '--exit-on-error', '--create', '--dbname=postgres', join(folder, 'bare')],
    { as: 'database', env },
  );
  await stop(hand);
  await type(program(hand, 'initdb'), ['--sync-only', '-D', service.dataDirectory], { as: 'database' });
  const { listen_addresses, unix_socket_directories } = settings;
  await write({ listen_addresses, port: settings.port, unix_socket_directories });
  await start(hand);
  await until('the restored cluster', () => psql('select 1;').then(() => true), 20);
  return performance.now() - begun;
}

/** On an empty target, which is emptied again. */
async function timedOn(hand: Hand, work: () => Promise<number>): Promise<number> {
  const { dataDirectory } = hand.target.service;
  await settle();
  try {
    const ms = await work();
    const rows = await rowsOf(hand);
    must(rows > 0, 'the ledger is there');
    return ms;
  } finally {
    await type(program(hand, 'pg_ctl'), ['stop', '-D', dataDirectory, '-m', 'immediate', '-s', '-w'], {
      as: 'database',
    }).catch(() => undefined);
    await rm(dataDirectory, { recursive: true, force: true });
    await rm(leaseFileOf(dataDirectory), { force: true });
  }
}

async function rowsOf(hand: Hand): Promise<number> {
  const printed = await type(program(hand, 'psql'), ['-Atc', 'select count(*) from ledger.transactions'], {
    as: 'database',
    env: clientEnvironment(hand, hand.target),
  });
  return Number.parseInt(printed, 10);
}

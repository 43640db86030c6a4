/** The ways in which a dumped database is brought back: by Muster, by its owner's script, and by pg_restore alone. */
import { rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { StepRef } from '../activities/contract.js';
import { provisionActivities } from '../activities/provision/index.js';
import { restoreArchive } from '../activities/restore/archive.js';
import type { ArchiveBackup } from '../src/runbook/schema.js';
import { makeRoom, start, stop } from './by-hand/copy.js';
import { clientEnvironment, type Hand, program } from './by-hand/hand.js';
import { must, type, until } from './by-hand/shell.js';
import { fetchDump, type KeptDump } from './owners-way/dump.js';

/** What is at hand. */
export interface ArchiveHand extends Pick<Hand, 'state' | 'target' | 'adminPassword'> {
  readonly backup: ArchiveBackup;
  readonly dump: KeptDump;
  /** Holds the directory `bare`. */
  readonly folder: string;
}

const ROOM = 3_000_000_000;

/** Settings for a load that has to survive nothing; the bare side has the same as Muster. */
const LOADING = {
  ...{ fsync: 'off', synchronous_commit: 'off', full_page_writes: 'off', wal_level: 'minimal' },
  ...{ max_wal_senders: '0', autovacuum: 'off', max_wal_size: '16GB', checkpoint_timeout: '1h' },
  ...{ maintenance_work_mem: '512MB', jit: 'off' },
};

let restores = 0;

/** @param run tells one restore from another */
export function refOf(run: string): StepRef {
  const runId = `bench-archive-${run}`;
  return { runId, system: 'moneyflow', scenario: 'corruption', mode: 'real', step: 'restore' };
}

/** Until the server runs with the original's settings and all is on disk: neither of the others compares what came out. */
export async function byDriver(
  { target: postgres, backup }: ArchiveHand,
  tell: (line: string) => void,
): Promise<number> {
  restores += 1;
  const at = refOf(String(restores));
  const target = { site: 'recovery', postgres };
  const begun = performance.now();
  const provisioned = await provisionActivities().provisionForArchive({ at, target, databaseBytes: ROOM });
  let readyMs = 0;
  let said = '';
  await restoreArchive({ at, target, provisioned, backup }, ({ text }) => {
    const ms = performance.now() - begun;
    if (text === 'comparing the figures') readyMs ||= ms;
    if (text !== said) tell(`${(ms / 1000).toFixed(2)} s: ${text}`);
    said = text;
  });
  must(readyMs > 0, 'the restore said when it was ready');
  return readyMs;
}

/** Into a server that runs with the settings it comes with, as it lies on the day on which only the data is gone. */
export async function byScript(hand: ArchiveHand, jobs: number): Promise<number> {
  const { dump, state, target } = hand;
  await makeCluster(hand, {});
  await psql(hand, `${dump.roles}\ncreate database ${target.database};`);
  const begun = performance.now();
  const path = await fetchDump(state, dump);
  await type(
    program(hand, 'pg_restore'),
    [...(jobs === 1 ? [] : [`--jobs=${jobs}`]), '--exit-on-error', `--dbname=${target.database}`, path],
    { as: 'database', env: clientEnvironment(hand, target) },
  );
  const took = performance.now() - begun;
  await rm(path);
  return took;
}

/** As the driver does it, with the same settings, from plain files: nothing is fetched, decrypted or compared. */
export async function byHand(hand: ArchiveHand, tell: (line: string) => void): Promise<number> {
  const { folder, dump, target } = hand;
  const { dataDirectory } = target.service;
  const begun = performance.now();
  const at = (what: string) => tell(`${((performance.now() - begun) / 1000).toFixed(2)} s: ${what}`);
  await makeCluster(hand, LOADING);
  await psql(hand, dump.roles);
  at('restoring');
  await type(
    program(hand, 'pg_restore'),
    ['--jobs=2', '--exit-on-error', '--create', '--dbname=postgres', join(folder, 'bare')],
    { as: 'database', env: clientEnvironment(hand, target) },
  );
  at('writing to disk');
  await stop(hand);
  await type(program(hand, 'initdb'), ['--sync-only', '-D', dataDirectory], { as: 'database' });
  at('starting');
  await write(hand, {});
  await start(hand);
  await untilUp(hand);
  return performance.now() - begun;
}

/** An empty cluster that runs. @param settings besides those it comes with */
async function makeCluster(hand: ArchiveHand, settings: Readonly<Record<string, string>>): Promise<void> {
  const { service, admin } = hand.target;
  await makeRoom(hand, ROOM);
  const password = join(hand.folder, 'password');
  await writeFile(password, hand.adminPassword, { mode: 0o644 });
  await type(
    program(hand, 'initdb'),
    [
      ...['-D', service.dataDirectory, '-U', admin.user, `--pwfile=${password}`],
      ...['--no-sync', '--data-checksums', '--auth=scram-sha-256', '--encoding=UTF8', '--locale=C.UTF-8'],
    ],
    { as: 'database' },
  );
  await write(hand, settings);
  await start(hand);
  await untilUp(hand);
}

async function write({ target }: ArchiveHand, settings: Readonly<Record<string, string>>): Promise<void> {
  const { service, host, port } = target;
  const where = {
    listen_addresses: host,
    port: String(port),
    unix_socket_directories: service.socketDirectory,
  };
  const lines = Object.entries({ ...where, ...settings }).map(([name, value]) => `${name} = '${value}'\n`);
  await writeFile(join(service.dataDirectory, 'postgresql.auto.conf'), lines.join(''));
}

async function untilUp(hand: ArchiveHand): Promise<void> {
  await until('the new cluster', () => psql(hand, 'select 1;').then(() => true), 20);
}

function psql(hand: ArchiveHand, input: string): Promise<string> {
  // Roles that are there already are told, and left.
  return type(program(hand, 'psql'), ['-q', '-d', 'postgres', '-v', 'ON_ERROR_STOP=0'], {
    as: 'database',
    env: clientEnvironment(hand, hand.target),
    input,
  });
}

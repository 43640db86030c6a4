/**
 * MoneyFlow's whole database brought back from an archive into a fresh target, beside its owner's script (download, decrypt, unpack,
 * restore into a server with the settings that it comes with) and beside bare pg_restore from a directory on this machine.
 */
import { mkdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { backupActivities } from '../activities/backup/index.js';
import { leaseFileOf } from '../activities/provision/lease.js';
import type { LabState } from '../lab/state.js';
import { resolveSecret } from '../src/secrets.js';
import { type ArchiveHand, byDriver, byHand, byScript, refOf } from './archive-sides.js';
import { booksClient, growBooks } from './books.js';
import { owner } from './by-hand/fence.js';
import { clientEnvironment, program } from './by-hand/hand.js';
import { must, type } from './by-hand/shell.js';
import { settle, withLab } from './labs.js';
import { sayWhenBusy } from './machine.js';
import { compare, type Measurement } from './measurement.js';
import { runbookOf } from './muster.js';
import { keepDumpOf } from './owners-way/dump.js';
import type { Settings } from './settings.js';
import { addTo } from './statistics.js';

const AGAINST_SCRIPT = 0.5;
const AGAINST_BARE = 1.15;

export async function measureArchive({ sizeBytes, runs, say, tell }: Settings): Promise<Measurement[]> {
  const times: Record<string, number[]> = {};
  await withLab({ worker: 'none', systems: ['moneyflow'], log: tell }, async (state) => {
    const hand = await prepare(state, sizeBytes, say);
    const sides: readonly (readonly [string, () => Promise<number>])[] = [
      ['muster', () => byDriver(hand, tell)],
      ['bare', () => byHand(hand, tell)],
      ['script', () => byScript(hand, 1)],
      ['scriptTwoJobs', () => byScript(hand, 2)],
    ];
    await sayWhenBusy(say);
    for (let run = 0; run < runs; run += 1) {
      for (const [name, restore] of run % 2 === 0 ? sides : [...sides].reverse()) {
        const ms = await onEmptyTarget(hand, restore);
        addTo(times, name, ms);
        say(`archive, ${name}: ${(ms / 1000).toFixed(2)} s`);
      }
    }
  });
  const series = (name: string) => ({ name: `${name}Ms`, values: times[name] ?? [] });
  return [
    compare('archive', AGAINST_SCRIPT, runs, [series('muster'), series('script')]),
    compare('archive-two-jobs', null, runs, [series('muster'), series('scriptTwoJobs')]),
    compare('archive-bare', AGAINST_BARE, runs, [series('muster'), series('bare')]),
  ];
}

/** The same rows in an archive of Muster's, in a dump of the owner's script, and in a directory. */
async function prepare(state: LabState, sizeBytes: number, say: Settings['say']): Promise<ArchiveHand> {
  const runbook = await runbookOf(state, 'moneyflow');
  const backup = Object.values(runbook.backups).find(({ driver }) => driver === 'archive');
  const [old, target] = [runbook.sites.west?.postgres, runbook.sites.recovery?.postgres];
  const world = state.worlds.moneyflow;
  const west = world?.sites.west;
  if (backup?.driver !== 'archive' || !old || !target || !world || !west) {
    throw new TypeError('the runbook of the lab is not the one that this was written for');
  }
  say(`making books of ${sizeBytes / 1e9} GB`);
  const client = booksClient(west.socketDir, west.port, world.database);
  await client.connect();
  await growBooks(client, sizeBytes).finally(() => client.end());
  const folder = join(state.dir, 'bench-archives');
  await mkdir(folder);
  const { uid, gid } = owner();
  await type('chown', [`${uid}:${gid}`, folder]);
  const { socketDir, port } = west;
  const hand: ArchiveHand = {
    ...{ state, target, folder },
    // What is measured is fetched, as it is on the day on which the machine is gone.
    backup: { ...backup, copies: backup.copies.filter(({ driver }) => driver === 's3').slice(0, 1) },
    adminPassword: await resolveSecret(old.admin.password),
    dump: await keepDumpOf(state, { socketDir, port, database: world.database, bucket: world.bucket }, [
      'west',
    ]),
  };
  const source = { site: 'west', postgres: old };
  await backupActivities().takeArchive({ at: refOf('backup'), source, backup: hand.backup });
  await type(
    program(hand, 'pg_dump'),
    ['--format=directory', '--jobs=2', '--compress=3', `--file=${join(folder, 'bare')}`, old.database],
    { as: 'database', env: clientEnvironment(hand, old) },
  );
  return hand;
}

/** It is emptied again afterwards. */
async function onEmptyTarget(hand: ArchiveHand, restore: () => Promise<number>): Promise<number> {
  const { dataDirectory } = hand.target.service;
  await settle();
  try {
    const ms = await restore();
    must((await linesOf(hand)) > 10_000, 'the books are there');
    return ms;
  } finally {
    await type(program(hand, 'pg_ctl'), ['stop', '-D', dataDirectory, '-m', 'immediate', '-s', '-w'], {
      as: 'database',
    }).catch(() => undefined);
    await rm(dataDirectory, { recursive: true, force: true });
    await rm(leaseFileOf(dataDirectory), { force: true });
  }
}

async function linesOf(hand: ArchiveHand): Promise<number> {
  const printed = await type(program(hand, 'psql'), ['-Atc', 'select count(*) from books.lines'], {
    as: 'database',
    env: clientEnvironment(hand, hand.target),
  });
  return Number.parseInt(printed, 10);
}

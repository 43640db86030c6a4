/** Building the copy: files from the backup, settings, replay to the moment. */

import { appendFile, mkdir, readdir, stat, statfs } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { pgbackrestOf } from '../../src/runbook/backups.js';
import { owner } from './fence.js';
import { ask, type Hand, moment, pgbackrestFor, program, psql } from './hand.js';
import { must, type, until } from './shell.js';

/** The server that a copy is made for. */
export type AtTarget = Pick<Hand, 'state' | 'target'>;

/** @param neededBytes that the copy will take */
export async function makeRoom(hand: AtTarget, neededBytes: number): Promise<void> {
  const { dataDirectory, socketDirectory } = hand.target.service;
  const found = await readdir(dataDirectory).catch(() => []);
  must(found.length === 0, `${dataDirectory} is empty`);
  const { bavail, bsize } = await statfs(dirname(dataDirectory));
  must(bavail * bsize > neededBytes, 'there is room');
  const listening = await type('ss', ['-Hltn', `src ${hand.target.host} and sport = :${hand.target.port}`]);
  must(listening.trim() === '', 'the port is free');
  const { uid, gid } = owner();
  for (const folder of [dataDirectory, socketDirectory]) {
    if ((await stat(folder).catch(() => undefined)) !== undefined) continue;
    await mkdir(folder, { recursive: true, mode: 0o700 });
    await type('chown', [`${uid}:${gid}`, folder]);
  }
}

/** `pgbackrest restore` with the options for a copy that stops before the moment. */
export async function restoreFiles(hand: Hand, label: string, timeline: number): Promise<void> {
  const { dataDirectory } = hand.target.service;
  await type(
    'pgbackrest',
    [
      ...pgbackrestFor(hand, hand.target),
      ...['--repo=1', `--pg1-path=${dataDirectory}`, `--tablespace-map-all=${dataDirectory}.tablespaces`],
      ...[`--set=${label}`, '--type=time', `--target=${moment(hand.before)}`, '--target-exclusive'],
      ...['--target-action=pause', `--target-timeline=${timeline}`],
      `--process-max=${pgbackrestOf(hand.runbook, 'ledger')?.processes}`,
      'restore',
    ],
    { as: 'database' },
  );
}

/** The copy's own settings; pgBackRest has written the recovery target. */
export async function writeSettings(hand: Hand): Promise<void> {
  const { host, port, service } = hand.target;
  const command = ['pgbackrest', ...pgbackrestFor(hand, hand.target), `--pg1-path=${service.dataDirectory}`];
  const settings = {
    listen_addresses: host,
    port: String(port),
    unix_socket_directories: service.socketDirectory,
    restore_command: [...command, 'archive-get', '%f', '"%p"'].join(' '),
    archive_command: [...command, 'archive-push', '"%p"'].join(' '),
    archive_cleanup_command: '',
    synchronous_standby_names: '',
    logging_collector: 'off',
    log_destination: 'stderr',
  };
  const lines = Object.entries(settings).map(([name, value]) => `${name} = '${value.replaceAll("'", "''")}'`);
  await appendFile(join(service.dataDirectory, 'postgresql.auto.conf'), `\n${lines.join('\n')}\n`);
}

export async function start(hand: AtTarget): Promise<void> {
  const { dataDirectory, logFile } = hand.target.service;
  await type(program(hand, 'pg_ctl'), ['start', '-D', dataDirectory, '-l', logFile, '-s', '-W'], {
    as: 'database',
  });
}

export async function stop(hand: AtTarget): Promise<void> {
  const { dataDirectory } = hand.target.service;
  await type(program(hand, 'pg_ctl'), ['stop', '-D', dataDirectory, '-m', 'fast', '-s', '-w'], {
    as: 'database',
  });
}

export interface Paused {
  readonly lsn: string;
  readonly lastCommit: string | null;
}

/** Waits until replay is paused at the moment. */
export async function untilPaused(hand: Hand): Promise<Paused> {
  return until(
    'replay to pause',
    () => psql(hand, hand.target, (client) => until('the pause', () => pausedAt(client), 30)),
    30,
  );
}

async function pausedAt(client: Parameters<typeof ask>[0]): Promise<Paused | undefined> {
  const row = await ask<{ recovering: boolean; state: string; lsn: string; last: string | null }>(
    client,
    `select pg_is_in_recovery() as recovering, pg_get_wal_replay_pause_state() as state,
            pg_last_wal_replay_lsn()::text as lsn,
            to_char(pg_last_xact_replay_timestamp() at time zone 'UTC', 'YYYY-MM-DD HH24:MI:SS.US') as last`,
  );
  must(row.recovering, 'the copy is in recovery');
  return row.state === 'paused' ? { lsn: row.lsn, lastCommit: row.last } : undefined;
}

import { randomBytes } from 'node:crypto';
import { basename, dirname, join } from 'node:path';
import { type ArchiveFacts, archiveFacts } from '../../src/archive/manifest.js';
import { PermanentError } from '../../src/errors.js';
import { formatCount, formatDuration } from '../../src/model/format.js';
import { withClient } from '../../src/postgres.js';
import type { ArchiveBackup } from '../../src/runbook/schema.js';
import { activitySignal } from '../context.js';
import type { DatabaseAt } from '../contract.js';
import { adminOf } from '../service/index.js';
import { LONGEST_MS } from './client.js';
import { differencesOf, readFacts } from './facts.js';
import { loadArchive, type OpenArchive, partsOf, readPart } from './load.js';

interface Trial extends OpenArchive {
  readonly source: DatabaseAt;
  readonly backup: ArchiveBackup;
}

/**
 * Restores an archive into a database made for it beside the original, compares the figures, and drops it again.
 *
 * @returns what was found, in words
 * @throws PermanentError `ArchiveTrialFailed` naming what differs; what `loadArchive` throws
 */
export async function checkByRestoring(trial: Trial): Promise<string> {
  const { source, backup, manifest } = trial;
  const { postgres } = source;
  const begun = performance.now();
  const database = `muster_trial_${randomBytes(6).toString('hex')}`;
  const { encoding, collate, ctype } = manifest.database;
  await administer(
    source,
    'postgres',
    `create database ${database} template template0 encoding ${quote(encoding)} lc_collate ${quote(collate)} lc_ctype ${quote(ctype)}`,
  );
  try {
    await loadArchive({
      ...trial,
      postgres,
      database,
      how: 'into',
      jobs: backup.jobs,
      workDirectory: join(
        dirname(postgres.service.dataDirectory),
        `${basename(postgres.service.dataDirectory)}.trial`,
      ),
      signal: activitySignal(),
      update: () => undefined,
    });
    const archived = await factsOf(trial);
    const differences = await compareWith(source, database, archived, backup);
    if (differences.length === 0) {
      return `restored into a database of its own in ${formatDuration(performance.now() - begun)}: ${formatCount(Object.keys(archived.rows).length)} tables as they were dumped`;
    }
    throw new PermanentError(
      'ArchiveTrialFailed',
      `${manifest.label} restores, but not to what was dumped: ${differences.slice(0, 3).join('; ')}.`,
      {
        next: 'Do not rely on this archive. Take another one; if that differs too, look into the tables named.',
      },
    );
  } finally {
    await administer(source, 'postgres', `drop database if exists ${database} with (force)`);
  }
}

export async function factsOf(archive: OpenArchive): Promise<ArchiveFacts> {
  const [part] = partsOf(archive, 'facts');
  if (part === undefined) return { rows: {}, sequences: {}, sums: {}, largeObjects: 0 };
  return archiveFacts.parse(JSON.parse((await readPart(archive, part)).toString('utf8')));
}

/** @throws PermanentError `ArchiveDiffers` where what was loaded is not what was dumped */
export async function requireAsDumped(
  loaded: DatabaseAt,
  archive: OpenArchive,
  backup: ArchiveBackup,
): Promise<void> {
  const { manifest } = archive;
  const differences = await compareWith(loaded, manifest.database.name, await factsOf(archive), backup);
  if (differences.length === 0) return;
  throw new PermanentError(
    'ArchiveDiffers',
    `${manifest.label} was loaded, but not to what was dumped: ${differences.slice(0, 3).join('; ')}.`,
    { next: 'Do not use this archive: choose another point.' },
  );
}

/** @param tables that were restored; absent: all */
export function compareWith(
  { postgres }: DatabaseAt,
  database: string,
  archived: ArchiveFacts,
  { sums }: ArchiveBackup,
  tables?: readonly string[],
): Promise<string[]> {
  return withClient(
    { ...adminOf(postgres), database },
    { statementTimeoutMs: LONGEST_MS, applicationName: 'muster-archive', signal: activitySignal() },
    async (client) => {
      const known = Object.fromEntries(Object.entries(sums).filter(([name]) => name in archived.sums));
      const found = await readFacts(client, tables === undefined ? known : {}, tables);
      if (tables === undefined) return differencesOf(archived, found);
      const rows = Object.fromEntries(
        Object.entries(archived.rows).filter(([table]) => tables.includes(table)),
      );
      return differencesOf({ ...archived, rows, sums: {}, largeObjects: found.largeObjects }, found);
    },
  );
}

function administer({ postgres }: DatabaseAt, database: string, sql: string): Promise<unknown> {
  return withClient(
    { ...adminOf(postgres), database },
    { statementTimeoutMs: 10 * 60_000, applicationName: 'muster-archive' },
    (client) => client.query(sql),
  );
}

function quote(text: string): string {
  return `'${text.replaceAll("'", "''")}'`;
}

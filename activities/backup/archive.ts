import { basename, dirname, join } from 'node:path';
import { Readable } from 'node:stream';
import type pg from 'pg';
import { type CatalogEntry, folderOf, LABEL, readCatalog } from '../../src/archive/catalog.js';
import {
  type ArchiveFacts,
  type ArchiveManifest,
  type ArchivePart,
  MANIFEST,
  SIGNATURE,
  signManifest,
} from '../../src/archive/manifest.js';
import { comparePart, type Destination, openPart, requireOne } from '../../src/archive/part.js';
import { openPlace } from '../../src/archive/place.js';
import { messageOf, PermanentError, TransientError } from '../../src/errors.js';
import { formatBytes, formatCount, formatDuration } from '../../src/model/format.js';
import type { Progress } from '../../src/model/run.js';
import { withClient } from '../../src/postgres.js';
import type { ArchiveBackup } from '../../src/runbook/schema.js';
import { resolveSecret } from '../../src/secrets.js';
import { LONGEST_MS } from '../archive/client.js';
import { beginSnapshot, readRows, readSequences } from '../archive/facts.js';
import { checkByRestoring } from '../archive/trial.js';
import { activitySignal } from '../context.js';
import type { ArchiveTaken, DatabaseAt, MusterActivities } from '../contract.js';
import { adminOf, programOf, versionOf } from '../service/index.js';
import { type Dump, dumpInto, store, storeBesides } from './archive-dump.js';

type Input = Parameters<MusterActivities['takeArchive']>[0];

const MB = 1_000_000;
/** Owners are warned when an archive is so much smaller or larger than the one before it. */
const UNUSUAL_SHARE = 0.2;

/**
 * Takes a logical backup: pg_dump in one consistent snapshot, compressed, encrypted, hashed and written to every copy as it
 * comes; the signed manifest is written last, then everything is read again. Safe to repeat with the same label: a copy that
 * has the archive already is left alone.
 *
 * @throws PermanentError `DumpFailed`, `ArchiveTooLarge`, `ArchiveTrialFailed`, `SigningKeyUnusable`, `SecretMissing`
 * @throws TransientError `ArchiveCopyFailed` when some copy could not be written; the others hold the archive
 */
export async function takeArchive(input: Input, update: (progress: Progress) => void): Promise<ArchiveTaken> {
  const { at, backup } = input;
  const label = input.label ?? labelOf(new Date(), backup);
  requireLabel(label, backup);
  const signal = activitySignal();
  const destinations: Destination[] = [];
  try {
    for (const copy of backup.copies) destinations.push({ place: await openPlace(copy, signal) });
    const found = await Promise.all(destinations.map((one) => entryIn(one, at.system, label, backup)));
    const complete = found.find((entry) => entry?.manifest !== undefined)?.manifest;
    const missing = destinations.filter((_, index) => found[index]?.manifest === undefined);
    const manifest =
      complete === undefined
        ? await makeArchive(input, label, destinations, signal, update)
        : await copyArchive(complete, destinations, missing, signal);
    const warnings = await unusual(manifest, destinations, backup);
    return await finish(input, manifest, destinations, warnings);
  } finally {
    for (const { place } of destinations) place.close();
  }
}

/** `20261121T030000Z-full` */
export function labelOf(moment: Date, { content }: Pick<ArchiveBackup, 'content'>): string {
  return `${moment.toISOString().replace(/[-:]|\.\d+/g, '')}-${content}`;
}

function requireLabel(label: string, { content }: ArchiveBackup): void {
  if (LABEL.test(label) && label.endsWith(`-${content}`)) return;
  throw new PermanentError('BadLabel', `${label} is no label of an archive with the content ${content}.`, {
    next: `Give the moment and the content, for instance ${labelOf(new Date(), { content })}, or leave it out.`,
  });
}

async function entryIn(
  destination: Destination,
  system: string,
  label: string,
  backup: ArchiveBackup,
): Promise<CatalogEntry | undefined> {
  try {
    const entries = await readCatalog(destination.place, system, backup, (entry) => entry.label <= label);
    return entries.find((entry) => entry.label === label);
  } catch (error) {
    if (isNew(error)) return undefined;
    destination.failure = error;
    return undefined;
  }
}

/** A folder that was never written to is made by the first archive. */
function isNew(error: unknown): boolean {
  return (error as { cause?: { code?: string } }).cause?.code === 'ENOENT';
}

async function makeArchive(
  { at, source, backup }: Input,
  label: string,
  destinations: readonly Destination[],
  signal: AbortSignal,
  update: (progress: Progress) => void,
): Promise<ArchiveManifest> {
  requireOne(destinations);
  const startedAt = new Date().toISOString();
  const database = backup.database ?? source.postgres.database;
  const login = { ...adminOf(source.postgres), database };
  const folder = folderOf(at.system, label);
  let storedBytes = 0;
  const stored = (part: ArchivePart) => {
    storedBytes += part.bytes;
    update({ done: storedBytes, unit: 'bytes', text: `stored ${part.of ?? part.file}` });
    if (backup.largestBytes === undefined || storedBytes <= backup.largestBytes) return;
    throw new PermanentError(
      'ArchiveTooLarge',
      `The archive of ${database} has more than ${formatBytes(backup.largestBytes)}.`,
      {
        why: 'The runbook allows no more (backups.<name>.largestBytes).',
        next: 'See what has grown, then raise the limit or take something out; the last good archive stays.',
      },
    );
  };
  return withClient(
    login,
    { statementTimeoutMs: LONGEST_MS, applicationName: 'muster-archive', signal },
    async (client) => {
      const configuration = await readConfiguration(client);
      const begun = await beginSnapshot(client);
      const level = backup.compression ?? levelFor(begun.database.bytes);
      const sequences = await readSequences(client);
      const dump: Dump = {
        ...{ source, database, backup, snapshot: begun.id, level, destinations, folder, signal, stored },
      };
      // The figures are counted in the same snapshot, while pg_dump works.
      const counting: Promise<ArchiveFacts> =
        backup.content === 'schema'
          ? Promise.resolve(NO_ROWS)
          : readRows(client, backup.sums).then((counted) => ({ ...counted, sequences }));
      counting.catch(() => undefined);
      const parts = await dumpInto(dump, workDirectoryOf(source));
      parts.push(...(await storeBesides(dump, configuration)));
      const facts = await counting;
      const text = Readable.from([Buffer.from(JSON.stringify(facts))]);
      parts.push(await store(dump, 'facts.json', 'facts', text));
      const manifest: ArchiveManifest = {
        format: 'muster-archive',
        formatVersion: 1,
        system: at.system,
        label,
        content: backup.content,
        layout: backup.layout,
        database: begun.database,
        snapshot: begun.snapshot,
        startedAt,
        finishedAt: new Date().toISOString(),
        compression: { method: 'gzip', level },
        encryption: { format: 'age-encryption.org/v1', recipients: [...backup.recipients] },
        tools: {
          pg_dump: await versionOf(await programOf(source.postgres, 'pg_dump')),
          node: process.version,
        },
        parts,
      };
      await writeManifest(manifest, backup, destinations);
      return manifest;
    },
  );
}

/** The signature first: an archive counts as one from its manifest on. */
async function writeManifest(
  manifest: ArchiveManifest,
  backup: ArchiveBackup,
  destinations: readonly Destination[],
): Promise<void> {
  if (backup.signingKey === undefined) {
    throw new PermanentError('SigningKeyMissing', 'The runbook names no key that archives are signed with.', {
      next: 'Name one where archives are made (backups.<name>.signingKey); its public half belongs into signers.',
    });
  }
  const { text, signature } = await signManifest(manifest, backup.signingKey);
  const folder = folderOf(manifest.system, manifest.label);
  await eachLeft(destinations, async ({ place }) => {
    await place.write(`${folder}${SIGNATURE}`, Readable.from([signature]));
    await place.write(`${folder}${MANIFEST}`, Readable.from([text]));
  });
  requireOne(destinations);
}

/** An earlier attempt has written it to some place: the others get the same bytes. */
async function copyArchive(
  manifest: ArchiveManifest,
  destinations: readonly Destination[],
  missing: readonly Destination[],
  signal: AbortSignal,
): Promise<ArchiveManifest> {
  const from = destinations.find((one) => !missing.includes(one) && one.failure === undefined)?.place;
  const folder = folderOf(manifest.system, manifest.label);
  const files = [...manifest.parts.map(({ file }) => file), SIGNATURE, MANIFEST];
  await eachLeft(missing, async ({ place }) => {
    for (const file of files) {
      signal.throwIfAborted();
      const content = await from?.open(`${folder}${file}`);
      if (content !== undefined) await place.write(`${folder}${file}`, content);
    }
  });
  return manifest;
}

async function eachLeft(
  destinations: readonly Destination[],
  work: (destination: Destination) => Promise<void>,
): Promise<void> {
  await Promise.all(
    destinations
      .filter(({ failure }) => failure === undefined)
      .map((one) =>
        work(one).catch((error: unknown) => {
          one.failure = error;
        }),
      ),
  );
}

async function finish(
  { source, backup }: Input,
  manifest: ArchiveManifest,
  destinations: readonly Destination[],
  warnings: readonly string[],
): Promise<ArchiveTaken> {
  const identities = await Promise.all(backup.identities.map(resolveSecret));
  const folder = folderOf(manifest.system, manifest.label);
  await eachLeft(destinations, async ({ place }) => {
    for (const part of manifest.parts) {
      if (identities.length === 0) await comparePart(place, folder, part);
      else for await (const _ of openPart(place, folder, part, identities));
    }
  });
  requireOne(destinations);
  const sound = destinations.find(({ failure }) => failure === undefined)?.place;
  const trial =
    backup.check === 'restore' && sound !== undefined
      ? await checkByRestoring({ source, backup, place: sound, manifest, identities })
      : undefined;
  const failed = destinations.filter(({ failure }) => failure !== undefined);
  const [first] = failed;
  if (first !== undefined) {
    throw new TransientError(
      'ArchiveCopyFailed',
      `${manifest.label} is in ${destinations.length - failed.length} of ${destinations.length} places; not in ${failed.map(({ place }) => place.title).join(', ')}: ${messageOf(first.failure)}.`,
      {
        next: 'The step tries again by itself for a while and only fills what is missing.',
        cause: first.failure,
      },
    );
  }
  const bytes = manifest.parts.reduce((sum, part) => sum + part.bytes, 0);
  const tookMs = Date.parse(manifest.finishedAt) - Date.parse(manifest.startedAt);
  return {
    label: manifest.label,
    bytes,
    databaseBytes: manifest.database.bytes,
    snapshot: manifest.snapshot,
    parts: manifest.parts.length,
    copies: destinations.map(({ place }) => place.title),
    check:
      trial ?? (identities.length === 0 ? 'every byte read again' : 'every byte read again and decrypted'),
    warnings: [...warnings],
    summary: `${manifest.label}: ${formatBytes(manifest.database.bytes)} in ${formatBytes(bytes)}, ${formatCount(manifest.parts.length)} parts, ${formatDuration(tookMs)}, in ${destinations.map(({ place }) => place.title).join(' and ')}`,
  };
}

async function unusual(
  manifest: ArchiveManifest,
  destinations: readonly Destination[],
  backup: ArchiveBackup,
): Promise<string[]> {
  const place = destinations.find(({ failure }) => failure === undefined)?.place;
  const isBefore = ({ label, manifest: other }: CatalogEntry) =>
    label < manifest.label && other?.content === manifest.content;
  const entries = place === undefined ? [] : await readCatalog(place, manifest.system, backup, isBefore);
  const before = entries.find(isBefore)?.manifest;
  if (before === undefined) return [];
  const sizeOf = ({ parts }: ArchiveManifest) => parts.reduce((sum, part) => sum + part.bytes, 0);
  const [was, is] = [sizeOf(before), sizeOf(manifest)];
  if (Math.abs(is - was) <= was * UNUSUAL_SHARE) return [];
  return [
    `${manifest.label} has ${formatBytes(is)}, ${before.label} had ${formatBytes(was)}: more than 20 % off.`,
  ];
}

/** gzip's level by the size of the database, as MoneyFlow's owner has it. */
export function levelFor(databaseBytes: number): number {
  if (databaseBytes < 100 * MB) return 9;
  return databaseBytes < 1000 * MB ? 6 : 3;
}

const NO_ROWS: ArchiveFacts = { rows: {}, sequences: {}, sums: {}, largeObjects: 0 };

/** Beside the data directory: on a volume that the account may write to, and that holds the same data anyway. */
function workDirectoryOf({ postgres }: DatabaseAt): string {
  const { dataDirectory } = postgres.service;
  return join(dirname(dataDirectory), `${basename(dataDirectory)}.archive`);
}

async function readConfiguration(client: pg.Client): Promise<Map<string, string>> {
  const { rows } = await client.query<{ file: string; text: string | null }>(`
    select file, pg_read_file(path, 0, 10000000, true) as text from (values
      ('postgresql.conf', current_setting('config_file')),
      ('postgresql.auto.conf', current_setting('data_directory') || '/postgresql.auto.conf'),
      ('pg_hba.conf', current_setting('hba_file')),
      ('pg_ident.conf', current_setting('ident_file'))) as files (file, path)`);
  return new Map(rows.flatMap(({ file, text }) => (text === null ? [] : [[file, text] as const])));
}

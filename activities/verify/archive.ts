/** The rungs that a loaded archive climbs in another way than a physical copy. */
import { folderOf, readCatalog } from '../../src/archive/catalog.js';
import { openPart } from '../../src/archive/part.js';
import { type ArchivePlace, copiesAsOf, withPlace } from '../../src/archive/place.js';
import { MusterError, messageOf, PermanentError } from '../../src/errors.js';
import { formatBytes, formatCount } from '../../src/model/format.js';
import type { Progress } from '../../src/model/run.js';
import { withClient } from '../../src/postgres.js';
import type { OfArchive } from '../../src/runbook/backups.js';
import type { ArchiveBackup } from '../../src/runbook/schema.js';
import { identitiesOf, titleOf } from '../archive/choice.js';
import { compareWith, factsOf } from '../archive/trial.js';
import { activitySignal } from '../context.js';
import type {
  CopiesResult,
  MusterActivities,
  RepositoryResult,
  RestoreResult,
  RungCheck,
  RungResult,
} from '../contract.js';
import { readPosition } from '../restore/replay.js';
import { adminOf } from '../service/index.js';
import { check, passed, verificationFailed } from './check.js';

type Update = (progress: Progress) => void;
type Rung1 = OfArchive<Parameters<MusterActivities['verifyRepository']>[0]>;
type Others = OfArchive<Parameters<MusterActivities['verifyOtherCopies']>[0]>;
type Rung4 = OfArchive<
  Omit<Parameters<MusterActivities['verifyPoint']>[0], 'backup'> & { backup: ArchiveBackup }
>;

const TOOL = { tool: 'muster archive', toolVersion: '1' };

/**
 * Rung 1: the archive is the owner's, whole and readable in the copy that is restored from, or in the next one that is. Every
 * byte is decrypted and compared. Runs beside the restore.
 *
 * @throws PermanentError `VerificationFailed` when it is sound in no copy; TransientError when none could be read
 */
export async function verifyArchive(
  { at, backup: now, point }: Rung1,
  update: Update,
): Promise<RepositoryResult> {
  const backup = copiesAsOf(now, point.archive?.asOf);
  const lookedAt: number[] = [];
  const troubles: Trouble[] = [];
  for (const copy of point.usableRepositories) {
    lookedAt.push(copy);
    const looked = await lookAt(at.system, backup, point.backup.label, copy, update);
    if ('check' in looked) {
      const notes = troubles.map(({ text }) => ` NOT SOUND: ${text}`);
      return { ...passed([looked.check], notes.join('')), lookedAt };
    }
    troubles.push(looked);
  }
  throw noneSound(point.backup.label, troubles);
}

/** Looks for the same archive in every other copy, also where it was not found before: what is wrong is told, and holds nothing up. */
export async function verifyOtherArchives(
  { at, backup: now, point, lookedAt }: Others,
  update: Update,
): Promise<CopiesResult> {
  const backup = copiesAsOf(now, point.archive?.asOf);
  const others = backup.copies.map((_, index) => index + 1).filter((copy) => !lookedAt.includes(copy));
  const checks: RungCheck[] = [];
  const unsound: string[] = [];
  for (const copy of others) {
    const looked = await lookAt(at.system, backup, point.backup.label, copy, update);
    if ('check' in looked) checks.push(looked.check);
    else unsound.push(looked.text);
  }
  const notes = unsound.map((text) => ` NOT SOUND: ${text}`).join('');
  if (checks.length > 0) return { ...passed(checks, notes), unsound };
  return { checks, unsound, summary: others.length === 0 ? 'there is no other copy' : notes.trim() };
}

interface Trouble {
  readonly error: MusterError;
  /** For people: which copy, what is wrong, what to do. */
  readonly text: string;
}

/** Answers rather than throws, so that one bad copy does not hide a good one. */
async function lookAt(
  system: string,
  backup: ArchiveBackup,
  label: string,
  number: number,
  update: Update,
): Promise<{ readonly check: RungCheck } | Trouble> {
  const signal = activitySignal();
  const title = titleOf(backup, number);
  const copy = backup.copies[number - 1];
  try {
    if (copy === undefined) throw notThere(label, title);
    const heading = { rung: 1, title: `archive, ${title}`, ...TOOL };
    return {
      check: await check(heading, () =>
        withPlace(copy, signal, (place) => readWhole(place, system, backup, label, update)),
      ),
    };
  } catch (error) {
    signal.throwIfAborted();
    if (!(error instanceof MusterError)) throw error;
    return {
      error,
      text: `${title}: ${messageOf(error)} Make it whole from a good copy, or take a new archive.`,
    };
  }
}

async function readWhole(
  place: ArchivePlace,
  system: string,
  backup: ArchiveBackup,
  label: string,
  update: Update,
): Promise<string> {
  const entries = await readCatalog(place, system, backup, (one) => one.label <= label);
  const entry = entries.find((one) => one.label === label);
  if (entry === undefined) throw notThere(label, place.title);
  const { manifest, signer, unusable } = entry;
  if (manifest === undefined) throw unusable;
  const identities = await identitiesOf(backup);
  const total = manifest.parts.reduce((sum, part) => sum + part.plainBytes, 0);
  let done = 0;
  for (const part of manifest.parts) {
    for await (const chunk of openPart(place, folderOf(system, label), part, identities)) {
      done += (chunk as Buffer).length;
      update({ done, total, unit: 'bytes', text: `reading ${part.of ?? part.file}` });
    }
  }
  return `${label} in ${place.title}: signed by ${signer}, ${formatCount(manifest.parts.length)} parts (${formatBytes(entry.bytes)}) as its manifest names them, every byte decrypted`;
}

function notThere(label: string, where: string): PermanentError {
  return new PermanentError('ArchiveNotFound', `${label} is not in ${where}.`, {
    next: 'Copy it there from a good copy.',
  });
}

function noneSound(label: string, troubles: readonly Trouble[]): unknown {
  const [first] = troubles;
  const transient = troubles.find(({ error }) => error.name === 'TransientError');
  if (transient !== undefined) return transient.error;
  return verificationFailed(
    { rung: 1, title: 'the archive in its copies' },
    `${label} is sound in no copy. ${troubles.map(({ text }) => text).join(' ')}`,
    'Go back to an older archive (another point at the gate; else call this run off and recover with corruption and --before a moment before this archive).',
    { code: first?.error.code ?? '' },
  );
}

/**
 * Rung 4: the copy is closed, stands where it was loaded to, and holds what was counted when it was dumped: the rows of every
 * table, sequences, large objects, and the sums that the runbook names.
 *
 * @throws PermanentError `VerificationFailed`
 */
export async function verifyLoaded({ at, target, backup: now, point, restored }: Rung4): Promise<RungResult> {
  const backup = copiesAsOf(now, point.archive?.asOf);
  const heading = { rung: 4, title: 'what was dumped is what was loaded', ...TOOL };
  const figures = await check(heading, async () => {
    await requireClosed(heading, target, restored);
    const differences = await withFacts(at.system, backup, point.backup.label, (archived, database) =>
      compareWith(target, database, archived, backup).then((found) => ({ found, archived })),
    );
    const { found, archived } = differences;
    if (found.length > 0) {
      throw verificationFailed(
        heading,
        `${found.slice(0, 5).join('; ')}.`,
        'Restore another archive, or another copy of this one.',
        { differences: found.length },
      );
    }
    const rows = Object.values(archived.rows).reduce((sum, count) => sum + count, 0);
    return `${formatCount(rows)} rows in ${formatCount(Object.keys(archived.rows).length)} tables, ${formatCount(Object.keys(archived.sums).length)} sums, sequences and ${formatCount(archived.largeObjects)} large objects as they were dumped; closed at ${restored.lsn}`;
  });
  return passed([figures]);
}

async function requireClosed(
  heading: { readonly rung: number; readonly title: string },
  target: Rung4['target'],
  { lsn }: Pick<RestoreResult, 'lsn'>,
): Promise<void> {
  const position = await withClient(
    adminOf(target.postgres),
    { statementTimeoutMs: 10_000, applicationName: 'muster-verify' },
    readPosition,
  );
  if (position.in_recovery && position.lsn === lsn) return;
  throw verificationFailed(
    heading,
    position.in_recovery
      ? `it stands at ${position.lsn ?? 'nowhere'} and was loaded up to ${lsn}.`
      : 'the copy is not in recovery: it takes writes.',
    'Find out who touched it, then retry the restore.',
  );
}

/** The figures of an archive, from the first copy that gives them. */
async function withFacts<T>(
  system: string,
  backup: ArchiveBackup,
  label: string,
  use: (facts: Awaited<ReturnType<typeof factsOf>>, database: string) => Promise<T>,
): Promise<T> {
  const signal = activitySignal();
  const identities = await identitiesOf(backup);
  let failure: MusterError = notThere(label, backup.copies.map(({ title }) => title).join(', '));
  for (const copy of backup.copies) {
    const read = await withPlace(copy, signal, async (place) => {
      const entries = await readCatalog(place, system, backup, (one) => one.label <= label);
      const manifest = entries.find((one) => one.label === label)?.manifest;
      if (manifest === undefined) return undefined;
      return { facts: await factsOf({ place, manifest, identities }), database: manifest.database.name };
    }).catch((error: unknown) => {
      signal.throwIfAborted();
      if (!(error instanceof MusterError)) throw error;
      failure = error;
      return undefined;
    });
    if (read !== undefined) return use(read.facts, read.database);
  }
  throw failure;
}

/** Which archive a recovery goes back to: the newest that can be proven to be usable, from the first copy in which it is. */
import { type Catalog, type CatalogEntry, folderOf, LABEL, openCatalog } from '../../src/archive/catalog.js';
import type { ArchiveManifest } from '../../src/archive/manifest.js';
import { comparePart } from '../../src/archive/part.js';
import { type ArchivePlace, openPlace } from '../../src/archive/place.js';
import { MusterError, messageOf, PermanentError, TransientError } from '../../src/errors.js';
import { formatBytes } from '../../src/model/format.js';
import type { ArchiveBackup, ArchiveCopy } from '../../src/runbook/schema.js';
import { resolveSecret } from '../../src/secrets.js';
import { partsOf, readPart } from './load.js';

/** An archive up to this size is read whole before it is proposed: seconds. A larger one is read by rung 1 and the restore. */
const READ_WHOLE_BYTES = 512 * 1024 * 1024;

/** A copy of the runbook, opened. */
export interface OpenCopy {
  /** Its place in the runbook's list, from 1. */
  readonly number: number;
  readonly place: ArchivePlace;
}

export interface ChosenArchive {
  readonly manifest: ArchiveManifest;
  readonly signer: string;
  /** Numbers of the copies that hold it and have not been found bad, the one that was looked into first. */
  readonly copies: readonly number[];
  /** What was done to see that it is sound, in words. */
  readonly checked: string;
  /** What is newer or nearer and cannot be used, a sentence each. */
  readonly passedOver: readonly string[];
  /** The newest archive that says who made it, chosen or not: whose primary it was. */
  readonly newest: ArchiveManifest;
}

export function titleOf({ copies }: Pick<ArchiveBackup, 'copies'>, number: number): string {
  return copies[number - 1]?.title ?? `copy ${number}`;
}

/**
 * Opens every copy that can be opened.
 *
 * @param bad told of those that cannot
 */
export async function withCopies<T>(
  backup: Pick<ArchiveBackup, 'copies'>,
  signal: AbortSignal,
  bad: (copy: ArchiveCopy, error: MusterError) => void,
  work: (copies: readonly OpenCopy[]) => Promise<T>,
): Promise<T> {
  const copies: OpenCopy[] = [];
  try {
    for (const [index, copy] of backup.copies.entries()) {
      try {
        copies.push({ number: index + 1, place: await openPlace(copy, signal) });
      } catch (error) {
        signal.throwIfAborted();
        if (!(error instanceof MusterError)) throw error;
        bad(copy, error);
      }
    }
    return await work(copies);
  } finally {
    for (const { place } of copies) place.close();
  }
}

/** The private keys of a backup. @throws PermanentError `ArchiveKeyMissing`, `SecretMissing` */
export async function identitiesOf({ identities }: ArchiveBackup): Promise<readonly string[]> {
  if (identities.length > 0) return Promise.all(identities.map(resolveSecret));
  throw new PermanentError(
    'ArchiveKeyMissing',
    'The runbook names no private key that archives are read with.',
    {
      next: 'Name one where archives are restored (backups.<name>.identities), then retry the step.',
    },
  );
}

/** When an archive of this label was begun, ISO 8601 UTC. */
export function momentOfLabel(label: string): string {
  return label.replace(/^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z.*$/, '$1-$2-$3T$4:$5:$6Z');
}

/**
 * Looks for the newest full archive, of which a copy is proven to be the owner's, whole and readable with the keys at hand.
 * Where one is not, its next copy is looked into, then the next older archive; what was passed over is said.
 *
 * @param before only archives whose snapshot is from before this moment, ISO 8601; left out: any
 * @param upTo the label of the newest that may be chosen; left out: any
 * @throws PermanentError `NoArchive`; what the newest one suffers from, where none can be used; TransientError where a copy
 *   that may hold one does not answer
 */
export async function chooseArchive(
  system: string,
  backup: ArchiveBackup,
  signal: AbortSignal,
  before?: string,
  upTo?: string,
): Promise<ChosenArchive> {
  const identities = await identitiesOf(backup);
  const passedOver: string[] = [];
  const failures: MusterError[] = [];
  const passOver = (what: string, error: MusterError) => {
    failures.push(error);
    passedOver.push(`${what}: ${messageOf(error)}`);
  };
  return withCopies(
    backup,
    signal,
    (copy, error) => passOver(copy.title, error),
    async (copies) => {
      const catalogs = await openCatalogs(system, backup, copies, signal, passOver);
      let newest: ArchiveManifest | undefined;
      for (const label of [...fullLabels(catalogs)].reverse()) {
        if (upTo !== undefined && label > upTo) continue;
        if (before !== undefined && Date.parse(momentOfLabel(label)) >= Date.parse(before)) continue;
        const good: (OpenCopy & { readonly entry: CatalogEntry })[] = [];
        for (const { catalog, ...copy } of catalogs) {
          const entry = await entryIn(catalog, label, (error) =>
            passOver(`${label} in ${copy.place.title}`, error),
          );
          if (entry?.manifest === undefined) continue;
          newest ??= entry.manifest;
          if (before === undefined || entry.manifest.snapshot.at < before) good.push({ ...copy, entry });
        }
        const sound = await firstSound(good, identities, signal, (copy, error) =>
          passOver(`${label} in ${copy.place.title}`, error),
        );
        if (sound !== undefined) {
          const { manifest, signer = '' } = sound.copy.entry;
          if (manifest === undefined || newest === undefined) continue;
          const after = good.slice(good.indexOf(sound.copy)).map(({ number }) => number);
          return { manifest, signer, copies: after, checked: sound.checked, passedOver, newest };
        }
      }
      throw noneUsable(system, backup, failures, passedOver, before);
    },
  );
}

/** A copy with what it holds of a system. */
export type CatalogedCopy = OpenCopy & { readonly catalog: Catalog };

/** Lists what the copies hold. @param passOver told of those that cannot be listed */
export async function openCatalogs(
  system: string,
  backup: ArchiveBackup,
  copies: readonly OpenCopy[],
  signal: AbortSignal,
  passOver: (what: string, error: MusterError) => void,
): Promise<readonly CatalogedCopy[]> {
  const opened = await Promise.all(
    copies.map(async (copy) => {
      try {
        return [{ ...copy, catalog: await openCatalog(copy.place, system, backup) }];
      } catch (error) {
        signal.throwIfAborted();
        if (!(error instanceof MusterError)) throw error;
        passOver(copy.place.title, error);
        return [];
      }
    }),
  );
  return opened.flat();
}

/** Labels of the full archives that any of the copies holds, oldest first. */
export function fullLabels(catalogs: readonly CatalogedCopy[]): readonly string[] {
  const labels = [...new Set(catalogs.flatMap(({ catalog }) => catalog.labels))].sort();
  return labels.filter((one) => LABEL.test(one) && one.endsWith('-full'));
}

/** A copy in which an archive has a manifest that can be believed. */
export type HoldingCopy = OpenCopy & { readonly entry: CatalogEntry; readonly manifest: ArchiveManifest };

/**
 * The copies that hold an archive, from the first one on that is proven to be sound.
 *
 * @param bad told of those that do not
 * @returns undefined: it is sound in none
 */
export async function soundCopies(
  label: string,
  catalogs: readonly CatalogedCopy[],
  identities: readonly string[],
  signal: AbortSignal,
  bad: (copy: OpenCopy, error: MusterError) => void,
): Promise<{ readonly copies: readonly HoldingCopy[]; readonly checked: string } | undefined> {
  const holding: HoldingCopy[] = [];
  for (const { catalog, ...copy } of catalogs) {
    const entry = await entryIn(catalog, label, (error) => bad(copy, error));
    if (entry?.manifest !== undefined) holding.push({ ...copy, entry, manifest: entry.manifest });
  }
  const sound = await firstSound(holding, identities, signal, bad);
  if (sound === undefined) return undefined;
  return { copies: holding.slice(holding.indexOf(sound.copy)), checked: sound.checked };
}

async function entryIn(
  catalog: Catalog,
  label: string,
  bad: (error: MusterError) => void,
): Promise<CatalogEntry | undefined> {
  try {
    const entry = await catalog.entry(label);
    if (entry?.unusable instanceof MusterError) bad(entry.unusable);
    else if (entry?.unusable !== undefined) throw entry.unusable;
    return entry;
  } catch (error) {
    if (!(error instanceof MusterError)) throw error;
    bad(error);
    return undefined;
  }
}

async function firstSound<Copy extends OpenCopy & { readonly entry: CatalogEntry }>(
  copies: readonly Copy[],
  identities: readonly string[],
  signal: AbortSignal,
  bad: (copy: Copy, error: MusterError) => void,
): Promise<{ readonly copy: Copy; readonly checked: string } | undefined> {
  for (const copy of copies) {
    const { manifest, bytes } = copy.entry;
    if (manifest === undefined) continue;
    try {
      return { copy, checked: await prove(copy.place, manifest, bytes, identities, signal) };
    } catch (error) {
      signal.throwIfAborted();
      if (!(error instanceof MusterError)) throw error;
      bad(copy, error);
    }
  }
  return undefined;
}

/** Its figures are decrypted, which needs the right key; of a small one every byte is compared. */
async function prove(
  place: ArchivePlace,
  manifest: ArchiveManifest,
  bytes: number,
  identities: readonly string[],
  signal: AbortSignal,
): Promise<string> {
  for (const part of partsOf({ place, manifest, identities }, 'facts')) {
    await readPart({ place, manifest, identities }, part);
  }
  if (bytes > READ_WHOLE_BYTES) {
    return `signature, sizes and key are right; its ${formatBytes(bytes)} are read by rung 1 and by the restore`;
  }
  const folder = folderOf(manifest.system, manifest.label);
  for (const part of manifest.parts) {
    signal.throwIfAborted();
    await comparePart(place, folder, part);
  }
  return 'signature and key are right, every byte compared with its SHA-256';
}

function noneUsable(
  system: string,
  backup: ArchiveBackup,
  failures: readonly MusterError[],
  passedOver: readonly string[],
  before: string | undefined,
): MusterError {
  const from = before === undefined ? '' : ` from before ${before}`;
  const where = backup.copies.map(({ title }) => title).join(', ');
  const chosen = failures.find((error) => error instanceof TransientError) ?? failures[0];
  if (chosen === undefined) {
    return new PermanentError('NoArchive', `There is no full archive of ${system}${from} in ${where}.`, {
      next: 'Name a later moment, or the right places in the runbook (backups.<name>.copies). Where none is left: look for copies elsewhere (other sites, the damaged server itself).',
    });
  }
  const Kind = chosen instanceof TransientError ? TransientError : PermanentError;
  return new Kind(chosen.code, `No archive of ${system}${from} can be used. ${chosen.message}`, {
    why: passedOver.join(' '),
    next: chosen.next,
    details: chosen.details,
    cause: chosen,
  });
}

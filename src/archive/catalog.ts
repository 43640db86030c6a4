/** Which archives of a system a place holds, read from the place itself: nothing else has to be intact for it. */
import { messageOf } from '../errors.js';
import type { ArchiveBackup } from '../runbook/schema.js';
import { damaged, missing } from './errors.js';
import { type ArchiveManifest, MANIFEST, readSigned, SIGNATURE } from './manifest.js';
import type { ArchivePlace, StoredFile } from './place.js';

export const LABEL = /^\d{8}T\d{6}Z-(full|schema|data)$/;

export interface CatalogEntry {
  /** When it was begun and what is in it: `20261121T030000Z-full`. */
  readonly label: string;
  /** Bytes that are stored. */
  readonly bytes: number;
  readonly manifest?: ArchiveManifest;
  /** Who signed the manifest: the beginning of the key's SHA-256. */
  readonly signer?: string;
  /** Why it cannot be used; absent where nothing speaks against it. Its parts have not been read. */
  readonly unusable?: unknown;
}

/** `moneyflow/20261121T030000Z-full/` */
export function folderOf(system: string, label: string): string {
  return `${system}/${label}/`;
}

/** What a place holds of a system; manifests are read when they are asked for. */
export interface Catalog {
  /** Newest first. */
  readonly labels: readonly string[];
  /** @returns undefined when the place holds nothing of that label */
  entry(label: string): Promise<CatalogEntry | undefined>;
}

export async function openCatalog(
  place: ArchivePlace,
  system: string,
  backup: Pick<ArchiveBackup, 'signers'>,
): Promise<Catalog> {
  const archives = new Map<string, StoredFile[]>();
  for (const file of await place.list(`${system}/`)) {
    const [, label = ''] = file.name.split('/');
    if (!LABEL.test(label)) continue;
    archives.set(label, [...(archives.get(label) ?? []), file]);
  }
  return {
    labels: [...archives.keys()].sort().reverse(),
    async entry(label) {
      const files = archives.get(label);
      return files === undefined ? undefined : entryOf(place, system, label, backup, files);
    },
  };
}

/**
 * Newest first. What is being written, or was given up half-way, has no manifest and is listed as unusable.
 *
 * @param enough stops reading manifests once it is content; later entries are not listed
 */
export async function readCatalog(
  place: ArchivePlace,
  system: string,
  backup: Pick<ArchiveBackup, 'signers'>,
  enough: (entry: CatalogEntry) => boolean = () => false,
): Promise<CatalogEntry[]> {
  const catalog = await openCatalog(place, system, backup);
  const entries: CatalogEntry[] = [];
  for (const label of catalog.labels) {
    const entry = await catalog.entry(label);
    if (entry === undefined) continue;
    entries.push(entry);
    if (enough(entry)) break;
  }
  return entries;
}

async function entryOf(
  place: ArchivePlace,
  system: string,
  label: string,
  { signers }: Pick<ArchiveBackup, 'signers'>,
  files: readonly StoredFile[],
): Promise<CatalogEntry> {
  const bytes = files.reduce((sum, file) => sum + file.bytes, 0);
  try {
    const { manifest, signer } = await readSigned(
      (file, most) => place.read(`${folderOf(system, label)}${file}`, most),
      `${label} in ${place.title}`,
      { system, label, signers },
    );
    requireParts(manifest, place, files);
    return { label, bytes, manifest, signer };
  } catch (error) {
    if ((error as { name?: string }).name === 'TransientError') throw error;
    return { label, bytes, unusable: error };
  }
}

/** Every part is there and has its size. @throws PermanentError `ArchiveIncomplete`, `ArchiveDamaged` */
export function requireParts(
  manifest: ArchiveManifest,
  place: ArchivePlace,
  files: readonly StoredFile[],
): void {
  const folder = folderOf(manifest.system, manifest.label);
  const sizes = new Map(files.map(({ name, bytes }) => [name, bytes]));
  for (const part of manifest.parts) {
    const found = sizes.get(`${folder}${part.file}`);
    const file = `${folder}${part.file} in ${place.title}`;
    if (found === undefined) throw missing(file);
    if (found !== part.bytes) throw damaged(file, `has ${found} bytes, the manifest names ${part.bytes}`);
  }
}

/** One line for a list. */
export function describeEntry({ label, unusable }: CatalogEntry): string {
  return unusable === undefined ? label : `${label}: ${messageOf(unusable)}`;
}

export { MANIFEST, SIGNATURE };

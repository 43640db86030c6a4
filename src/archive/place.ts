/** Where archives are kept: one interface, one file a driver. Names are paths with `/`, below the place's own root. */
import type { Readable } from 'node:stream';
import type { ArchiveCopy } from '../runbook/schema.js';
import { folderPlace } from './folder-place.js';
import { earlierPlace, s3Place, s3PlaceAsOf } from './s3-place.js';

/**
 * A copy of the runbook. A bucket that keeps versions may be read as it was, a folder keeps none: `earlier`, when each archive was made,
 * where it was changed since; `asOf`, before that moment (ISO 8601), whatever was done to it since.
 */
export type PlacedCopy = ArchiveCopy & { readonly earlier?: true; readonly asOf?: string };

export interface StoredFile {
  readonly name: string;
  readonly bytes: number;
}

/** Copies as they were at a moment; undefined: as they are now. */
export function copiesAsOf<B extends { readonly copies: readonly PlacedCopy[] }>(
  backup: B,
  asOf: string | undefined,
): B {
  return asOf === undefined
    ? backup
    : { ...backup, copies: backup.copies.map((copy) => ({ ...copy, asOf })) };
}

export interface ArchivePlace {
  /** In words, for errors: `S3 us-west-2 (bucket ... at ...)`. */
  readonly title: string;
  /** Writes a file from a stream; it is there whole or not at all. A file of that name is replaced. */
  write(name: string, content: Readable): Promise<void>;
  /** A stream of a file's bytes. It breaks with an error rather than end early. @throws `ArchiveIncomplete` when it is not there */
  open(name: string): Promise<Readable>;
  /** A small file. @returns undefined when it is not there @throws `ArchiveDamaged` when it is larger than `mostBytes` */
  read(name: string, mostBytes: number): Promise<Buffer | undefined>;
  /** Every file below a prefix that ends with `/`. */
  list(prefix: string): Promise<readonly StoredFile[]>;
  /** How long nobody can delete a file (object lock in compliance mode), in words. undefined: it is not locked, or nobody tells. */
  lockOf?(name: string): Promise<string | undefined>;
  close(): void;
}

/**
 * Opens the place of a copy.
 *
 * @param signal ends whatever is under way
 * @throws PermanentError `SecretMissing`
 */
export function openPlace(copy: PlacedCopy, signal: AbortSignal): Promise<ArchivePlace> {
  if (copy.driver === 'folder') return folderPlace(copy, signal);
  if (copy.asOf !== undefined) return s3PlaceAsOf(copy, copy.asOf, signal);
  return copy.earlier === true ? earlierPlace(copy, signal) : s3Place(copy, signal);
}

/** Opens a place for some work and closes it whatever happens. */
export async function withPlace<T>(
  copy: PlacedCopy,
  signal: AbortSignal,
  work: (place: ArchivePlace) => Promise<T>,
): Promise<T> {
  const place = await openPlace(copy, signal);
  try {
    return await work(place);
  } finally {
    place.close();
  }
}

/** Where archives are kept: one interface, one file a driver. Names are paths with `/`, below the place's own root. */
import type { Readable } from 'node:stream';
import type { ArchiveCopy } from '../runbook/schema.js';
import { folderPlace } from './folder-place.js';
import { earlierPlace, s3Place } from './s3-place.js';

/** A copy of the runbook; `earlier`: its bucket as it was when each archive was made, where it was changed since. */
export type PlacedCopy = ArchiveCopy & { readonly earlier?: true };

export interface StoredFile {
  readonly name: string;
  readonly bytes: number;
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

/** An object store, by whatever interface it is reached. Reads see every write that was answered before them. */
import type { ObjectStore } from '../../src/runbook/schema.js';

/** What a listing says of an object. */
export interface ListedObject {
  readonly key: string;
  readonly bytes: number;
  /** Opaque; the MD5 of the content where it has that form. */
  readonly etag: string;
}

/** One version of a key, or the mark that it was deleted. */
export interface ObjectVersion extends ListedObject {
  readonly versionId: string;
  readonly kind: 'version' | 'delete-marker';
  /** When it was written, milliseconds since 1970. */
  readonly atMs: number;
  readonly latest: boolean;
}

/** All versions of one key, newest first. */
export interface KeyHistory {
  readonly key: string;
  readonly versions: readonly ObjectVersion[];
}

export interface BucketConfiguration {
  readonly cors: ObjectStore['cors'];
  /** JSON; undefined: there is none. */
  readonly policy: string | undefined;
}

export interface ObjectBody {
  readonly bytes: number;
  /** Empty where it says nothing of the content: encrypted with a key of the store's key service, or the caller's. */
  readonly etag: string;
  readonly stream: AsyncIterable<Uint8Array>;
  /** Content type, caching, the owner's own metadata: handed to `put` as it is. */
  readonly headers: ObjectHeaders;
}

export interface ObjectHeaders {
  readonly ContentType?: string;
  readonly CacheControl?: string;
  readonly ContentDisposition?: string;
  readonly ContentEncoding?: string;
  readonly ContentLanguage?: string;
  readonly Metadata?: Record<string, string>;
}

/**
 * One bucket.
 *
 * @throws by every call: PermanentError `BucketMissing`, `BucketDenied`, `StoreRefused`; TransientError `ObjectStoreUnreachable`; the signal's
 *   reason once it is aborted
 */
export interface BucketDriver {
  /** In words, for errors. */
  readonly title: string;
  /** Objects in the order of their keys' bytes, one page after the other. @param after keys behind this one only */
  list(after: string | undefined): AsyncGenerator<readonly ListedObject[]>;
  /** Every key that has or had an object, in the order of their keys' bytes. */
  histories(prefix: string, after: string | undefined): AsyncGenerator<KeyHistory>;
  /**
   * undefined: no such object, or version.
   *
   * @param versionId undefined: the newest
   * @throws PermanentError `ContentDamaged` while the body is read
   */
  get(key: string, versionId?: string): Promise<ObjectBody | undefined>;
  /** One part of an object that was uploaded in parts, from 1, and how many there are; undefined: the store does not tell. */
  part(key: string, number: number, versionId?: string): Promise<ObjectPart | undefined>;
  /** Copies a version over what stands under its key, with all its headers. @returns what stands there now */
  bringBack(version: ObjectVersion): Promise<BroughtBack>;
  /** Removes the very version that `bringBack` has made: what stood there before stands there again. */
  takeBack(made: BroughtBack): Promise<void>;
  /** Writes an object whose content is known whole; the store refuses it when the checksum differs. */
  put(key: string, content: Uint8Array, sha256: string, headers: ObjectHeaders): Promise<void>;
  /** Writes an object part by part; `finish` makes it visible, `abort` leaves nothing. */
  putInParts(key: string, headers: ObjectHeaders): Promise<PartedUpload>;
  exists(): Promise<boolean>;
  /** Makes the bucket. Does nothing when it is there and is ours. @throws PermanentError `BucketTaken` */
  create(): Promise<void>;
  isVersioned(): Promise<boolean>;
  switchOnVersioning(): Promise<void>;
  configuration(): Promise<BucketConfiguration>;
  configure(wanted: BucketConfiguration): Promise<void>;
  close(): void;
}

export interface ObjectPart {
  readonly bytes: number;
  readonly count: number;
}

export interface BroughtBack extends ListedObject {
  /** undefined: the store names none. */
  readonly versionId: string | undefined;
}

export interface PartedUpload {
  /** Parts in order. @param sha256 in Base64 */
  part(content: Uint8Array, sha256: string): Promise<void>;
  finish(): Promise<void>;
  abort(): Promise<void>;
}

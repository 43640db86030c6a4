/**
 * Content held against the entity tag that a store names for it: the MD5 of an object that was uploaded whole; of one that was
 * uploaded in parts the MD5 of the parts' MD5s, with their number behind it (Amazon S3 User Guide, "Checking object integrity").
 */
import { createHash } from 'node:crypto';
import { PermanentError } from '../../src/errors.js';
import { isMd5 } from './choice.js';
import type { BucketDriver, ObjectBody, ObjectVersion } from './driver.js';

const IN_PARTS = /^[0-9a-f]{32}-\d+$/;

/** `alike`: all parts but the last are taken to be as large as the first; `each`: every one is asked for. */
export type PartsKnown = 'alike' | 'each';

/** Reads along and says in the end whether it was what the store names. */
export interface Comparison {
  add(chunk: Uint8Array): void;
  /** @returns what is wrong, in words; undefined: nothing */
  end(): string | undefined;
}

/** @param versionId undefined: the newest @throws what the driver throws */
export async function compareContent(
  bucket: BucketDriver,
  object: { readonly key: string; readonly versionId?: string },
  { bytes, etag }: Pick<ObjectBody, 'bytes' | 'etag'>,
  known: PartsKnown,
): Promise<Comparison> {
  const sizes = IN_PARTS.test(etag) ? await partSizes(bucket, object, bytes, known) : undefined;
  const comparable = isMd5(etag) || sizes !== undefined;
  const tag = new EntityTag(sizes);
  let came = 0;
  return {
    add(chunk) {
      came += chunk.length;
      if (comparable) tag.add(chunk);
    },
    end() {
      if (came !== bytes) return `${bytes} bytes were announced and ${came} came`;
      if (!comparable || tag.end() === etag) return undefined;
      return 'its content is not what was written (its MD5 differs from its entity tag)';
    },
  };
}

/**
 * Reads a version whole: for one whose tag the store does not count anew when it copies it.
 *
 * @returns what is wrong with it, in words; undefined: nothing
 * @throws what the driver throws
 */
export async function troubleIn(bucket: BucketDriver, version: ObjectVersion): Promise<string | undefined> {
  const read = async (known: PartsKnown) => {
    const body = await bucket.get(version.key, version.versionId);
    if (body === undefined) return 'its version is not there any more';
    const comparison = await compareContent(bucket, version, version, known);
    try {
      for await (const chunk of body.stream) comparison.add(chunk);
    } catch (error) {
      if (!isDamage(error)) throw error;
      return 'its content is not what was written (its checksum does not fit)';
    }
    return comparison.end();
  };
  return (await read('alike')) === undefined ? undefined : read('each');
}

export function isDamage(error: unknown): boolean {
  return error instanceof PermanentError && error.code === 'ContentDamaged';
}

/** undefined: the store does not tell. */
async function partSizes(
  bucket: BucketDriver,
  { key, versionId }: { readonly key: string; readonly versionId?: string },
  bytes: number,
  known: PartsKnown,
): Promise<readonly number[] | undefined> {
  const first = await bucket.part(key, 1, versionId);
  if (first === undefined || first.count < 1 || first.bytes < 1) return undefined;
  const { count } = first;
  if (known === 'alike' && Math.ceil(bytes / first.bytes) === count) {
    return Array.from({ length: count }, (_, index) =>
      index < count - 1 ? first.bytes : bytes - first.bytes * (count - 1),
    );
  }
  const sizes = [first.bytes];
  for (let number = 2; number <= count; number++) {
    const part = await bucket.part(key, number, versionId);
    if (part === undefined) return undefined;
    sizes.push(part.bytes);
  }
  return sizes;
}

class EntityTag {
  readonly #parts: Buffer[] = [];
  #hash = createHash('md5');
  #left: number;

  /** @param sizes undefined: uploaded whole */
  constructor(private readonly sizes: readonly number[] | undefined) {
    this.#left = sizes?.[0] ?? Number.POSITIVE_INFINITY;
  }

  add(chunk: Uint8Array): void {
    let rest = chunk;
    while (rest.length > this.#left) {
      const cut = this.#left;
      this.#hash.update(rest.subarray(0, cut));
      rest = rest.subarray(cut);
      this.#next();
    }
    this.#hash.update(rest);
    this.#left -= rest.length;
  }

  end(): string {
    if (this.sizes === undefined) return this.#hash.digest('hex');
    this.#parts.push(this.#hash.digest());
    const all = createHash('md5').update(Buffer.concat(this.#parts)).digest('hex');
    return `${all}-${this.#parts.length}`;
  }

  #next(): void {
    this.#parts.push(this.#hash.digest());
    this.#hash = createHash('md5');
    this.#left = this.sizes?.[this.#parts.length] ?? Number.POSITIVE_INFINITY;
  }
}

/** Parts of an archive on their way out and in: encrypted, counted, hashed, never whole in memory. */
import { createHash } from 'node:crypto';
import { PassThrough, Readable, Transform } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { AgeError, decryptWith, encryptTo } from './age.js';
import { damaged, wrongKey } from './errors.js';
import type { ArchivePart } from './manifest.js';
import type { ArchivePlace } from './place.js';

/** A place that an archive is being written to. */
export interface Destination {
  readonly place: ArchivePlace;
  /** Why nothing more is written there; the other places are still worth having. */
  failure?: unknown;
}

export type Stored = Pick<ArchivePart, 'plainBytes' | 'bytes' | 'sha256'>;

const AHEAD_BYTES = 1024 * 1024;

/**
 * Encrypts a stream once and writes it to every place at the pace of the slowest.
 *
 * @throws what the source throws; the failure of the last place that was left
 */
export async function storePart(
  destinations: readonly Destination[],
  name: string,
  source: Readable,
  recipients: readonly string[],
): Promise<Stored> {
  const outs = destinations.filter(({ failure }) => failure === undefined).map((one) => outTo(one, name));
  const hash = createHash('sha256');
  let bytes = 0;
  const plain = new Counter();
  try {
    await pipeline(source, plain, await encryptTo(recipients), async (chunks: AsyncIterable<Buffer>) => {
      for await (const chunk of chunks) {
        hash.update(chunk);
        bytes += chunk.length;
        await Promise.all(outs.map((out) => out.write(chunk)));
        requireOne(destinations);
      }
    });
  } catch (error) {
    await Promise.all(outs.map((out) => out.fail(error)));
    throw error;
  }
  await Promise.all(outs.map((out) => out.end()));
  requireOne(destinations);
  return { plainBytes: plain.bytes, bytes, sha256: hash.digest('hex') };
}

/** @throws the newest failure when no place is left */
export function requireOne(destinations: readonly Destination[]): void {
  if (destinations.some(({ failure }) => failure === undefined)) return;
  throw destinations.at(-1)?.failure;
}

function outTo(destination: Destination, name: string) {
  const stream = new PassThrough({ highWaterMark: AHEAD_BYTES });
  // Whoever writes learns of it from the destination.
  stream.on('error', () => undefined);
  const written = destination.place.write(name, stream).catch((error: unknown) => {
    destination.failure ??= error;
    stream.destroy();
  });
  return {
    async write(chunk: Buffer): Promise<void> {
      if (stream.destroyed || stream.write(chunk)) return;
      await new Promise<void>((resolve) => {
        const go = () => {
          stream.off('drain', go).off('close', go);
          resolve();
        };
        stream.on('drain', go).on('close', go);
      });
    },
    end(): Promise<void> {
      stream.end();
      return written;
    },
    fail(error: unknown): Promise<void> {
      stream.destroy(error as Error);
      return written;
    },
  };
}

/**
 * A part's content. Each chunk is authentic; the end comes only when all of the file was there, byte for byte what the
 * manifest names. Until that end, whoever acts on the content must be able to take it back.
 *
 * @throws (the stream) PermanentError `ArchiveDamaged`, `ArchiveIncomplete`, `WrongArchiveKey`; what the place throws
 */
export function openPart(
  place: ArchivePlace,
  folder: string,
  part: ArchivePart,
  identities: readonly string[],
): Readable {
  return Readable.from(contentOf(place, folder, part, identities), { objectMode: false });
}

async function* contentOf(
  place: ArchivePlace,
  folder: string,
  part: ArchivePart,
  identities: readonly string[],
): AsyncGenerator<Buffer> {
  const file = `${folder}${part.file} in ${place.title}`;
  const raw = await place.open(`${folder}${part.file}`);
  const plain = decryptWith(identities);
  const moving = pipeline(raw, new Comparing(part, file), plain);
  // It is told where the content is read.
  moving.catch(() => undefined);
  let length = 0;
  try {
    for await (const chunk of plain) {
      length += (chunk as Buffer).length;
      yield chunk as Buffer;
    }
    await moving;
  } catch (error) {
    if (!(error instanceof AgeError)) throw error;
    if (error.kind === 'damaged') throw damaged(file, error.message, error);
    // A changed header looks like one that is for somebody else: the hash tells them apart.
    await comparePart(place, folder, part);
    throw wrongKey(file, error);
  } finally {
    raw.destroy();
  }
  if (length !== part.plainBytes) {
    throw damaged(file, `holds ${length} bytes where the manifest names ${part.plainBytes}`);
  }
}

/** Reads a whole part and compares it with the manifest; needs no key. @throws like `openPart` */
export async function comparePart(place: ArchivePlace, folder: string, part: ArchivePart): Promise<void> {
  const comparing = new Comparing(part, `${folder}${part.file} in ${place.title}`);
  comparing.resume();
  await pipeline(await place.open(`${folder}${part.file}`), comparing);
}

class Counter extends Transform {
  bytes = 0;

  override _transform(
    data: Buffer,
    _encoding: BufferEncoding,
    done: (error?: null, data?: Buffer) => void,
  ): void {
    this.bytes += data.length;
    done(null, data);
  }
}

/** Lets through what is stored as long as it can be what the manifest names. */
class Comparing extends Transform {
  readonly #hash = createHash('sha256');
  #bytes = 0;

  constructor(
    private readonly part: ArchivePart,
    private readonly file: string,
  ) {
    super();
  }

  override _transform(
    data: Buffer,
    _encoding: BufferEncoding,
    done: (error: Error | null, data?: Buffer) => void,
  ): void {
    this.#bytes += data.length;
    this.#hash.update(data);
    if (this.#bytes > this.part.bytes) {
      done(damaged(this.file, `is longer than the ${this.part.bytes} bytes that the manifest names`));
    } else done(null, data);
  }

  override _flush(done: (error: Error | null) => void): void {
    const found = this.#hash.digest('hex');
    if (this.#bytes < this.part.bytes) {
      done(damaged(this.file, `ends after ${this.#bytes} of ${this.part.bytes} bytes`));
    } else if (found !== this.part.sha256) {
      done(damaged(this.file, `has the SHA-256 ${found}, the manifest names ${this.part.sha256}`));
    } else done(null);
  }
}

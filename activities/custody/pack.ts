/** A directory as one compressed tape archive, with the hash of every file taken from the very bytes that are packed. */
import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { lstat, readdir, readlink } from 'node:fs/promises';
import { join, relative } from 'node:path';
import { PassThrough, type Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { createGzip } from 'node:zlib';
import { pack } from 'tar-stream';

export interface PackedFile {
  readonly path: string;
  readonly bytes: number;
  /** ISO 8601 */
  readonly modified: string;
  readonly sha256: string;
}

export interface PackedLink {
  readonly path: string;
  readonly leadsTo: string;
}

export interface Packed {
  readonly files: readonly PackedFile[];
  readonly links: readonly PackedLink[];
}

/** What a directory holds, in the order of its names: the same directory is packed to the same bytes again. */
export async function contentsOf(directory: string): Promise<readonly string[]> {
  const entries = await readdir(directory, { recursive: true, withFileTypes: true });
  return entries
    .filter((entry) => entry.isFile() || entry.isSymbolicLink() || entry.isDirectory())
    .map((entry) => relative(directory, join(entry.path, entry.name)))
    .sort((one, other) => (one < other ? -1 : 1));
}

/**
 * Packs a directory that nothing changes any more.
 *
 * @param consume is given the compressed archive
 * @param update bytes of files packed so far
 */
export async function packDirectory(
  directory: string,
  signal: AbortSignal,
  consume: (archive: Readable) => Promise<void>,
  update: (bytes: number) => void,
): Promise<Packed> {
  const archive = pack();
  const compressed = new PassThrough();
  // Level 1: a processor's core packs about as fast as a disk reads.
  const piped = pipeline(archive, createGzip({ level: 1 }), compressed, { signal });
  const consumed = consume(compressed);
  // Whichever fails first ends the others.
  const ended = Promise.all([piped, consumed]);
  ended.catch((error: unknown) => archive.destroy(error instanceof Error ? error : new Error(String(error))));
  const files: PackedFile[] = [];
  const links: PackedLink[] = [];
  let done = 0;
  const fill = async () => {
    for (const path of await contentsOf(directory)) {
      signal.throwIfAborted();
      const full = join(directory, path);
      const stats = await lstat(full);
      const { size, mtime, mode, uid, gid } = stats;
      const header = { name: path, mtime, mode: mode & 0o7777, uid, gid };
      if (stats.isDirectory()) {
        archive.entry({ ...header, type: 'directory' });
      } else if (stats.isSymbolicLink()) {
        const leadsTo = await readlink(full);
        archive.entry({ ...header, type: 'symlink', linkname: leadsTo });
        links.push({ path, leadsTo });
      } else {
        const hash = createHash('sha256');
        const entry = archive.entry({ ...header, size });
        await pipeline(
          createReadStream(full),
          async function* (chunks: AsyncIterable<Buffer>) {
            for await (const chunk of chunks) {
              hash.update(chunk);
              done += chunk.length;
              update(done);
              yield chunk;
            }
          },
          entry,
          { signal },
        );
        files.push({ path, bytes: size, modified: mtime.toISOString(), sha256: hash.digest('hex') });
      }
    }
    archive.finalize();
  };
  await Promise.all([fill(), ended]);
  return { files, links };
}

/** Cuts a stream into pieces of a size; the last one may be smaller. */
export async function* piecesOf(stream: Readable, pieceBytes: number): AsyncGenerator<Buffer> {
  let chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of stream as AsyncIterable<Buffer>) {
    let rest = chunk;
    while (bytes + rest.length >= pieceBytes) {
      const cut = pieceBytes - bytes;
      yield Buffer.concat([...chunks, rest.subarray(0, cut)]);
      rest = rest.subarray(cut);
      chunks = [];
      bytes = 0;
    }
    if (rest.length > 0) chunks.push(rest);
    bytes += rest.length;
  }
  if (bytes > 0) yield Buffer.concat(chunks);
}

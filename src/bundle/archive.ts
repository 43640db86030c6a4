/** A bundle's files as one gzipped tar archive: `tar xzf` opens it where Muster is not. */

import { Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import { createGzip, gunzipSync } from 'node:zlib';
import tar from 'tar-stream';
import { messageOf } from '../errors.js';

/** Name -> contents, in the order in which they were written. */
export type BundleFiles = ReadonlyMap<string, Buffer>;

/** Runbooks and plans are text: what is larger is no bundle. */
const LARGEST_BYTES = 64 * 1024 * 1024;

/** Letters, digits and `. _ -` in folders: nothing that leads out of the folder it is opened in. */
const SAFE = /^(?:[A-Za-z0-9_][\w.-]*\/)*[A-Za-z0-9_][\w.-]*$/;

/** The same files make the same bytes. */
export async function packFiles(files: BundleFiles): Promise<Buffer> {
  const pack = tar.pack();
  const packed = buffer(pack.pipe(createGzip({ level: 9 })));
  for (const [name, contents] of files) pack.entry({ name, mode: 0o644, mtime: new Date(0) }, contents);
  pack.finalize();
  return packed;
}

/** @throws Error in one sentence for what is no archive, or holds what a bundle never holds */
export async function unpackFiles(archive: Buffer): Promise<BundleFiles> {
  let bytes: Buffer;
  try {
    bytes = gunzipSync(archive, { maxOutputLength: LARGEST_BYTES });
  } catch (error) {
    throw new Error(`It is no gzipped archive, or was cut (${messageOf(error)}).`);
  }
  const files = new Map<string, Buffer>();
  try {
    const entries = Readable.from([bytes]).pipe(tar.extract());
    for await (const entry of entries) {
      const { name, type } = entry.header;
      if (type !== 'file' || !SAFE.test(name)) throw new Error('it holds what is no plain file of a bundle');
      if (files.has(name)) throw new Error(`it holds ${name} twice`);
      files.set(name, await buffer(entry));
    }
  } catch (error) {
    throw new Error(`It is no archive of a bundle (${messageOf(error)}).`);
  }
  return files;
}

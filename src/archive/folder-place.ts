import { randomUUID } from 'node:crypto';
import { createReadStream, createWriteStream } from 'node:fs';
import { lstat, mkdir, open, readdir, rename, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { messageOf } from '../errors.js';
import type { ArchiveCopy } from '../runbook/schema.js';
import { damaged, denied, missing, unreachable } from './errors.js';
import type { ArchivePlace, StoredFile } from './place.js';

/** A folder on this machine: 0700, files 0600, each synced and then renamed into place. */
export async function folderPlace(
  copy: Extract<ArchiveCopy, { driver: 'folder' }>,
  signal: AbortSignal,
): Promise<ArchivePlace> {
  const title = `${copy.title} (${copy.path})`;
  const at = (name: string) => join(copy.path, name);
  const failed = (what: string, error: unknown): Error => {
    signal.throwIfAborted();
    const code = (error as NodeJS.ErrnoException).code;
    const make = code === 'EACCES' || code === 'EPERM' ? denied : unreachable;
    return make(title, `${what}: ${messageOf(error)}`, error);
  };

  return {
    title,

    async write(name, content) {
      const whole = `${at(name)}.${randomUUID()}.part`;
      try {
        await mkdir(dirname(whole), { recursive: true, mode: 0o700 });
        await pipeline(content, createWriteStream(whole, { mode: 0o600, flags: 'wx', flush: true }), {
          signal,
        });
        await rename(whole, at(name));
        await syncFolder(dirname(whole));
      } catch (error) {
        await rm(whole, { force: true });
        throw failed(`${name} cannot be written`, error);
      }
    },

    async open(name) {
      const stream = createReadStream(at(name), { highWaterMark: 256 * 1024, signal });
      await new Promise<void>((resolve, reject) => {
        stream.once('open', () => resolve());
        stream.once('error', (error: NodeJS.ErrnoException) => {
          reject(
            error.code === 'ENOENT'
              ? missing(`${name} in ${title}`)
              : failed(`${name} cannot be read`, error),
          );
        });
      });
      return stream as Readable;
    },

    async read(name, mostBytes) {
      try {
        const handle = await open(at(name), 'r');
        try {
          const { size } = await handle.stat();
          if (size > mostBytes)
            throw damaged(`${name} in ${title}`, `has ${size} bytes, at most ${mostBytes} are right`);
          return await handle.readFile();
        } finally {
          await handle.close();
        }
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
        if ((error as { next?: string }).next !== undefined) throw error;
        throw failed(`${name} cannot be read`, error);
      }
    },

    async list(prefix) {
      try {
        return await filesBelow(copy.path, prefix);
      } catch (error) {
        throw failed('its files cannot be listed', error);
      }
    },

    close: () => undefined,
  };
}

async function filesBelow(root: string, prefix: string): Promise<StoredFile[]> {
  const entries = await readdir(join(root, prefix), { withFileTypes: true }).catch((error) => {
    // A place that was never written to holds nothing; one that is gone is an error.
    if (error.code === 'ENOENT' && prefix !== '') return [];
    throw error;
  });
  const found: StoredFile[] = [];
  for (const entry of entries) {
    const name = `${prefix}${entry.name}`;
    if (entry.isDirectory()) found.push(...(await filesBelow(root, `${name}/`)));
    else if (entry.isFile() && !name.endsWith('.part')) {
      found.push({ name, bytes: (await lstat(join(root, name))).size });
    }
  }
  return found;
}

async function syncFolder(path: string): Promise<void> {
  const handle = await open(path, 'r');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

import { readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';

/** Files below a folder and their bytes. Where a server works on them, one may go while this looks: it is not counted. */
export async function sizesOf(root: string): Promise<{ readonly files: number; readonly bytes: number }> {
  let [files, bytes] = [0, 0];
  for (const entry of await readdir(root, { recursive: true, withFileTypes: true })) {
    if (!entry.isFile()) continue;
    const found = await stat(join(entry.path, entry.name)).catch(() => undefined);
    if (found === undefined) continue;
    files += 1;
    bytes += found.size;
  }
  return { files, bytes };
}

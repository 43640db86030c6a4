/** Physical backups and pages of a cluster, damaged as bad hardware and uploads that end early do it. */
import { randomBytes, randomInt } from 'node:crypto';
import { open, readdir, stat, truncate } from 'node:fs/promises';
import { join } from 'node:path';

const PAGE_BYTES = 8192;
const PAGES = 12;

/** Labels of the backups in a repository's folder, oldest first. */
export async function labelsIn(folder: string): Promise<readonly string[]> {
  const names = await readdir(folder);
  return names.filter((name) => /^\d{8}-\d{6}[FDI]/.test(name)).sort();
}

interface Sized {
  readonly path: string;
  readonly bytes: number;
}

/** Largest first. */
async function filesUnder(folder: string): Promise<readonly Sized[]> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  const files = await Promise.all(
    entries
      .filter((entry) => entry.isFile())
      .map(async (entry) => {
        const path = join(entry.path, entry.name);
        return { path, bytes: (await stat(path)).size };
      }),
  );
  return files.sort((one, other) => other.bytes - one.bytes);
}

/** Overwrites random places of the largest files, or cuts them off there. @returns how many places */
export async function damageBackup(folder: string, how: 'overwritten' | 'cut off'): Promise<number> {
  const files = (await filesUnder(folder)).filter(({ path }) => !path.includes('backup.manifest'));
  const struck = files.slice(0, 3);
  for (const { path, bytes } of struck) {
    const length = Math.min(512, bytes);
    const at = randomInt(0, bytes - length + 1);
    if (how === 'cut off') await truncate(path, at);
    else await overwrite(path, at, length);
  }
  return struck.length;
}

/** Pages of the largest tables that nothing has touched for long, so that no log brings them back. */
export async function damagePages(data: string): Promise<number> {
  const relations = (await filesUnder(join(data, 'base'))).filter(({ path }) => /\/\d+(\.\d+)?$/.test(path));
  const [largest] = relations;
  if (largest === undefined) return 0;
  const old = Math.max(1, Math.floor(largest.bytes / PAGE_BYTES / 2));
  const blocks = new Set(Array.from({ length: PAGES }, () => randomInt(0, old)));
  for (const block of blocks) await overwrite(largest.path, block * PAGE_BYTES + 64, PAGE_BYTES - 128);
  return blocks.size;
}

async function overwrite(path: string, offset: number, bytes: number): Promise<void> {
  const handle = await open(path, 'r+');
  try {
    await handle.write(randomBytes(bytes), 0, bytes, offset);
  } finally {
    await handle.close();
  }
}

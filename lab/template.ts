import { createHash, randomBytes } from 'node:crypto';
import { chmod, mkdir, readdir, rename, rm, stat, statfs, utimes, writeFile } from 'node:fs/promises';
import { homedir } from 'node:os';
import { dirname, join } from 'node:path';
import type { Account } from './account.js';
import { LabError } from './errors.js';
import { exists, makeOpenFolder } from './folders.js';
import type { Makeshift } from './interrupt.js';
import { type Layout, layoutOf } from './layout.js';
import type { Programs } from './parts/lookup.js';
import { filesOf, GENERATOR_VERSION, type SeedSize } from './payymo/generate.js';
import { ROLES, RULES_SQL, TABLES_SQL } from './payymo/schema.js';
import { run } from './process.js';
import { buildSeed } from './seeding.js';

/** Changes whenever what a seed holds besides the ledger does: settings, buckets, secrets. */
const TEMPLATE_VERSION = 4;
const UNUSED_DAYS = 14;

/** What of a lab is kept in a seed: paths relative to the lab's folder. */
const SHARED = ['secrets', join('s3', 'west'), join('s3', 'east'), join('store', 'data')];
const keptOf = ({ ledger }: Pick<SeedRequest, 'ledger'>) =>
  ledger === 'with' ? [...SHARED, join('payymo', 'west', 'data')] : SHARED;

/** What decides whether a kept seed fits. */
export interface SeedRequest {
  /** Whether Payymo lives in the lab: the other systems' data is made with them. */
  readonly ledger: 'with' | 'without';
  readonly size: SeedSize;
  readonly programs: Programs;
  readonly account: Account;
  /** Takes note of what is only there while the seed is made. */
  readonly makeshift: Makeshift;
  readonly log: (line: string) => void;
}

/** Identifies a seed by everything that it depends on. */
export function seedKey({ programs, account, size, ledger }: SeedRequest): string {
  const amounts = [size.transactions, size.sizeBytes, filesOf(size)];
  const generation = [GENERATOR_VERSION, ROLES, TABLES_SQL, RULES_SQL, ...amounts];
  const own = ledger === 'with' ? generation : ['without a ledger'];
  const parts = [TEMPLATE_VERSION, ...own, programs.versions, account.uid];
  return createHash('sha256').update(JSON.stringify(parts)).digest('hex').slice(0, 16);
}

/**
 * Puts the seeded primary, both repositories and Muster's empty store into the new lab, from the kept seed; makes and
 * keeps one first where there is none. A seed becomes visible in one step, so two labs may make the same one at once.
 */
export async function plantSeed(layout: Layout, key: string, request: SeedRequest): Promise<void> {
  const folder = seedFolder(key);
  if (!(await exists(folder))) await makeSeed(layout, folder, request);
  const now = new Date();
  await utimes(folder, now, now);
  const all = keptOf(request);
  for (const kept of all) await makeOpenFolder(dirname(join(layout.dir, kept)));
  await Promise.all(all.map((kept) => copyTree(join(folder, kept), join(layout.dir, kept))));
}

function seedFolder(key: string): string {
  return join(process.env.XDG_CACHE_HOME ?? join(homedir(), '.cache'), 'muster', `seed-${key}`);
}

async function makeSeed(layout: Layout, folder: string, request: SeedRequest): Promise<void> {
  // Beside the lab, because the database account must be able to reach it; the cache may be closed to it.
  const building = layoutOf(`${layout.dir}.seed-${randomBytes(3).toString('hex')}`);
  const cache = dirname(folder);
  const next = join(cache, `.seed-${randomBytes(6).toString('hex')}`);
  if (request.ledger === 'with') await demandSpace(dirname(layout.dir), request.size);
  const scratch = [building.dir, next, ...(building.shortSockets ? [building.shortSockets] : [])];
  await request.makeshift.withFolders(scratch, async () => {
    await buildSeed(building, request);
    await mkdir(cache, { recursive: true });
    await dropUnused(cache);
    for (const kept of keptOf(request)) {
      await mkdir(dirname(join(next, kept)), { recursive: true });
      await moveTree(join(building.dir, kept), join(next, kept));
    }
    await writeFile(
      join(next, 'about.json'),
      `${JSON.stringify({ ...request.size, made: new Date() }, null, 2)}\n`,
    );
    await chmod(next, 0o700);
    await rename(next, folder).catch((error: NodeJS.ErrnoException) => {
      // Another lab has kept the same seed in the meantime.
      if (error.code !== 'ENOTEMPTY' && error.code !== 'EEXIST') throw error;
    });
  });
}

/** The database, its copy in the lab, and two compressed backups of each. */
async function demandSpace(parent: string, size: SeedSize): Promise<void> {
  await makeOpenFolder(parent);
  const { bavail, bsize } = await statfs(parent);
  const needed = 1_000_000_000 + 4.5 * Math.max(size.sizeBytes, 500 * size.transactions);
  if (bavail * bsize >= needed) return;
  const gigabytes = (bytes: number) => (bytes / 1e9).toFixed(1);
  throw new LabError(
    `The lab and its kept seed need about ${gigabytes(needed)} GB, ${parent} has ${gigabytes(bavail * bsize)} GB free.`,
    'Ask for a smaller --size, or choose another folder with MUSTER_LAB.',
  );
}

async function dropUnused(cache: string): Promise<void> {
  for (const name of await readdir(cache)) {
    if (!name.startsWith('seed-')) continue;
    const { mtimeMs } = await stat(join(cache, name));
    if (Date.now() - mtimeMs > UNUSED_DAYS * 86_400_000)
      await rm(join(cache, name), { recursive: true, force: true });
  }
}

/** Extended attributes are kept: the S3 server holds its metadata in them. */
async function copyTree(from: string, to: string): Promise<void> {
  await run('cp', ['-a', '--reflink=auto', from, to], { cwd: '/', timeoutMs: 1_800_000 });
}

async function moveTree(from: string, to: string): Promise<void> {
  try {
    await rename(from, to);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EXDEV') throw error;
    await copyTree(from, to);
  }
}

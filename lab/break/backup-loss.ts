/** The backups in both regions turn out to be damaged on the day on which the primary's disk is: one copy is left. */
import { randomBytes, randomInt } from 'node:crypto';
import { open, readdir, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { databaseAccount } from '../account.js';
import { lostMark, runningServer } from '../clusters.js';
import { LabError } from '../errors.js';
import { type Layout, REGIONS, type RegionName, type SiteName } from '../layout.js';
import { findPrograms } from '../parts/lookup.js';
import { pgbackrest, STANZA } from '../parts/pgbackrest.js';
import { BACKUP_BUCKET } from '../parts/s3.js';
import { hasStandby } from '../standby.js';
import type { LabState } from '../state.js';
import { runningPrimary, strikeServer, untilGone } from './strike.js';

/** The one copy that is sound. */
export const LEFT = ['standby', 'older-backup', 'damaged-server'] as const;
export type Left = (typeof LEFT)[number];

/** Times are this machine's clock, ISO 8601 UTC. */
export interface BackupLoss {
  readonly at: string;
  readonly site: SiteName;
  readonly left: Left;
  readonly serverPids: readonly number[];
  /** Backups that were damaged, `us-west-2/20261121-030000F`, and how many places of them. */
  readonly backups: Readonly<Record<string, number>>;
  /** Pages of the primary that were overwritten. */
  readonly pages: number;
}

const PAGE_BYTES = 8192;
const PAGES = 12;

/**
 * Damages every backup in both regions at random places, kills the primary and damages its disk, and spares one copy.
 *
 * @param state a lab that is up, with a standby where that is to be left
 * @throws LabError when no primary runs, or there is no standby to be left
 */
export async function breakBackups(state: LabState, left: Left = 'standby'): Promise<BackupLoss> {
  const { layout, site, server } = await runningPrimary(state, 'its disk');
  const standby = await hasStandby(layout);
  if (left === 'standby' && !standby) {
    throw new LabError('There is no standby that could be left.', 'Raise it: muster lab up --standby.');
  }
  if (left === 'older-backup') await backUpAgain(layout, site);
  const backups: Record<string, number> = {};
  for (const region of REGIONS) {
    const labels = await labelsOf(layout, region);
    for (const [index, label] of labels.entries()) {
      // The oldest one of the other region.
      if (left === 'older-backup' && region === 'east' && index === 0) continue;
      backups[`${region}/${label}`] = await damageBackup(join(repositoryOf(layout, region), label));
    }
  }
  await writeFile(lostMark(layout, site), 'damaged\n');
  const at = new Date().toISOString();
  const serverPids = strikeServer(server, 'SIGKILL');
  await untilGone(serverPids);
  const pages = left === 'damaged-server' ? 0 : await damagePages(layout.sites[site].data);
  if (left !== 'standby' && standby) {
    const follower = await runningServer(layout.sites.standby.data);
    if (follower !== undefined) await untilGone(strikeServer(follower, 'SIGKILL'));
    await rm(layout.sites.standby.data, { recursive: true, force: true, maxRetries: 3 });
  }
  return { at, site, left, serverPids, backups, pages };
}

async function backUpAgain(layout: Layout, site: SiteName): Promise<void> {
  for (const repository of [1, 2]) {
    const how = [`--repo=${repository}`, '--type=full', '--no-expire-auto', 'backup'];
    await pgbackrest(findPrograms().pgbackrest, layout.sites[site], databaseAccount(), how);
  }
}

function repositoryOf(layout: Layout, region: RegionName): string {
  return join(layout.s3[region], 'data', BACKUP_BUCKET, 'postgresql', 'backup', STANZA);
}

/** Oldest first. */
async function labelsOf(layout: Layout, region: RegionName): Promise<readonly string[]> {
  const names = await readdir(repositoryOf(layout, region));
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

/** Overwrites random places of the largest files. @returns how many places */
async function damageBackup(folder: string): Promise<number> {
  const files = (await filesUnder(folder)).filter(({ path }) => !path.includes('backup.manifest'));
  const struck = files.slice(0, 3);
  for (const { path, bytes } of struck) {
    const length = Math.min(512, bytes);
    await overwrite(path, randomInt(0, bytes - length + 1), length);
  }
  return struck.length;
}

/** Pages of the largest tables that nothing has touched for long, so that no log brings them back. */
async function damagePages(data: string): Promise<number> {
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

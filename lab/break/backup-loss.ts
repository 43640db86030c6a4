/** The backups in both regions turn out to be damaged on the day on which the primary's disk is: one copy is left. */
import { rm, writeFile } from 'node:fs/promises';
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
import { damageBackup, damagePages, labelsIn } from './repositories.js';
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
  /** Backups that were damaged, `west/20261121-030000F`, and how many places of them. */
  readonly backups: Readonly<Record<string, number>>;
  /** Pages of the primary that were overwritten. */
  readonly pages: number;
}

/**
 * Damages every backup at random places, overwritten in the west and cut off in the east, kills the primary and damages its disk, and spares one copy.
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
    const labels = await labelsIn(repositoryOf(layout, region));
    for (const [index, label] of labels.entries()) {
      // The oldest one of the other region.
      if (left === 'older-backup' && region === 'east' && index === 0) continue;
      // Both kinds of damage, each in its own region: a broken disk, and an upload that ended early.
      const how = region === 'east' ? 'cut off' : 'overwritten';
      backups[`${region}/${label}`] = await damageBackup(join(repositoryOf(layout, region), label), how);
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

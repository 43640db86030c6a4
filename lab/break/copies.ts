/** Copies of a system's archives, lost or spoilt: a mistaken clean-up, a broken disk, somebody who wants no recovery. */
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { DeleteObjectCommand } from '@aws-sdk/client-s3';
import { openPlace } from '../../src/archive/place.js';
import { loadRunbook } from '../../src/runbook/load.js';
import type { ArchiveBackup, ArchiveCopy } from '../../src/runbook/schema.js';
import { s3Client } from '../../src/s3.js';
import { LabError } from '../errors.js';

/** What becomes of each file. `deleted` leaves its versions in a bucket, as a clean-up does; nothing remains in a folder. */
export type Fate = 'deleted' | 'overwritten';

/** The archives of a system as the lab's runbook names them. @throws LabError when it is not backed up that way */
export async function archivesOf(runbookFile: string): Promise<{ system: string; backup: ArchiveBackup }> {
  const { runbook } = await loadRunbook(runbookFile);
  const backup = Object.values(runbook.backups).find((each) => each.driver === 'archive');
  if (backup?.driver === 'archive') return { system: runbook.system, backup };
  throw new LabError(`${runbook.system} is not backed up by archives.`, 'Name a system that is.');
}

/**
 * Spoils the archives in one copy.
 *
 * @param labels only these; left out: all
 * @returns how many files were hit
 */
export async function spoilCopy(
  system: string,
  copy: ArchiveCopy,
  fate: Fate,
  labels?: readonly string[],
): Promise<number> {
  const place = await openPlace(copy, AbortSignal.timeout(60_000));
  try {
    const files = (await place.list(`${system}/`)).filter(
      ({ name }) => labels === undefined || labels.includes(name.split('/')[1] ?? ''),
    );
    for (const { name, bytes } of files) {
      if (fate === 'overwritten') await place.write(name, Readable.from([Buffer.alloc(bytes, 0x2a)]));
      else if (copy.driver === 'folder') await rm(join(copy.path, name), { force: true });
      else await deleteObject(copy, `${copy.prefix}${name}`);
    }
    return files.length;
  } finally {
    place.close();
  }
}

async function deleteObject(copy: Extract<ArchiveCopy, { driver: 's3' }>, key: string): Promise<void> {
  const store = await s3Client(copy, 10_000);
  try {
    await store.send(new DeleteObjectCommand({ Bucket: copy.bucket, Key: key }));
  } finally {
    store.destroy();
  }
}

/** Damage to backups on the disk of the lab's S3 servers, as bad hardware or a careless hand does it. */
import { open, readdir, readFile, rename, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { layoutOf, type RegionName } from '../../lab/layout.js';
import { BACKUP_BUCKET } from '../../lab/parts/s3.js';
import type { LabState } from '../../lab/state.js';

const FLIPPED_BYTES = 64;

/** Something that was done and can be taken back. */
export type Repair = () => Promise<void>;

function repositoryOf(state: LabState, region: RegionName, kind: 'backup' | 'archive'): string {
  const { s3 } = layoutOf(state.dir);
  return join(s3[region], 'data', BACKUP_BUCKET, 'postgresql', kind, state.ledger.stanza);
}

/** Flips bytes in the middle of the largest file of the newest backup set. */
export async function flipBytes(state: LabState, region: RegionName): Promise<Repair> {
  const sets = repositoryOf(state, region, 'backup');
  const newest =
    (await readdir(sets))
      .filter((name) => /^\d{8}-\d{6}F$/.test(name))
      .sort()
      .at(-1) ?? '';
  const files = await Promise.all(
    (await readdir(join(sets, newest, 'bundle'))).map(async (name) => {
      const path = join(sets, newest, 'bundle', name);
      return { path, bytes: (await stat(path)).size };
    }),
  );
  const { path, bytes } = files.reduce((one, other) => (other.bytes > one.bytes ? other : one));
  const file = await open(path, 'r+');
  const flip = async () => {
    const position = Math.floor(bytes / 2);
    const { buffer } = await file.read(Buffer.alloc(FLIPPED_BYTES), 0, FLIPPED_BYTES, position);
    await file.write(
      buffer.map((byte) => byte ^ 0xff),
      0,
      FLIPPED_BYTES,
      position,
    );
  };
  await flip();
  return async () => {
    await flip();
    await file.close();
  };
}

/** Takes the newest archived segment away. @returns its name */
export async function loseSegment(state: LabState, region: RegionName): Promise<string> {
  const archive = join(repositoryOf(state, region, 'archive'), '15-1', '0000000100000000');
  const lost = (await readdir(archive))
    .filter((name) => /^[0-9A-F]{24}-/.test(name))
    .sort()
    .at(-1);
  if (lost === undefined) throw new Error(`${archive} holds no segment`);
  await rename(join(archive, lost), join(state.dir, `${region}-${lost}`));
  return lost.slice(0, 24);
}

/** Gives pgBackRest at a site another passphrase than the repositories were made with. */
export async function changePassphrases(config: string): Promise<Repair> {
  const text = await readFile(config, 'utf8');
  // Written in place: the file stays the database account's own.
  await writeFile(config, text.replace(/(repo\d-cipher-pass=).*/g, '$1not-the-passphrase'));
  return () => writeFile(config, text);
}

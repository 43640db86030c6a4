/**
 * Damage at random places of files, one bit each: what a disk, a memory or a line does to what is kept. Files keep their owner
 * and their place on disk, and are mended afterwards.
 */
import { chown, copyFile, open, rename, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import fc from 'fast-check';

/** One bit of a file. */
export interface Place {
  readonly file: string;
  readonly bit: number;
}

const SEED = process.env.MUSTER_FUZZ_SEED;

/** For messages: the run with the same places. */
export const seed: number = SEED === undefined ? Math.floor(Math.random() * 2 ** 31) : Number(SEED);

/**
 * Places of files that are not empty. Each file is as likely as another, whatever its size: a large one must not hide the small
 * ones that everything depends on.
 *
 * @param part tells the places of one kind of files from those of another, and is a number of the caller's
 */
export async function randomPlaces(files: readonly string[], count: number, part = 0): Promise<Place[]> {
  const sized = await Promise.all(files.map(async (file) => ({ file, bytes: (await stat(file)).size })));
  const usable = sized.filter(({ bytes }) => bytes > 0);
  const place = fc
    .constantFrom(...usable)
    .chain(({ file, bytes }) => fc.record({ file: fc.constant(file), bit: fc.nat(bytes * 8 - 1) }));
  return fc.sample(fc.noBias(place), { numRuns: count, seed: seed + part });
}

/** Turns one bit over; done twice, nothing has happened. */
export async function flipBit({ file, bit }: Place): Promise<void> {
  const handle = await open(file, 'r+');
  try {
    const byte = Buffer.alloc(1);
    await handle.read(byte, 0, 1, bit >> 3);
    byte[0] = (byte[0] ?? 0) ^ (1 << (bit & 7));
    await handle.write(byte, 0, 1, bit >> 3);
  } finally {
    await handle.close();
  }
}

/** Bits that are wrong for as long as the work takes. */
export async function flipped<T>(places: readonly Place[], work: () => Promise<T>): Promise<T> {
  const done: Place[] = [];
  try {
    for (const place of places) {
      await flipBit(place);
      done.push(place);
    }
    return await work();
  } finally {
    for (const place of done) await flipBit(place);
  }
}

/**
 * Anything done to a file for as long as the work takes, also that it goes away.
 *
 * @param aside a folder on the same disk that nothing looks into: the file itself waits there
 */
export async function harmed<T>(file: string, aside: string, work: () => Promise<T>): Promise<T> {
  const kept = join(aside, 'harmed.kept');
  const { uid, gid } = await stat(file);
  await rename(file, kept);
  try {
    await copyFile(kept, file);
    await chown(file, uid, gid);
    return await work();
  } finally {
    await rm(file, { force: true });
    await rename(kept, file);
  }
}

/** Groups in which each file occurs once: what is found of a group can be told by the file. */
export function byDistinctFile(places: readonly Place[], most: number): readonly (readonly Place[])[] {
  const groups: Place[][] = [];
  for (const place of places) {
    const free = groups.find(
      (group) => group.length < most && group.every(({ file }) => file !== place.file),
    );
    if (free === undefined) groups.push([place]);
    else free.push(place);
  }
  return groups;
}

/** `base/5/1255, bit 4711 (seed 12)` */
export function inWords({ file, bit }: Place, below = ''): string {
  return `${file.slice(below.length)}, bit ${bit} (--seed ${seed})`;
}

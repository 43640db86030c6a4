/** Archives with damage at random places: rung 1, which a recovery climbs before anything is promoted, finds each and names the file. */
import { copyFile, open, readdir, rm, truncate } from 'node:fs/promises';
import { join, relative } from 'node:path';
import fc from 'fast-check';
import { backupActivities } from '../../../activities/backup/index.js';
import type { RecoveryPoint } from '../../../activities/contract.js';
import { verifyActivities } from '../../../activities/verify/index.js';
import type { ArchiveBackup } from '../../../src/runbook/schema.js';
import { type ArchiveWorld, makeArchiveWorld } from '../../archive/support.js';
import { stepOf } from '../../drivers/support/steps.js';
import { flipped, harmed, inWords, type Place, randomPlaces, seed } from '../../support/damage.js';
import { cases, counted } from '../effort.js';

const { numRuns: PLACES } = cases(10, 1 / 50);
const LAYOUTS = { directory: '20261121T030000Z-full', custom: '20261120T030000Z-full' } as const;

let world: ArchiveWorld;
/** From the folder alone: no other copy carries the rung. */
let backup: ArchiveBackup;
let kept: string;

beforeAll(async () => {
  world = await makeArchiveWorld();
  const folder = world.backup.copies.find(({ driver }) => driver === 'folder');
  if (folder?.driver !== 'folder') throw new TypeError('one copy is a folder');
  kept = join(folder.path, 'payymo');
  backup = { ...world.backup, copies: [folder] };
  for (const [layout, label] of Object.entries(LAYOUTS)) {
    const own = { ...backup, layout: layout as ArchiveBackup['layout'] };
    await backupActivities().takeArchive({ at: stepOf('dump'), source: world.source.at, backup: own, label });
  }
}, 120_000);
afterAll(() => world?.remove());

function verify(label: string) {
  const point = { backup: { label }, usableRepositories: [1] } as unknown as RecoveryPoint;
  return verifyActivities().verifyRepository({ at: stepOf('run-1'), target: world.source.at, backup, point });
}

async function filesOf(label: string): Promise<string[]> {
  const folder = join(kept, label);
  const parts = await readdir(join(folder, 'parts'));
  return [...['manifest.json', 'manifest.sig'], ...parts.map((part) => join('parts', part))].map((file) =>
    join(folder, file),
  );
}

/** What is wrong with a signature is said of the manifest that it is for. */
function nameOf(file: string, label: string): string {
  const name = relative(join(kept, label), file);
  return name.endsWith('.sig') ? 'manifest' : name;
}

async function found(label: string, { file, bit }: Place, what: string): Promise<void> {
  const said = await verify(label).then(
    ({ summary }) => `passed: ${summary}`,
    (error: { code: string; message: string }) => `${error.code}: ${error.message}`,
  );
  const place = `${what} ${inWords({ file, bit }, kept)}`;
  expect({ place, said }).toEqual({ place, said: expect.stringMatching(/^VerificationFailed/) });
  expect({ place, said }).toEqual({ place, said: expect.stringContaining(nameOf(file, label)) });
}

describe.each(Object.entries(LAYOUTS))('an archive of the layout %s', (layout, label) => {
  it(`is found damaged by one bit at each of ${PLACES} places`, async () => {
    await verify(label);
    for (const place of await randomPlaces(await filesOf(label), PLACES)) {
      await flipped([place], () => found(label, place, 'one bit of'));
      counted(`damage: archive, ${layout}, one bit`);
    }
    await verify(label);
  });

  it(`is found cut off at each of ${PLACES} places`, async () => {
    for (const place of await randomPlaces(await filesOf(label), PLACES, 1)) {
      await harmed(place.file, kept, async () => {
        await truncate(place.file, place.bit >> 3);
        await found(label, place, 'all from');
      });
      counted(`damage: archive, ${layout}, cut off`);
    }
  });

  it(`is found with a sector of something else at each of ${PLACES} places`, async () => {
    const places = await randomPlaces(await filesOf(label), PLACES, 2);
    const fillings = fc.sample(fc.constantFrom(0x00, 0xff, 0xa5), { numRuns: PLACES, seed });
    for (const [index, place] of places.entries()) {
      await harmed(place.file, kept, async () => {
        const changed = await overwrite(place, fillings[index] ?? 0);
        if (changed) await found(label, place, 'a sector of');
      });
      counted(`damage: archive, ${layout}, a sector`);
    }
  });

  it('is found without any one of its files, and with two of them exchanged', async () => {
    const files = await filesOf(label);
    for (const file of files) {
      await harmed(file, kept, async () => {
        await rm(file);
        await found(label, { file, bit: 0 }, 'without');
      });
    }
    for (const [index, file] of files.entries()) {
      const other = files[(index + 1) % files.length] ?? '';
      await harmed(file, kept, async () => {
        await copyFile(other, file);
        await found(label, { file, bit: 0 }, 'another in place of');
      });
    }
    await verify(label);
  });
});

/** @returns whether that has changed anything */
async function overwrite({ file, bit }: Place, filling: number): Promise<boolean> {
  const handle = await open(file, 'r+');
  try {
    const { size } = await handle.stat();
    const from = Math.floor((bit >> 3) / 512) * 512;
    const before = Buffer.alloc(Math.min(512, size - from));
    await handle.read(before, 0, before.length, from);
    const after = Buffer.alloc(before.length, filling);
    await handle.write(after, 0, after.length, from);
    return !before.equals(after);
  } finally {
    await handle.close();
  }
}

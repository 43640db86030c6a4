import { cp, readdir, readFile, rename, rm, stat, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import fc from 'fast-check';
import { backupActivities } from '../../activities/backup/index.js';
import { readLease } from '../../activities/provision/lease.js';
import { folderOf, readCatalog } from '../../src/archive/catalog.js';
import { openPart } from '../../src/archive/part.js';
import { withPlace } from '../../src/archive/place.js';
import type { ArchiveBackup } from '../../src/runbook/schema.js';
import { resolveSecret } from '../../src/secrets.js';
import { stepOf } from '../drivers/support/steps.js';
import {
  type ArchiveWorld,
  contentOf,
  makeArchiveWorld,
  makeKeys,
  makeTarget,
  type Target,
} from './support.js';

/** A handful; hundreds, and other damage, are in test/fuzz/damage. */
const PLACES = 8;
const LABEL = '20261121T030000Z-full';
const OLDER = '20261120T030000Z-full';
const CUSTOM = '20261119T030000Z-full';

let world: ArchiveWorld;
let target: Target;
let kept: string;
/** From the folder alone. */
let backup: ArchiveBackup;

beforeAll(async () => {
  world = await makeArchiveWorld();
  target = await makeTarget(world.source);
  const [, folder] = world.backup.copies;
  if (folder?.driver !== 'folder') throw new TypeError('the second copy is a folder');
  kept = folder.path;
  backup = { ...world.backup, copies: [folder] };
  const { takeArchive } = backupActivities();
  const source = world.source.at;
  await takeArchive({ at: stepOf('dump'), source, backup: { ...backup, layout: 'custom' }, label: CUSTOM });
  await takeArchive({ at: stepOf('dump'), source, backup, label: OLDER });
  await takeArchive({ at: stepOf('dump'), source, backup: world.backup, label: LABEL });
}, 120_000);
afterAll(async () => {
  await target?.cluster.remove();
  await world?.remove();
});

const at = (...names: string[]) => join(kept, 'payymo', LABEL, ...names);

async function flip(file: string, bit: number): Promise<void> {
  const content = await readFile(file);
  content[bit >> 3] = (content[bit >> 3] ?? 0) ^ (1 << (bit & 7));
  await writeFile(file, content);
}

/** The part with the rows of the largest table. */
async function largest(): Promise<string> {
  const files = (await readdir(at('parts'))).filter((file) => file.includes('.dat.gz'));
  const sizes = await Promise.all(files.map(async (file) => (await stat(at('parts', file))).size));
  return at('parts', files[sizes.indexOf(Math.max(...sizes))] ?? '');
}

/** Does something to a file for as long as the work takes. */
async function harmed<T>(file: string, damage: () => Promise<unknown>, work: () => Promise<T>): Promise<T> {
  await cp(file, `${file}.part`, { recursive: true });
  try {
    await damage();
    return await work();
  } finally {
    await rm(file, { recursive: true, force: true });
    await rename(`${file}.part`, file);
  }
}

/** Reads all of an archive as a restore does. */
async function readAll(label: string): Promise<void> {
  const identities = await Promise.all(backup.identities.map(resolveSecret));
  const [copy] = backup.copies;
  if (copy === undefined) return;
  await withPlace(copy, new AbortController().signal, async (place) => {
    const entries = await readCatalog(place, 'payymo', backup);
    const entry = entries.find((one) => one.label === label);
    if (entry?.manifest === undefined) throw entry?.unusable;
    for (const part of entry.manifest.parts) {
      for await (const _ of openPart(place, folderOf('payymo', label), part, identities));
    }
  });
}

it.each([LABEL, CUSTOM])(
  `finds a flipped bit at each of ${PLACES} random places of %s, and names the file`,
  async (label) => {
    const folder = join(kept, 'payymo', label);
    const files = [
      ...['manifest.json', 'manifest.sig'].map((file) => join(folder, file)),
      ...(await readdir(join(folder, 'parts'))).map((file) => join(folder, 'parts', file)),
    ];
    const sizes = await Promise.all(files.map(async (file) => (await stat(file)).size));
    await readAll(label);
    const place = fc
      .nat(files.length - 1)
      .chain((index) => fc.tuple(fc.constant(files[index] ?? ''), fc.nat((sizes[index] ?? 1) * 8 - 1)));
    await fc.assert(
      fc.asyncProperty(place, async ([file, bit]) => {
        await flip(file, bit);
        try {
          const named = file.endsWith('.sig') ? 'manifest.json' : file.slice(folder.length + 1);
          await expect(readAll(label)).rejects.toThrow(named);
        } finally {
          await flip(file, bit);
        }
      }),
      { numRuns: PLACES },
    );
    await readAll(label);
  },
);

interface Damage {
  readonly what: string;
  readonly file: () => Promise<string>;
  readonly harm: (file: string) => Promise<unknown>;
  readonly code: string;
  readonly says: RegExp;
}

const damages: readonly Damage[] = [
  {
    what: 'an empty manifest',
    file: async () => at('manifest.json'),
    harm: (file) => truncate(file, 0),
    code: 'ArchiveDamaged',
    says: /manifest\.json.*is empty/,
  },
  {
    what: 'a huge manifest',
    file: async () => at('manifest.json'),
    harm: (file) => truncate(file, 40_000_000_000),
    code: 'ArchiveDamaged',
    says: /has 40000000000 bytes, at most/,
  },
  {
    what: 'a missing manifest',
    file: async () => at('manifest.json'),
    harm: (file) => rm(file),
    code: 'ArchiveIncomplete',
    says: /manifest\.json of .* is missing/,
  },
  {
    what: 'a missing part',
    file: largest,
    harm: (file) => rm(file),
    code: 'ArchiveIncomplete',
    says: /parts\/\d+\.dat\.gz\.age in the volume .* is missing/,
  },
  {
    what: 'a part cut off',
    file: largest,
    harm: async (file) => truncate(file, (await stat(file)).size - 9),
    code: 'ArchiveDamaged',
    says: /parts\/\d+\.dat\.gz\.age .* has \d+ bytes, the manifest names \d+/,
  },
  {
    what: "another archive's part",
    file: async () => at('parts', 'roles.sql.age'),
    harm: (file) => cp(file.replace(LABEL, OLDER), file),
    code: 'ArchiveDamaged',
    says: /roles\.sql\.age/,
  },
  {
    what: "another system's manifest",
    file: async () => at(),
    harm: async (file) => {
      const foreign = join(kept, 'moneyflow', LABEL);
      await rm(file, { recursive: true });
      await cp(foreign, file, { recursive: true });
    },
    code: 'ForeignArchive',
    says: /it is of moneyflow, not of payymo/,
  },
  {
    what: 'an archive under a newer name',
    file: async () => at(),
    harm: async (file) => {
      await rm(file, { recursive: true });
      await cp(file.replace(LABEL, OLDER), file, { recursive: true });
    },
    code: 'ForeignArchive',
    says: /it is of 20261120T030000Z-full/,
  },
];

it.each(damages)('refuses $what before anything is begun', async ({ file, harm, code, says }) => {
  if (code === 'ForeignArchive') {
    await backupActivities().takeArchive({
      at: stepOf('dump', 'moneyflow'),
      source: world.source.at,
      backup: { ...backup, content: 'full' },
      label: LABEL,
    });
  }
  const path = await file();
  await harmed(
    path,
    () => harm(path),
    async () => {
      const refused = target.restore(backup, { label: LABEL });
      await expect(refused).rejects.toMatchObject({ code, next: expect.any(String) });
      await expect(refused).rejects.toThrow(says);
    },
  );
  expect((await readLease(target.cluster.at.postgres.service.dataDirectory))?.restored).toBeUndefined();
});

it('refuses a key that belongs to somebody else, and a signature of somebody else', async () => {
  const theirs = await makeKeys(world.folder);
  await expect(
    target.restore({ ...backup, identities: theirs.identities }, { label: LABEL }),
  ).rejects.toMatchObject({
    code: 'WrongArchiveKey',
    message: expect.stringContaining('cannot be decrypted'),
  });
  await expect(
    target.restore({ ...backup, signers: theirs.signers }, { label: LABEL }),
  ).rejects.toMatchObject({
    code: 'ForeignArchive',
  });
});

it('takes the other copy where a table turns out damaged on the way, and leaves no server behind where there is none', async () => {
  const file = await largest();
  const bit = (await stat(file)).size * 4;
  await flip(file, bit);
  const failing = target.restore(backup, { label: LABEL });
  await expect(failing).rejects.toMatchObject({
    code: 'ArchiveDamaged',
    message: expect.stringMatching(/\d+\.dat\.gz\.age in the volume .*is not authentic in its chunk/),
  });
  expect((await readLease(target.cluster.at.postgres.service.dataDirectory))?.restored).toBeUndefined();
  await expect(target.cluster.open('muster')).rejects.toThrow();

  const [bucket, folder] = world.backup.copies;
  if (bucket === undefined || folder === undefined) throw new TypeError('there are two copies');
  const restored = await target.restore({ ...world.backup, copies: [folder, bucket] }, { label: LABEL });
  expect(restored.from).toContain('S3 east');
  expect(restored.passedOver).toEqual([expect.stringContaining('is not authentic')]);
  expect(await contentOf(target.cluster)).toEqual(await contentOf(world.source));
  await flip(file, bit);
});

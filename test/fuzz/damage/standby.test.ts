/** The files of a standby with damage at random places, under its running server: rung 3 finds each page before anybody is asked to promote. */
import { open, readdir, readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { DatabaseAt, StandbyCaughtUp } from '../../../activities/contract.js';
import { serviceOf } from '../../../activities/service/index.js';
import { standbyActivities } from '../../../activities/standby/index.js';
import { pageChecksum } from '../../../activities/standby/page-checksum.js';
import { readRecentPages } from '../../../activities/standby/pages.js';
import { pagesAreSound } from '../../../activities/standby/verify.js';
import { acquireFencingToken, withVault } from '../../../activities/vault/index.js';
import { startVault, type TestVault } from '../../drivers/support/s3.js';
import { startTestCluster, type TestCluster } from '../../support/cluster.js';
import { byDistinctFile, flipped, inWords, type Place, randomPlaces } from '../../support/damage.js';
import { eventually } from '../../support/eventually.js';
import { cases, counted } from '../effort.js';

const PAGE = 8192;
const AT_ONCE = 20;
const { numRuns: PLACES } = cases(9, 1 / 50);
const { buildStandby, catchUpStandby, checkStandby, verifyStandby } = standbyActivities();

let cluster: TestCluster;
let vault: TestVault;
let standby: DatabaseAt;
let caughtUp: StandbyCaughtUp;
let files: readonly string[];

beforeAll(async () => {
  [cluster, vault] = await Promise.all([startTestCluster(), startVault()]);
  const { at, backup } = cluster;
  const { admin } = cluster.primary.postgres;
  const replication = { user: admin.user, password: admin.password };
  const primary = { ...cluster.primary, postgres: { ...cluster.primary.postgres, replication } };
  standby = cluster.target;
  const ask = (sql: string) => cluster.as(primary, (client) => client.query(sql));
  await ask('drop table ledger.spare');
  await ask('drop tablespace spare');
  await buildStandby({ at, primary, target: standby, backup, slot: 'next' });
  // Pages that no checkpoint has seen yet: pg_basebackup does not compare them.
  await ask(
    "insert into ledger.holders select id, repeat('after the checkpoint ', 20) from generate_series(100, 2000) id",
  );
  await eventually(async () => {
    const state = await checkStandby({ at, standby, primary, backup, dataClasses: {} });
    expect(state.lagBytes).toBe(0);
  });
  const state = await checkStandby({ at, standby, primary, backup, dataClasses: {} });
  const { systemIdentifier, timeline } = state;
  const token = await withVault(vault.bucket, new AbortController().signal, (opened) =>
    acquireFencingToken(opened, { ...at, systemIdentifier, timeline }),
  );
  await serviceOf(primary.postgres).stop('fast');
  caughtUp = await catchUpStandby({
    at,
    standby,
    backup,
    state,
    vault: vault.bucket,
    token,
    dataClasses: {},
  });
  files = await relations();
}, 90_000);
afterAll(async () => {
  await Promise.all([cluster?.close(), vault?.remove()]);
});

async function relations(): Promise<string[]> {
  const data = standby.postgres.service.dataDirectory;
  const databases = await readdir(join(data, 'base'));
  const folders = ['global', ...databases.map((name) => join('base', name))];
  const names = await Promise.all(
    folders.map(async (folder) =>
      (await readdir(join(data, folder))).map((name) => join(data, folder, name)),
    ),
  );
  return names.flat().filter((path) => /\/\d+(_(fsm|vm))?$/.test(path));
}

const verify = () =>
  verifyStandby({ at: cluster.at, standby, backup: cluster.backup, caughtUp }).then(
    ({ summary }) => `passed: ${summary}`,
    (error: { message: string }) => error.message,
  );

async function verifiedPages(): Promise<{ readonly code: string; readonly bad: unknown }> {
  return pagesAreSound(standby, () => undefined).then(
    () => ({ code: 'passed', bad: 0 }),
    ({ code, details }: { code: string; details: Record<string, unknown> }) => ({ code, bad: details.bad }),
  );
}

/** As Muster reads those pages that pg_basebackup leaves out; here all of them. */
async function badFiles(): Promise<readonly string[]> {
  const { dataDirectory } = standby.postgres.service;
  const log = { from: '0/0', replayed: async () => caughtUp.lsn };
  const { bad } = await readRecentPages(dataDirectory, log, new AbortController().signal);
  return bad.map(({ file }) => file);
}

/** A page that was never written is all zeros, and has no checksum. */
async function inWrittenPage({ file, bit }: Place): Promise<boolean> {
  const block = Math.floor(bit / 8 / PAGE);
  const handle = await open(file);
  const page = Buffer.alloc(PAGE);
  await handle.read(page, 0, PAGE, block * PAGE);
  await handle.close();
  return !page.equals(Buffer.alloc(PAGE));
}

it('passes while it is sound, and compares what pg_basebackup leaves out', async () => {
  expect(await verify()).toMatch(
    /passed: .*no page with a bad checksum, [\d,]+ pages of after the last checkpoint/,
  );
  expect(await badFiles()).toEqual([]);
});

it('counts checksums as PostgreSQL does', async () => {
  let pages = 0;
  for (const file of files.slice(0, 60)) {
    const content = await readFile(file);
    for (let block = 0; block < content.length / PAGE; block++) {
      const page = content.subarray(block * PAGE, (block + 1) * PAGE);
      if (page.readUInt16LE(14) === 0) continue;
      expect({ file, block, checksum: pageChecksum(page, block) }).toEqual({
        file,
        block,
        checksum: page.readUInt16LE(8),
      });
      pages += 1;
    }
  }
  expect(pages).toBeGreaterThan(50);
});

it(`names each page in which one bit is wrong, at ${PLACES} places`, async () => {
  const data = standby.postgres.service.dataDirectory;
  const places: Place[] = [];
  for (const place of await randomPlaces(files, PLACES * 2)) {
    if (places.length < PLACES && (await inWrittenPage(place))) places.push(place);
  }
  for (const group of byDistinctFile(places, AT_ONCE)) {
    const names = group.map(({ file }) => file.slice(data.length + 1)).sort();
    const [rung, own] = await flipped(group, async () => [await verifiedPages(), await badFiles()] as const);
    const where = group.map((place) => inWords(place, data));
    expect({ where, own: [...own].sort() }).toEqual({ where, own: names });
    // It says how many there are, and names the first three.
    expect({ where, rung }).toEqual({ where, rung: { code: 'VerificationFailed', bad: group.length } });
    for (const _ of group) counted('damage: standby, one bit of a page');
  }
});

it('finds a page whose own position is damaged, one that says that it is new, and one of after the checkpoint', async () => {
  const { rows } = await cluster.as(standby, (client) =>
    client.query(
      "select pg_relation_filepath('ledger.holders') as path, pg_relation_size('ledger.holders') as bytes",
    ),
  );
  const file = join(standby.postgres.service.dataDirectory, rows[0].path);
  const last = (Math.min((await stat(file)).size, Number(rows[0].bytes)) - PAGE) * 8;
  // The highest bit of the position: pg_basebackup takes the page for one that is changed while it reads.
  expect(await flipped([{ file, bit: 31 }], verify)).toMatch(/^Rung 3, .*block 0: bad checksum/);
  expect(await flipped([{ file, bit: last + 500 * 8 }], verify)).toMatch(/^Rung 3, .*checksum/);
  const page = Buffer.alloc(PAGE);
  const handle = await open(file);
  await handle.read(page, 0, PAGE, 0);
  await handle.close();
  const upper = page.readUInt16LE(14);
  const bits = Array.from({ length: 16 }, (_, bit) => bit).filter((bit) => ((upper >> bit) & 1) === 1);
  const asNew = bits.map((bit) => ({ file, bit: (14 + (bit >> 3)) * 8 + (bit & 7) }));
  expect(await flipped(asNew, verify)).toMatch(
    /^Rung 3, .*block 0: it says that it is new, and is not empty/,
  );
  expect(await verify()).toMatch(/^passed/);
});

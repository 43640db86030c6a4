/** A pgBackRest repository with damage at random places: rung 1, which a recovery climbs before anything is promoted, finds each. */
import { appendFile, rm, truncate } from 'node:fs/promises';
import { basename } from 'node:path';
import fc from 'fast-check';
import type { DatabaseAt } from '../../../activities/contract.js';
import { verifyActivities } from '../../../activities/verify/index.js';
import { startTestCluster, type TestCluster } from '../../support/cluster.js';
import { byDistinctFile, flipped, harmed, inWords, randomPlaces, seed } from '../../support/damage.js';
import {
  type Damageable,
  damageable,
  groupsOf,
  placesIn,
  verified,
} from '../../support/repository-damage.js';
import { cases, counted } from '../effort.js';

const { numRuns: PLACES } = cases(10, 1 / 50);
const { verifyRepository } = verifyActivities();

let cluster: TestCluster;
let repository: Damageable;
let target: DatabaseAt;

beforeAll(async () => {
  cluster = await startTestCluster();
  const { config, folder } = await cluster.copyRepositories('random');
  target = cluster.withConfig(config);
  repository = await damageable(cluster, config, folder);
}, 60_000);
afterAll(() => cluster?.close());

const rung1 = () =>
  verifyRepository({ at: cluster.at, target, backup: cluster.backup, point: repository.point });

/** What a recovery is told: the failure of the rung, or what the rung says beside its being passed. */
const told = () =>
  rung1().then(
    ({ summary }) => summary,
    (error: { name: string; code: string; message: string }) => `${error.code}: ${error.message}`,
  );

it('is sound before it is damaged', async () => {
  expect(await verified(repository, [])).toEqual({ problem: undefined, unnamed: [] });
  expect(await told()).not.toMatch(/NOT WHOLE|NOT SOUND/);
  expect(repository.members.length).toBeGreaterThan(900);
  expect(repository.segments.length).toBeGreaterThan(1);
});

it(`names each of ${PLACES} files of the backup in which one bit is wrong`, async () => {
  for (const group of groupsOf(placesIn(repository, PLACES))) {
    const { problem, unnamed } = await flipped(group, () =>
      verified(
        repository,
        group.map(({ name }) => name),
      ),
    );
    const places = group.map((place) => inWords(place, repository.folder));
    expect({ places, problem, unnamed }).toEqual({
      places,
      problem: expect.stringMatching(/wrong/),
      unnamed: [],
    });
    for (const _ of group) counted('damage: pgBackRest, one bit of a file of a backup');
  }
});

it(`names each segment in which one bit is wrong, at ${PLACES} places`, async () => {
  for (const group of byDistinctFile(await randomPlaces(repository.segments, PLACES, 1), 20)) {
    const names = group.map(({ file }) => basename(file).slice(0, 24));
    const { problem, unnamed } = await flipped(group, () => verified(repository, names));
    const places = group.map((place) => inWords(place, repository.folder));
    expect({ places, problem, unnamed }).toEqual({
      places,
      problem: expect.stringMatching(/damaged/),
      unnamed: [],
    });
    for (const _ of group) counted('damage: pgBackRest, one bit of a WAL segment');
  }
});

it(`tells of each of ${PLACES} lists in which one bit is wrong, and goes on with the other of the two`, async () => {
  for (const place of await randomPlaces(repository.lists, PLACES, 2)) {
    const said = await flipped([place], told);
    const where = inWords(place, repository.folder);
    expect({ where, said }).toEqual({
      where,
      said: expect.stringMatching(/NOT WHOLE, though readable: .*(differ|cannot be read)/),
    });
    counted('damage: pgBackRest, one bit of a list');
  }
});

it(`stops where both of a list are damaged, at ${Math.ceil(PLACES / 4)} places`, async () => {
  const pairs = repository.lists.filter((file) => !file.endsWith('.copy'));
  const places = await randomPlaces(pairs, Math.ceil(PLACES / 4), 3);
  for (const place of places) {
    const [copy] = await randomPlaces([`${place.file}.copy`], 1, place.bit % 1000);
    if (copy === undefined) throw new TypeError('a list is not empty');
    const outcome = await flipped([place, copy], () =>
      rung1().then(
        () => 'passed',
        ({ code }) => code,
      ),
    );
    const where = `${inWords(place, repository.folder)} and ${inWords(copy, repository.folder)}`;
    expect({ where, outcome }).not.toEqual({ where, outcome: 'passed' });
    counted('damage: pgBackRest, one bit of both of a list');
  }
});

it(`finds files cut off, overgrown, emptied or missing, ${PLACES} of them`, async () => {
  const files = [...new Set(repository.members.map(({ file }) => file)), ...repository.segments];
  const places = await randomPlaces(files, PLACES, 4);
  const harms = fc.sample(fc.constantFrom('cut off', 'grown', 'emptied', 'missing'), {
    numRuns: PLACES,
    seed,
  });
  for (const [index, { file, bit }] of places.entries()) {
    const harm = harms[index] ?? 'missing';
    const where = `${file.slice(repository.folder.length)} ${harm} (--seed ${seed})`;
    const outcome = await harmed(file, repository.folder, async () => {
      if (harm === 'cut off') await truncate(file, bit >> 3);
      // Behind the last file of a bundle nothing is read.
      else if (harm === 'grown' && !file.includes('/bundle/'))
        await appendFile(file, Buffer.alloc(512, 0xa5));
      else if (harm === 'emptied') await truncate(file, 0);
      else await rm(file);
      return rung1().then(
        ({ summary }) => `passed: ${summary}`,
        ({ code }: { code: string }) => code,
      );
    });
    expect({ where, outcome }).toEqual({ where, outcome: expect.not.stringMatching(/^passed/) });
    counted('damage: pgBackRest, a file cut off, overgrown, emptied or missing');
  }
  expect(await told()).not.toMatch(/NOT WHOLE|NOT SOUND/);
});

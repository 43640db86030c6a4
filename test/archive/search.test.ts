/** The newest clean archive, found in a private copy with few restores, and nothing left behind. */
import { readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { backupActivities } from '../../activities/backup/index.js';
import type { DatabaseAt, InvariantResult } from '../../activities/contract.js';
import { pointActivities } from '../../activities/point/index.js';
import { newestClean } from '../../activities/point/newest-clean.js';
import { privatePlace } from '../../activities/private/place.js';
import type { ArchiveBackup, Invariant } from '../../src/runbook/schema.js';
import { stepOf } from '../drivers/support/steps.js';
import { type ArchiveWorld, makeArchiveWorld, makeTarget, type Target } from './support.js';

const { searchPoint } = pointActivities();
const NIGHTS = [20, 21, 22, 23].map((day) => `202611${day}T030000Z-full`);

let world: ArchiveWorld;
let target: Target;
/** From the folder alone. */
let backup: ArchiveBackup;

const rule = (name: string, sql: string): Invariant => ({
  ...{ name, title: `The rule of ${name}`, sql, parameters: [], timeout: 30_000 },
});
const RULES = [
  rule('accounts', 'select id from books.entry where account is null'),
  rule('amounts', 'select id, cents from books.entry where cents > 100000'),
];

const take = (label: string) =>
  backupActivities().takeArchive({ at: stepOf('dump'), source: world.source.at, backup, label });
const write = (sql: string) => world.source.admin((client) => client.query(sql));

function order(over: Partial<Parameters<typeof searchPoint>[0]> = {}) {
  const { at, cluster } = target;
  return {
    ...{ at, damaged: world.source.at, target: cluster.at, backup },
    ...{ invariants: RULES, dataClasses: {}, ...over },
  };
}

/** What a search leaves on the machine. */
async function left(): Promise<readonly string[]> {
  const { service } = privatePlace(target.at, target.cluster.at, 'search').postgres;
  const beside = await readdir(dirname(service.dataDirectory));
  const sockets = await readdir(tmpdir());
  return [
    ...beside.filter((name) => name.includes('.search.')),
    ...sockets.filter((name) => service.socketDirectory.endsWith(name)),
  ];
}

beforeAll(async () => {
  world = await makeArchiveWorld();
  target = await makeTarget(world.source);
  const folder = world.backup.copies.filter(({ driver }) => driver === 'folder');
  backup = { ...world.backup, copies: folder };
  await take(NIGHTS[0] ?? '');
  await take(NIGHTS[1] ?? '');
}, 60_000);
afterAll(async () => {
  await target?.cluster.remove();
  await world?.remove();
});

it('finds nothing to search for while every rule holds, or where there is none', async () => {
  await expect(searchPoint(order())).rejects.toMatchObject({ code: 'DamageNotFound' });
  await expect(searchPoint(order({ invariants: [] }))).rejects.toMatchObject({ code: 'NoInvariants' });
});

it('goes back to the newest one in which all rules hold, with what the next one breaks', async () => {
  await write('alter table books.entry disable trigger append_only');
  await write('update books.entry set cents = 900000 where id = 7');
  await take(NIGHTS[2] ?? '');
  await take(NIGHTS[3] ?? '');
  const point = await searchPoint(order());
  expect(point).toMatchObject({
    asked: 'searched',
    archive: { label: NIGHTS[1], passedOver: [] },
    archiveSearch: {
      clean: { label: NIGHTS[1] },
      damaged: { label: NIGHTS[2] },
      broken: [{ name: 'amounts', violations: 1, samples: [expect.stringContaining('900000')] }],
      ...{ liveAsked: true, candidates: 4, restores: 3 },
    },
  });
  expect(point.time).toBe(point.archiveSearch?.clean.at);
  expect(point.summary).toMatch(/in the next one, 20261122T030000Z-full, amounts is broken/);
  expect(await left()).toEqual([]);
});

it('passes over what cannot be used, also where the primary is gone', async () => {
  const kept = backup.copies[0]?.driver === 'folder' ? backup.copies[0].path : '';
  await rm(join(kept, 'payymo', NIGHTS[1] ?? '', 'manifest.sig'));
  const gone: DatabaseAt = { ...world.source.at, postgres: { ...world.source.at.postgres, port: 1 } };
  const point = await searchPoint(order({ damaged: gone }));
  expect(point).toMatchObject({
    archive: { label: NIGHTS[0] },
    archiveSearch: { damaged: { label: NIGHTS[2] }, liveAsked: false },
  });
  expect(point.archive?.passedOver.join()).toContain('manifest.sig');
});

it('says what is broken in the oldest where none is clean, and removes its copy', async () => {
  const broken = [...RULES, rule('never', 'select id from books.account')];
  await expect(searchPoint(order({ invariants: broken }))).rejects.toMatchObject({
    code: 'NoCleanBackup',
    message: expect.stringMatching(/20261120T030000Z-full, rules are broken: never \(50 rows/),
  });
  expect(await left()).toEqual([]);
});

describe('looking for the newest clean one', () => {
  const bad = [{ name: 'rule' }] as unknown as readonly InvariantResult[];

  async function search(count: number, firstBad: number, unusable: ReadonlySet<number> = new Set()) {
    const names = Array.from({ length: count }, (_, index) => String(index));
    let looks = 0;
    const found = await newestClean(names, async (name) => {
      looks += 1;
      if (unusable.has(Number(name))) return 'unusable';
      return Number(name) >= firstBad ? bad : [];
    });
    return { ...found, looks };
  }

  it('finds every place of the damage with one look more than halving takes', async () => {
    for (const count of [1, 2, 3, 7, 30, 64]) {
      for (let firstBad = 0; firstBad <= count; firstBad++) {
        const { clean, damaged, oldestDamaged, looks } = await search(count, firstBad);
        expect(clean).toBe(firstBad === 0 ? undefined : String(firstBad - 1));
        expect(firstBad === 0 ? oldestDamaged : damaged).toBe(
          firstBad === count ? undefined : String(firstBad),
        );
        expect(looks).toBeLessThanOrEqual(1 + Math.ceil(Math.log2(count)));
      }
    }
  });

  it('does not stop at what cannot be used', async () => {
    for (let firstBad = 0; firstBad <= 12; firstBad++) {
      const { clean } = await search(12, firstBad, new Set([11, 10, 5, 6, 0]));
      const usable = [1, 2, 3, 4, 7, 8, 9].filter((index) => index < firstBad);
      expect(clean).toBe(usable.length === 0 ? undefined : String(usable.at(-1)));
    }
  });
});

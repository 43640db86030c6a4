/** The way home of a last archive: writes stop, the last state is dumped, loaded at home, compared and promoted; or all opens again. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { backupActivities } from '../../activities/backup/index.js';
import type { FenceProof, ReplacedPrimary, RungCheck, StepRef } from '../../activities/contract.js';
import { failbackActivities } from '../../activities/failback/index.js';
import { preserveActivities } from '../../activities/preserve/index.js';
import { promoteActivities } from '../../activities/promote/index.js';
import { leaseFileOf, provisionActivities } from '../../activities/provision/index.js';
import { restoreActivities } from '../../activities/restore/index.js';
import { serviceOf } from '../../activities/service/index.js';
import { verifyActivities } from '../../activities/verify/index.js';
import { stepOf } from '../drivers/support/steps.js';
import { type ArchiveWorld, contentOf, makeArchiveWorld, makeTarget, type Target } from './support.js';

const way = failbackActivities();
const { takeArchive } = backupActivities();
const { preserveDamaged, returnFromQuarantine } = preserveActivities();
const { restoreDatabase } = restoreActivities();
const verify = verifyActivities();
let world: ArchiveWorld;
let home: Target;
let found: ReplacedPrimary;
let content: Record<string, unknown>;

beforeAll(async () => {
  world = await makeArchiveWorld();
  home = await makeTarget(world.source);
  const { systemIdentifier } = await serviceOf(world.source.at.postgres).control();
  found = { systemIdentifier, timeline: 1, time: new Date().toISOString() };
}, 60_000);
afterAll(async () => {
  await home?.cluster.remove();
  await world?.remove();
});

const vault = () => world.vault.bucket;
const from = () => world.source.at;
const close = (at: StepRef) =>
  way.closeForDump({ at, primary: from(), vault: vault(), found, dataClasses: {} });
const take = (at: StepRef, label: string) => takeArchive({ at, source: from(), backup: world.backup, label });
const quarantineDirectory = () => join(world.source.folder, 'quarantine');
const setAside = (at: StepRef, { token }: FenceProof) =>
  preserveDamaged({
    ...{ at, damaged: from(), quarantineDirectory: quarantineDirectory(), vault: vault(), token },
    systemIdentifier: found.systemIdentifier,
  });
const write = (id: number) =>
  world.source.admin((client) => client.query("insert into books.account values ($1, 'written')", [id]));

it('called off, what was left comes back from quarantine and takes writes', async () => {
  const at = stepOf('run-called-off');
  const fence = await close(at);
  await expect(write(60)).rejects.toThrow(/read-only transaction/);
  await take(at, '20261121T030000Z-full');
  await setAside(at, fence);
  expect(existsSync(from().postgres.service.dataDirectory)).toBe(false);
  await returnFromQuarantine({
    at,
    damaged: from(),
    quarantineDirectory: quarantineDirectory(),
    vault: vault(),
  });
  await way.reopenPrimary({ at, primary: from(), vault: vault() });
  await write(61);
}, 60_000);

it('goes home with every row, and only with the last archive', async () => {
  const { at } = home;
  const target = home.cluster.at;
  const { backup } = world;
  const fence = await close(at);
  content = await contentOf(world.source);
  const taken = await take(at, '20261121T040000Z-full');
  const find = (label: string) =>
    way.findLastArchive({ at, primary: from(), home: target, backup, taken: { label }, dataClasses: {} });
  await expect(find('20261121T050000Z-full')).rejects.toMatchObject({ code: 'NotLastArchive' });
  const point = await find(taken.label);
  expect(point).toMatchObject({ systemIdentifier: found.systemIdentifier, timeline: 1 });
  const provisioned = await provisionActivities().provisionForArchive({
    ...{ at, target, databaseBytes: 1_000_000 },
  });
  const restored = await restoreDatabase({ at, target, provisioned, backup, point });
  const rungs = [
    await verify.verifyRepository({ at, target, backup, point }),
    await verify.verifyPoint({ at, target, backup, point, restored }),
    await verify.verifyFiles({ at, target, point, restored }),
  ];
  await setAside(at, fence);
  const climbed = rungs.flatMap(({ checks }) => checks);
  const checks = [...climbed, ...[5, 6, 7, 8].map((rung) => ({ ...(climbed[0] as RungCheck), rung }))];
  const order = { at, target, damaged: from(), vault: vault(), point, restored, fence, checks };
  expect(await promoteActivities().promote(order)).toMatchObject({ timeline: 2, alreadyDone: false });
  expect(await contentOf(home.cluster)).toEqual(content);
  await home.cluster.admin((client) => client.query("insert into books.account values (62, 'at home')"));
  await way.releaseSites({ at, left: from(), home: target });
  expect(existsSync(leaseFileOf(target.postgres.service.dataDirectory))).toBe(false);
}, 90_000);

/** A whole way back from a dump: proposed, loaded, closed, verified, promoted once, protected anew. */
import { open } from 'node:fs/promises';
import { join } from 'node:path';
import { backupActivities } from '../../activities/backup/index.js';
import type {
  DatabaseAt,
  FenceProof,
  RecoveryPoint,
  RestoreResult,
  RungCheck,
} from '../../activities/contract.js';
import { pointActivities } from '../../activities/point/index.js';
import { promoteActivities } from '../../activities/promote/index.js';
import { provisionActivities } from '../../activities/provision/index.js';
import { restoreActivities } from '../../activities/restore/index.js';
import { acquireFencingToken, withVault } from '../../activities/vault/index.js';
import { verifyActivities } from '../../activities/verify/index.js';
import type { ArchiveBackup } from '../../src/runbook/schema.js';
import { stepOf } from '../drivers/support/steps.js';
import {
  type ArchiveWorld,
  contentOf,
  makeArchiveWorld,
  makeKeys,
  makeTarget,
  type Target,
} from './support.js';

const OLD = '20261120T030000Z-full';
const NEW = '20261121T030000Z-full';
const { takeArchive, protectAgain, inspectBackup } = backupActivities();
const { proposeNewest, proposePoint } = pointActivities();
const { provisionTarget, destroyTarget } = provisionActivities();
const { restoreDatabase } = restoreActivities();
const verify = verifyActivities();
const { promote } = promoteActivities();
let world: ArchiveWorld;
let target: Target;
let original: Record<string, unknown>;
let newSnapshotAt: string;

beforeAll(async () => {
  world = await makeArchiveWorld();
  target = await makeTarget(world.source);
  await world.source.admin((client) =>
    client.query('create unlogged table books.scratch as select generate_series(1, 7) i'),
  );
  const take = (label: string) =>
    takeArchive({ at: stepOf('dump'), source: world.source.at, backup: world.backup, label });
  await world.source.admin((client) => client.query("insert into books.account values (51, 'gone by then')"));
  await take(OLD);
  await world.source.admin((client) => client.query('delete from books.account where id = 51'));
  newSnapshotAt = (await take(NEW)).snapshot.at;
  original = await contentOf(world.source);
});
afterAll(async () => {
  await target?.cluster.remove();
  await world?.remove();
});

const at = () => target.at;
const there = (): DatabaseAt => target.cluster.at;

function pathOf(label: string, file: string): string {
  const copy = world.backup.copies.find(({ driver }) => driver === 'folder');
  if (copy?.driver !== 'folder') throw new TypeError('one copy is a folder');
  return join(copy.path, 'payymo', label, file);
}

/** The folder first, which tests can damage. */
function folderFirst(): ArchiveBackup {
  return { ...world.backup, copies: [...world.backup.copies].reverse() };
}

function onlyFolder(): ArchiveBackup {
  return { ...world.backup, copies: world.backup.copies.filter(({ driver }) => driver === 'folder') };
}

const newest = (backup: ArchiveBackup) =>
  proposeNewest({ at: at(), from: there(), backup, dataClasses: {}, lost: world.source.at });

async function flipBit(file: string): Promise<() => Promise<void>> {
  const turn = async () => {
    const handle = await open(file, 'r+');
    const { size } = await handle.stat();
    const byte = Buffer.alloc(1);
    await handle.read(byte, 0, 1, size - 20);
    byte[0] = (byte[0] ?? 0) ^ 1;
    await handle.write(byte, 0, 1, size - 20);
    await handle.close();
  };
  await turn();
  return turn;
}

it('proposes the newest from before a moment, and the newest of all, with whose primary it is', async () => {
  const point = await newest(world.backup);
  expect(point).toMatchObject({
    archive: { label: NEW, copy: 'S3 east', passedOver: [], signer: expect.stringMatching(/^[0-9a-f]{16}$/) },
    usableRepositories: [1, 2],
    timeline: 1,
    asked: 'newest',
  });
  const { rows } = await world.source.admin((client) =>
    client.query('select system_identifier::text as id from pg_control_system()'),
  );
  expect(point.systemIdentifier).toBe(rows[0].id);
  const before = await proposePoint({
    at: at(),
    damaged: world.source.at,
    backup: world.backup,
    before: newSnapshotAt,
    dataClasses: {},
  });
  expect(before).toMatchObject({ archive: { label: OLD }, asked: newSnapshotAt });
});

it.each<[string, (file: (name: string) => string) => Promise<(() => Promise<void>) | undefined>, RegExp]>([
  ['a flipped bit', (file) => flipBit(file('parts/facts.json.age')), /facts\.json\.age .* is damaged/],
  [
    'a bit of its signature',
    (file) => flipBit(file('manifest.sig')),
    /is not the archive that was asked for/,
  ],
])('passes over a copy with %s, and says why', async (_what, damage, why) => {
  const mend = await damage((name) => pathOf(NEW, name));
  const other = await newest(folderFirst());
  const older = await newest(onlyFolder());
  await mend?.();
  expect(other.archive).toMatchObject({ label: NEW, copy: 'S3 east' });
  expect(other.archive?.passedOver.join()).toMatch(why);
  expect(other.usableRepositories).toEqual([2]);
  expect(older.archive).toMatchObject({ label: OLD, copy: 'the volume' });
  expect(older.summary).toMatch(why);
});

it('goes no further than keys lead, and says which are missing', async () => {
  const { identities, signers } = await makeKeys(world.folder);
  await expect(newest({ ...world.backup, identities })).rejects.toMatchObject({ code: 'WrongArchiveKey' });
  await expect(newest({ ...world.backup, identities: [] })).rejects.toMatchObject({
    code: 'ArchiveKeyMissing',
  });
  await expect(newest({ ...world.backup, signers })).rejects.toMatchObject({ code: 'ForeignArchive' });
});

it('sees what became of a backup in each copy, and says what its owner wants to be told of', async () => {
  const look = (backup: ArchiveBackup, label: string) =>
    inspectBackup({ at: at(), source: world.source.at, backup, labels: [label] });
  expect(await look(world.backup, NEW)).toMatchObject({
    places: [
      { title: 'S3 east', sound: true, says: expect.stringContaining(NEW) },
      { title: 'the volume', sound: true },
    ],
    findings: [],
  });
  const late = await look({ ...world.backup, takenEvery: 1 }, '20261121T040000Z-full');
  expect(late.places.map(({ sound }) => sound)).toEqual([false, false]);
  expect(late.findings.map(({ severity, what }) => `${severity}: ${what}`)).toEqual(
    expect.arrayContaining([
      'critical: 20261121T040000Z-full in S3 east is not there',
      expect.stringMatching(/^critical: The newest archive in the volume is .* old; one is to be made every/),
    ]),
  );
  const mend = await flipBit(pathOf(NEW, 'manifest.sig'));
  const damaged = await look(world.backup, NEW);
  await mend();
  expect(damaged.findings).toMatchObject([
    { severity: 'critical', what: expect.stringContaining(`${NEW} in the volume cannot be used`) },
  ]);
});

async function load(point: RecoveryPoint, backup: ArchiveBackup): Promise<RestoreResult> {
  const provisioned = await provisionTarget({ at: at(), target: there(), point });
  return restoreDatabase({ at: at(), target: there(), provisioned, backup, point });
}

let point: RecoveryPoint;
let restored: RestoreResult;
let climbed: readonly RungCheck[];

it('loads and closes: nobody writes, whatever they set, and a second attempt finds it done', async () => {
  const { backup } = world;
  point = await newest(backup);
  restored = await load(point, backup);
  expect(restored.cluster?.systemIdentifier).not.toBe(point.systemIdentifier);
  const written = target.cluster.admin((client) =>
    client.query("set default_transaction_read_only = off; insert into books.account values (99, 'x')"),
  );
  await expect(written).rejects.toMatchObject({ message: expect.stringContaining('read-only transaction') });
  expect(await load(point, backup)).toMatchObject({
    lsn: restored.lsn,
    summary: expect.stringContaining('loaded already'),
  });
});

it('climbs the rungs of an archive, and tells another one from it', async () => {
  const input = { at: at(), target: there(), backup: world.backup, point };
  const rung1 = await verify.verifyRepository(input);
  const rung4 = await verify.verifyPoint({ ...input, restored });
  const rungs23 = await verify.verifyFiles({ at: at(), target: there(), point, restored });
  const rung5 = await verify.verifyStructure({ at: at(), target: there(), jobs: 1 });
  expect(rung1.lookedAt).toEqual([1]);
  expect(rung4.summary).toMatch(/rows in \d+ tables, 1 sums/);
  const other = { ...point, backup: { ...point.backup, label: OLD } };
  await expect(verify.verifyPoint({ ...input, point: other, restored })).rejects.toMatchObject({
    code: 'VerificationFailed',
    message: expect.stringContaining('books.account has 50 rows, 51 were dumped'),
  });
  expect(await verify.verifyOtherCopies({ ...input, lookedAt: rung1.lookedAt })).toMatchObject({
    unsound: [],
  });
  climbed = [rung1, rungs23, rung4, rung5].flatMap(({ checks }) => checks);
});

it('promotes once, to all that was dumped, and nothing undoes it', async () => {
  await world.source.stop('fast');
  const order = await orderPromotion();
  const promoted = await promote(order);
  expect(promoted).toMatchObject({ timeline: 2, alreadyDone: false });
  expect(await promote(order)).toMatchObject({ alreadyDone: true, promotedAt: promoted.promotedAt });
  expect(await contentOf(target.cluster)).toEqual(original);
  await target.cluster.admin((client) => client.query("insert into books.account values (99, 'x')"));
  await expect(load(point, world.backup)).rejects.toMatchObject({ code: 'CopyPromoted' });
  await expect(destroyTarget({ at: at(), target: there(), vault: world.vault.bucket })).rejects.toMatchObject(
    { code: 'TargetPromoted' },
  );
});

it('protects what was promoted with one archive, however often it is asked', async () => {
  const { backup } = world;
  const kept = await protectAgain({ at: at(), target: there(), backup });
  const again = await protectAgain({ at: at(), target: there(), backup });
  expect(kept.labels.map(({ repository }) => repository)).toEqual([1, 2]);
  expect(again.labels).toEqual(kept.labels);
  expect((await newest(backup)).archive?.label).toBe(kept.labels[0]?.label);
});

async function orderPromotion() {
  const token = await withVault(world.vault.bucket, new AbortController().signal, (open) =>
    acquireFencingToken(open, { ...at(), ...point }),
  );
  const [first] = climbed;
  if (first === undefined) throw new TypeError('nothing was verified');
  const fence: FenceProof = {
    token,
    refusedWrite: { at: point.time, as: 'app', answer: 'ECONNREFUSED' },
    terminatedSessions: 0,
    lastWriteAt: null,
    census: {},
    summary: 'down',
  };
  const checks = [...climbed, ...[6, 7, 8].map((rung) => ({ ...first, rung }))];
  const damaged = world.source.at;
  return { at: at(), target: there(), damaged, vault: world.vault.bucket, point, restored, fence, checks };
}

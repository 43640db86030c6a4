/** Archives after a breach: read as they were before it, looked into in isolation, loaded where nobody reaches them. */
import { readdir } from 'node:fs/promises';
import { basename, dirname } from 'node:path';
import { Readable } from 'node:stream';
import { setTimeout as delay } from 'node:timers/promises';
import {
  DeleteObjectCommand,
  ListObjectsV2Command,
  ListObjectVersionsCommand,
  type S3Client,
} from '@aws-sdk/client-s3';
import { backupActivities } from '../../activities/backup/index.js';
import type { DatabaseAt, RecoveryPoint } from '../../activities/contract.js';
import type { Baseline } from '../../activities/intrusion/contract.js';
import { intrusionActivities } from '../../activities/intrusion/index.js';
import { pointActivities } from '../../activities/point/index.js';
import { provisionActivities } from '../../activities/provision/index.js';
import { restoreActivities } from '../../activities/restore/index.js';
import { withPlace } from '../../src/archive/place.js';
import { withClient } from '../../src/postgres.js';
import type { ArchiveBackup } from '../../src/runbook/schema.js';
import { s3Client } from '../../src/s3.js';
import { generationOf } from '../drivers/support/postgres.js';
import { stepOf } from '../drivers/support/steps.js';
import { type ArchiveWorld, makeArchiveWorld, makeTarget, type Target } from './support.js';

const CLEAN = '20261118T030000Z-full';
const UNCLEAN = '20261119T030000Z-full';
const DATED_BACK = '20261119T150000Z-full';
const { takeArchive } = backupActivities();
const { proposeClean } = pointActivities();
const { lookForIntrusion } = intrusionActivities();
let world: ArchiveWorld;
let target: Target;
let backup: ArchiveBackup;
let before: string;

const baseline: Baseline = {
  roles: ['muster', 'app', 'auditor', 'Night Shift'],
  superusers: ['muster'],
  schemas: ['public', 'books'],
  extensions: ['amcheck'],
  functions: [{ name: 'books.refuse()' }],
  triggers: ['books.entry.append_only'],
  others: [],
  randomColumns: ['books.entry.payload'],
};

beforeAll(async () => {
  world = await makeArchiveWorld();
  target = await makeTarget(world.source);
  backup = {
    ...world.backup,
    copies: world.backup.copies.flatMap((copy) =>
      copy.driver === 's3' ? [{ ...copy, lockFor: 3_600_000 }] : [],
    ),
  };
  await take(CLEAN);
  await world.source.admin((client) => client.query('create role mallory login superuser'));
  await take(UNCLEAN);
  await delay(20);
  before = new Date().toISOString();
  await delay(20);
  await inBucket(async (client, Bucket) => {
    const { Contents = [] } = await client.send(new ListObjectsV2Command({ Bucket }));
    for (const { Key } of Contents) await client.send(new DeleteObjectCommand({ Bucket, Key }));
  });
  await world.source.admin((client) => client.query('drop role mallory'));
  // With the stolen key, and named after a moment when nobody was in.
  await take(DATED_BACK);
});
afterAll(async () => {
  await target?.cluster.remove();
  await world?.remove();
});

const take = (label: string) => takeArchive({ at: stepOf('dump'), source: world.source.at, backup, label });

async function inBucket<T>(work: (client: S3Client, bucket: string) => Promise<T>): Promise<T> {
  const client = await s3Client(world.vault.bucket, 10_000);
  return work(client, world.vault.bucket.bucket).finally(() => client.destroy());
}

const propose = async (rules: Baseline = baseline): Promise<RecoveryPoint> =>
  proposeClean({
    at: target.at,
    damaged: world.source.at,
    from: target.cluster.at,
    replaced: await generationOf(world.source),
    backup,
    before,
    clean: { baseline: rules, tables: [], invariants: [] },
    dataClasses: {},
  });

test('a file that is uploaded in parts is locked as well', async () => {
  const [copy] = backup.copies;
  if (copy === undefined) throw new Error('there is a copy');
  await withPlace(copy, new AbortController().signal, async (place) => {
    await place.write('large/file', Readable.from([Buffer.alloc(17 * 1024 * 1024)]));
    expect(await place.lockOf?.('large/file')).toMatch(/^until \d{4}-/);
    expect(await place.lockOf?.('large/none')).toBeUndefined();
  });
});

test('what is locked cannot be deleted, only put out of sight', async () => {
  await inBucket(async (client, Bucket) => {
    const { Versions = [] } = await client.send(new ListObjectVersionsCommand({ Bucket }));
    expect(Versions.filter(({ Key }) => Key?.includes(CLEAN)).length).toBeGreaterThan(3);
    const deleting = (VersionId: string | undefined, Key: string | undefined) =>
      client.send(new DeleteObjectCommand({ Bucket, Key, VersionId }));
    for (const { Key, VersionId } of Versions) await expect(deleting(VersionId, Key)).rejects.toThrow();
  });
});

test('the newest archive without a sign is proposed, whatever was deleted or dated back since', async () => {
  const { backup: chosen, archive, systemIdentifier, summary } = await propose();
  expect(chosen.label).toBe(CLEAN);
  expect(systemIdentifier).toBe((await generationOf(world.source)).systemIdentifier);
  expect(archive?.passedOver).toEqual([`${UNCLEAN}: role mallory (superuser, may log in)`]);
  expect(archive?.checked).toMatch(
    /loaded in isolation: no sign of the intruder, 0 rules hold; locked until /,
  );
  expect(summary).not.toContain(DATED_BACK);
  const { dataDirectory } = target.cluster.at.postgres.service;
  const beside = await readdir(dirname(dataDirectory));
  expect(beside.filter((name) => name.startsWith(`${basename(dataDirectory)}.search`))).toEqual([]);
});

test('no archive is proposed where each holds a sign, and it is said which', async () => {
  const triggers: string[] = [];
  await expect(propose({ ...baseline, triggers })).rejects.toMatchObject({
    code: 'NoCleanArchive',
    why: expect.stringContaining(`${CLEAN}: trigger books.entry.append_only`),
  });
});

test('of a primary that lets nobody in, an archive of then tells whose it is', async () => {
  const { postgres } = world.source.at;
  const damaged: DatabaseAt = { ...world.source.at, postgres: { ...postgres, port: 1 } };
  const order = { at: target.at, damaged, from: target.cluster.at, backup, baseline, tables: [] };
  const { answers, systemIdentifier, timeline } = await lookForIntrusion({ ...order, before });
  expect({ answers, systemIdentifier, timeline }).toEqual({
    answers: false,
    ...(await generationOf(world.source)),
  });
  const then = '2026-11-01T00:00:00.000Z';
  await expect(lookForIntrusion({ ...order, before: then })).rejects.toMatchObject({ code: 'NoArchive' });
});

test('it is loaded from the versions of then into a copy that nobody reaches over the network', async () => {
  const point = await propose();
  const { at } = target;
  const { postgres } = target.cluster.at;
  const sealed: DatabaseAt = {
    ...target.cluster.at,
    postgres: { ...postgres, host: postgres.service.socketDirectory },
  };
  const provisioned = await provisionActivities().provisionTarget({ at, target: sealed, point });
  const order = { at, target: sealed, provisioned, backup, point };
  const restored = await restoreActivities().restoreDatabase(order);
  expect(restored.backupLabel).toBe(CLEAN);
  const { admin, database, port } = postgres;
  const ask = (host: string) =>
    withClient(
      { host, port, database, ...admin },
      { statementTimeoutMs: 5_000, connectTimeoutMs: 2_000, applicationName: 'test' },
      async (client) =>
        (
          await client.query(
            "select pg_is_in_recovery() as closed, current_setting('listen_addresses') as listens, (select count(*)::int from pg_roles where rolname = 'mallory') as intruders",
          )
        ).rows[0],
    );
  expect(await ask(sealed.postgres.host)).toEqual({ closed: true, listens: '', intruders: 0 });
  await expect(ask(postgres.host)).rejects.toMatchObject({ code: 'DatabaseUnreachable' });
});

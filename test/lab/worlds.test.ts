/** Systems beside Payymo: a lab of MoneyFlow alone, to which the others are added. */
import { createHash } from 'node:crypto';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import pg from 'pg';
import { databaseAccount } from '../../lab/account.js';
import { labBreak, labHarm } from '../../lab/commands.js';
import { downLab } from '../../lab/down.js';
import { layoutOf } from '../../lab/layout.js';
import { findPrograms } from '../../lab/parts/lookup.js';
import { pgbackrest } from '../../lab/parts/pgbackrest.js';
import { isRunning } from '../../lab/process.js';
import type { LoginState, WorldState } from '../../lab/state.js';
import { statusLab } from '../../lab/status.js';
import { upLab } from '../../lab/world.js';
import { worldFilesBucket } from '../../lab/worlds/files.js';
import { WORLD_NAMES, type WorldName, worldNamed } from '../../lab/worlds/index.js';
import { readCatalog } from '../../src/archive/catalog.js';
import { withPlace } from '../../src/archive/place.js';
import { loadRunbook } from '../../src/runbook/load.js';
import type { ArchiveBackup, PgbackrestBackup } from '../../src/runbook/schema.js';
import { resolveSecret } from '../../src/secrets.js';
import { eventually } from '../support/eventually.js';
import { sumsIn } from '../support/files.js';
import { secretOf, useLab } from '../support/lab.js';

const lab = useLab({ systems: ['moneyflow'] });

async function worldNow(name: WorldName): Promise<WorldState> {
  const world = (await statusLab(lab.dir))?.state.worlds[name];
  if (world === undefined) throw new Error(`${name} does not live in the lab`);
  return world;
}

async function query<T extends pg.QueryResultRow>(
  world: WorldState,
  login: LoginState,
  sql: string,
): Promise<T[]> {
  const client = new pg.Client({
    host: world.sites.west?.address,
    port: world.sites.west?.port,
    database: world.database,
    user: login.user,
    password: await secretOf(login.password),
  });
  client.on('error', () => undefined);
  try {
    await client.connect();
    return (await client.query<T>(sql)).rows;
  } finally {
    await client.end().catch(() => undefined);
  }
}

const runbookOf = async (name: WorldName) =>
  (await loadRunbook(join(lab.state.runbooks, `${name}.yaml`))).runbook;

/** Names of the invariants that do not hold. */
async function broken(name: WorldName): Promise<string[]> {
  const world = await worldNow(name);
  const { verification } = await runbookOf(name);
  const found: string[] = [];
  for (const { name: invariant, sql } of verification.invariants) {
    if ((await query(world, world.admin, sql)).length > 0) found.push(invariant);
  }
  return found;
}

async function acknowledged(world: WorldState): Promise<{ id: string; at: string }[]> {
  const text = await (await fetch(`${world.clientUrl}/acknowledged`)).text();
  return text.split('\n').flatMap((line) => (line === '' ? [] : [JSON.parse(line)]));
}

/** What the newest archive of each copy holds. */
async function archivesIn(name: WorldName, backup: ArchiveBackup): Promise<(string | undefined)[]> {
  const { signal } = new AbortController();
  return Promise.all(
    backup.copies.map((copy) =>
      withPlace(
        copy,
        signal,
        async (place) => (await readCatalog(place, name, backup))[0]?.manifest?.content,
      ),
    ),
  );
}

/** What the newest backup in each repository is. */
async function backupsIn(name: WorldName, { stanza, repositories }: PgbackrestBackup): Promise<string[]> {
  const cluster = layoutOf(lab.dir).worldOf(
    name,
    worldNamed(name).sites.map((site) => site.name),
  ).sites.west;
  if (cluster === undefined) throw new Error('it has no primary');
  const { pgbackrest: program } = findPrograms();
  return Promise.all(
    repositories.map(async ({ number }) => {
      const how = [`--repo=${number}`, '--output=json', 'info'];
      const [info] = JSON.parse(await pgbackrest(program, cluster, databaseAccount(), how, stanza));
      return info.backup.at(-1).type;
    }),
  );
}

test('a lab of MoneyFlow alone has no Payymo, and shows what runs', async () => {
  const status = await statusLab(lab.dir);
  expect(status?.state.systems).toEqual(['moneyflow']);
  const names = status?.parts.map(({ name }) => name);
  expect(names).toEqual([
    ...['temporal', 's3-west', 's3-east', 'route53', 'dns', 'store'],
    ...['moneyflow-app', 'moneyflow-client', 'moneyflow-postgres-west'],
  ]);
  expect(status?.worlds).toMatchObject([
    {
      system: 'moneyflow',
      sites: [
        { name: 'west', serverPid: expect.any(Number), inDns: true },
        { name: 'recovery', serverPid: null, inDns: false },
        { name: 'east', serverPid: null, inDns: false },
      ],
      service: { health: { status: 'ok' } },
    },
  ]);
  await expect(labBreak('corruption', { dir: lab.dir })).rejects.toThrow('Payymo does not live in this lab');
});

test('other systems are added, while the first one goes on', async () => {
  const before = lab.state.parts['moneyflow-app'];
  const state = await upLab({
    dir: lab.dir,
    systems: ['accubooks', 'spendsync', 'practice-hub'],
    worker: 'none',
    log: () => undefined,
  });
  expect(state.systems[0]).toBe('moneyflow');
  expect([...state.systems].sort()).toEqual(['accubooks', 'moneyflow', 'practice-hub', 'spendsync']);
  expect(state.parts['moneyflow-app']).toEqual(before);
}, 120_000);

describe.each(WORLD_NAMES)('%s', (name) => {
  test('what its client has been told is in the database, with its time', async () => {
    const world = await worldNow(name);
    const told = await eventually(async () => {
      const all = await acknowledged(world);
      expect(all.length).toBeGreaterThan(5);
      return all;
    });
    const { objectives } = await runbookOf(name);
    const [data] = Object.values(objectives.dataClasses).filter((each) => each.acknowledged !== undefined);
    const stored = await query<{ id: string; at: string }>(
      world,
      world.admin,
      `select ${data?.key} as id, to_char(${data?.time} at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"') as at from ${data?.table}`,
    );
    const times = new Map(stored.map(({ id, at }) => [id, at]));
    expect(told.map(({ id }) => times.get(id))).toEqual(told.map(({ at }) => at));
  });

  test('its critical functions answer as its runbook expects', async () => {
    const { applications } = await runbookOf(name);
    for (const { url, functions } of Object.values(applications)) {
      for (const { exchanges } of functions.filter(({ readOnly }) => readOnly)) {
        for (const { method, path, expectStatus, expectBody } of exchanges) {
          const answer = await fetch(`${url}${path}`, { method });
          expect(answer.status).toBe(expectStatus);
          expect(await answer.json()).toMatchObject(expectBody ?? {});
        }
      }
    }
  });

  test('its first backup is in every copy, and its sound data keeps every invariant', async () => {
    const backups = Object.values((await runbookOf(name)).backups);
    expect(backups.length).toBeGreaterThan(0);
    for (const backup of backups) {
      const found = await (backup.driver === 'archive' ? archivesIn(name, backup) : backupsIn(name, backup));
      expect(found).toEqual(
        (backup.driver === 'archive' ? backup.copies : backup.repositories).map(() => 'full'),
      );
    }
    expect(await broken(name)).toEqual([]);
  });

  test('its runbook has no address of production, and no secret', async () => {
    const text = await readFile(join(lab.state.runbooks, `${name}.yaml`), 'utf8');
    expect(text).not.toMatch(
      /file:\/etc\/|\b10\.[3456]\d\.|https:\/\/(gateway|accounting|workflow|spending|app)\./,
    );
    const secrets = (await readdir(join(lab.dir, 'secrets'))).filter((file) => file.startsWith(name));
    expect(secrets.length).toBe(worldNamed(name).dumps === undefined ? 6 : 8);
    for (const file of secrets) {
      expect(text).not.toContain(await resolveSecret(`file:${join(lab.dir, 'secrets', file)}`));
    }
  });

  test('a bad change breaks its invariants, while its client goes on', async () => {
    const harm = await labHarm('corruption', name, { dir: lab.dir });
    expect(harm.rows?.filter(({ rows }) => rows > 50).length).toBe(2);
    expect((await broken(name)).length).toBeGreaterThanOrEqual(3);
    const world = await worldNow(name);
    await eventually(async () => {
      const since = (await acknowledged(world)).filter(({ at }) => at > harm.at);
      expect(since.length).toBeGreaterThan(2);
    });
  });

  test('its server and disk are lost; up leaves that as it is', async () => {
    const harm = await labHarm('infrastructure-failure', name, { dir: lab.dir });
    expect(harm.serverPids?.length).toBeGreaterThan(3);
    const world = await worldNow(name);
    await expect(readdir(world.sites.west?.dataDir ?? '')).rejects.toMatchObject({ code: 'ENOENT' });
    await upLab({ dir: lab.dir, worker: 'none', log: () => undefined });
    const seen = (await statusLab(lab.dir))?.worlds.find(({ system }) => system === name);
    expect(seen?.sites.every(({ serverPid }) => serverPid === null)).toBe(true);
    expect(seen?.service.health?.status).toBe('unavailable');
    await expect(labHarm('infrastructure-failure', name, { dir: lab.dir })).rejects.toThrow('cannot be lost');
  }, 60_000);
});

test('the documents of Practice Hub are in both regions; a bucket that a mistake takes is not made again', async () => {
  const { files } = worldNamed('practice-hub');
  if (files === undefined) throw new Error('it keeps no files');
  const seeded = [...files.seeded()].map(
    ({ key, content }) => [key, createHash('sha256').update(content).digest('hex')] as const,
  );
  const found = (region: 'west' | 'east') => sumsIn(worldFilesBucket(lab.state, files, region));
  for (const region of ['west', 'east'] as const) {
    const sums = await found(region);
    expect(seeded.filter(([key, sum]) => sums.get(key) !== sum)).toEqual([]);
  }
  await labHarm('object-loss', 'practice-hub', { dir: lab.dir, objects: 'bucket' });
  await upLab({ dir: lab.dir, worker: 'none', log: () => undefined });
  await expect(found('west')).rejects.toMatchObject({ name: 'NoSuchBucket' });
  await expect(labHarm('object-loss', 'moneyflow', { dir: lab.dir })).rejects.toThrow('does not befall');
}, 120_000);

test('the lab goes as a whole', async () => {
  const { parts } = (await statusLab(lab.dir))?.state ?? lab.state;
  expect(await downLab(lab.dir, { log: () => undefined })).toBe(true);
  expect(Object.values(parts).filter(isRunning)).toEqual([]);
});

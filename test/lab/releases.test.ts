/** Releases of the systems beside Payymo, on a plain server: the bad one migrates, and is taken back with every write kept. */
import type pg from 'pg';
import { chooseRelease } from '../../activities/release/choice.js';
import { fill } from '../../lab/worlds/fill.js';
import { WORLD_NAMES, worldNamed } from '../../lab/worlds/index.js';
import { recordRelease, takeBack } from '../../lab/worlds/release.js';
import { loadRunbook } from '../../src/runbook/load.js';
import type { BadDeploymentSection } from '../../src/runbook/schema.js';
import { startPostgres, type TestServer } from '../support/postgres.js';

let server: TestServer;
beforeAll(async () => {
  server = await startPostgres();
});
afterAll(() => server?.remove());

const withReleases = WORLD_NAMES.filter((name) => worldNamed(name).releases !== undefined);

describe.each(withReleases)('%s', (name) => {
  const world = worldNamed(name);
  const [deploy, app] = [`${world.rolePrefix}_deploy`, `${world.rolePrefix}_app`];
  let client: pg.Client;
  let releases: BadDeploymentSection['releases'];

  beforeAll(async () => {
    const admin = await server.connect();
    await admin.query(`create role ${world.rolePrefix}_owner nologin; create role ${app} login;
      create role ${deploy} login in role ${world.rolePrefix}_owner`);
    await admin.query(`create database ${world.database} owner ${world.rolePrefix}_owner`);
    await admin.end();
    client = await server.connect(world.database);
    await fill(client, world);
    const section = (await loadRunbook(`runbooks/${name}.yaml`)).runbook.scenarios.badDeployment;
    if (section === undefined) throw new Error('it has no section for a bad release');
    releases = section.releases;
  });
  afterAll(() => client?.end());

  async function committed<T>(role: string, work: () => Promise<T>): Promise<T> {
    await client.query(`begin; set local role ${role}`);
    const done = await work();
    await client.query('commit');
    return done;
  }

  async function chosen() {
    const history = (await client.query<{ release: string; deployed_at: Date }>(releases.history)).rows;
    const { rows } = await client.query<{ name: string; release: string }>(releases.migrations ?? '');
    const deployments = history.map(({ release, deployed_at: at }) => ({ release, at: at.toISOString() }));
    return chooseRelease({ deployments, migrations: rows }, { system: name, migratesDown: true });
  }

  /** @returns the status of the answer when it is read again, on any schema */
  async function write(): Promise<() => Promise<number | undefined>> {
    const { path, body } = world.write();
    const post = world.routes.find((route) => route.method === 'POST' && route.path === path);
    const answer = await committed(app, async () => post?.answer(client, { params: {}, body }));
    expect(answer?.status).toBe(201);
    const get = world.routes.find((route) => route.method === 'GET' && route.path === `${path}/:id`);
    return async () => (await get?.answer(client, { params: { id: body.id }, body: undefined }))?.status;
  }

  test('the bad release and its migration are the ones that are taken back, once, and writes stay', async () => {
    const bad = world.releases?.bad;
    if (bad === undefined) throw new Error('it has no bad release');
    const good = world.releases?.good.at(-1);
    await committed(deploy, () => recordRelease(client, world, bad.release));
    // An attempt that was not seen to its end is made again.
    await committed(deploy, () => recordRelease(client, world, bad.release));
    const readAgain = await write();
    const state = await chosen();
    expect(state).toMatchObject({ running: bad.release, back: good, migrations: [bad.migration] });

    await committed(deploy, () => recordRelease(client, world, state.back));
    expect(await committed(deploy, () => takeBack(client, world, state.migrations))).toEqual([bad.migration]);
    expect(await committed(deploy, () => takeBack(client, world, state.migrations))).toEqual([]);
    expect(await readAgain()).toBe(200);
    expect(await (await write())()).toBe(200);
    expect(await chosen()).toMatchObject({ running: good, migrations: [] });
    expect((await chosen()).candidates).not.toContain(bad.release);
  });

  test('a release or a migration that nobody knows is refused', async () => {
    await client.query('begin');
    await expect(recordRelease(client, world, '9.9.9')).rejects.toThrow('has no release 9.9.9');
    await expect(takeBack(client, world, ['0000_unknown'])).rejects.toThrow('Nobody knows how');
    await client.query('rollback');
  });
});

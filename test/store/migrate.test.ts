import { migrateStore } from '../../src/store/migrate.js';
import { migrations } from '../../src/store/migrations/index.js';
import { saveRun } from '../../src/store/runs.js';
import { READING, Store } from '../../src/store/store.js';
import { finishedRun } from '../support/run-view.js';
import { startStore, type TestStore } from '../support/store.js';

let world: TestStore;

beforeAll(async () => {
  world = await startStore();
});
afterAll(() => world.remove());

async function emptyDatabase(name: string) {
  await world.owner.query(`create database ${name}`);
  return world.server.connect(name);
}

/** The number of a migration that there is not yet. */
const next = migrations.length + 1;

describe('migrateStore', () => {
  test('applies each migration once, however many come at once', async () => {
    const clients = [await emptyDatabase('crowd'), await world.server.connect('crowd')];
    clients.push(await world.server.connect('crowd'));
    const applied = await Promise.all(clients.map((client) => migrateStore(client, 'muster_recorder')));
    expect(applied.flat()).toEqual(migrations.map(({ name }) => name));
    expect(await migrateStore(clients[0] as never, 'muster_recorder')).toEqual([]);
    await Promise.all(clients.map((client) => client.end()));
  });

  test('leaves nothing behind when a migration fails', async () => {
    const client = await emptyDatabase('broken');
    const broken = [...migrations, { number: next, name: 'broken', sql: 'create table muster.runs ()' }];
    await expect(migrateStore(client, 'muster_recorder', broken)).rejects.toThrow(/already exists/);
    const { rows } = await client.query("select to_regnamespace('muster') as schema");
    expect(rows).toEqual([{ schema: null }]);
    await client.end();
  });

  test('refuses a store that a later Muster made, and one whose migration was another', async () => {
    const client = await emptyDatabase('later');
    const later = [...migrations, { number: next, name: 'later', sql: 'create table muster.later ()' }];
    await migrateStore(client, 'muster_recorder', later);
    await expect(migrateStore(client, 'muster_recorder')).rejects.toMatchObject({ code: 'StoreNewer' });
    const changed = later.map((step) => (step.number === next ? { ...step, sql: 'select 1' } : step));
    await expect(migrateStore(client, 'muster_recorder', changed)).rejects.toMatchObject({
      code: 'StoreChanged',
    });
    await client.end();
  });

  test('a store without Muster’s tables is answered with what to do', async () => {
    await (await emptyDatabase('bare')).end();
    const store = new Store({ ...world.settings, database: 'bare' }, READING);
    await expect(saveRun(store, finishedRun)).rejects.toMatchObject({
      code: 'StoreNotReady',
      next: expect.stringContaining('muster store migrate'),
    });
    await store.close();
  });

  test('a store that is not there is answered as one that cannot be reached', async () => {
    const store = new Store({ ...world.settings, port: 1 }, READING);
    await expect(store.query('select 1')).rejects.toMatchObject({ code: 'StoreUnreachable' });
    await store.close();
  });
});

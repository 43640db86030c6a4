/** Logins taken away and given back. What was taken is remembered in the cluster itself, so it survives any crash. */
import type { Client } from 'pg';
import { PermanentError } from '../../src/errors.js';

/** Group role whose members are the roles that a fence put to NOLOGIN; its comment says which run did. */
export const MEMORY_ROLE = 'muster_fenced';

interface Memory {
  readonly runId: string;
  readonly token: number;
}

/**
 * Takes the right to log in from every role but the administrator's own, in one transaction with remembering them.
 *
 * @returns how many roles are remembered as shut out
 * @throws PermanentError `FenceSuperseded` when a fence with a greater token is in place
 */
export async function shutRolesOut(admin: Client, memory: Memory): Promise<number> {
  return inTransaction(admin, async () => {
    const before = await readMemory(admin);
    if (before !== undefined && before.token > memory.token) {
      throw superseded(before, `its fencing token is ${memory.token}`);
    }
    if (before === undefined) await admin.query(`create role ${MEMORY_ROLE} nologin`);
    const { rows } = await admin.query<{ name: string }>(
      'select rolname as name from pg_roles where rolcanlogin and rolname <> session_user order by 1',
    );
    for (const { name } of rows) {
      await admin.query(`grant ${MEMORY_ROLE} to ${admin.escapeIdentifier(name)}`);
      await admin.query(`alter role ${admin.escapeIdentifier(name)} nologin`);
    }
    await admin.query(`comment on role ${MEMORY_ROLE} is ${admin.escapeLiteral(JSON.stringify(memory))}`);
    return (await membersOf(admin)).length;
  });
}

/** Roles other than the administrator's that may still log in. */
export async function rolesThatMayLogIn(admin: Client): Promise<readonly string[]> {
  const { rows } = await admin.query<{ name: string }>(
    'select rolname as name from pg_roles where rolcanlogin and rolname <> session_user order by 1',
  );
  return rows.map(({ name }) => name);
}

/**
 * Opens the database again, gives the right to log in back to exactly those that a fence took it from, and forgets them.
 *
 * @returns how many roles; undefined: no fence is in place
 * @throws PermanentError `FenceSuperseded` when the fence is another run's
 */
export async function letRolesIn(
  admin: Client,
  who: { readonly runId: string; readonly database: string },
): Promise<number | undefined> {
  return inTransaction(admin, async () => {
    const memory = await readMemory(admin);
    if (memory === undefined) return undefined;
    if (memory.runId !== who.runId) throw superseded(memory, `this is run ${who.runId}`);
    await allowConnections(admin, who.database, true);
    const members = await membersOf(admin);
    for (const name of members) {
      await admin.query(`alter role ${admin.escapeIdentifier(name)} login`);
      await admin.query(`revoke ${MEMORY_ROLE} from ${admin.escapeIdentifier(name)}`);
    }
    await admin.query(`drop role ${MEMORY_ROLE}`);
    return members.length;
  });
}

/** Closes a database to everybody, superusers included, or opens it again. A database that is gone is left gone. */
export async function allowConnections(admin: Client, database: string, allowed: boolean): Promise<void> {
  const { rowCount } = await admin.query('select from pg_database where datname = $1', [database]);
  if (rowCount === 0) return;
  await admin.query(`alter database ${admin.escapeIdentifier(database)} allow_connections ${allowed}`);
}

/** Whose fence is in place; undefined: none. */
export async function readMemory(admin: Client): Promise<Memory | undefined> {
  const { rows } = await admin.query<{ comment: string | null }>(
    `select shobj_description(oid, 'pg_authid') as comment from pg_roles where rolname = $1`,
    [MEMORY_ROLE],
  );
  const [row] = rows;
  if (row === undefined) return undefined;
  const memory: unknown = JSON.parse(row.comment ?? '{}');
  const { runId = 'unknown', token = 0 } = memory as Partial<Memory>;
  return { runId, token };
}

async function membersOf(admin: Client): Promise<readonly string[]> {
  const { rows } = await admin.query<{ name: string }>(
    `select member.rolname as name from pg_auth_members
       join pg_roles as granted on granted.oid = roleid
       join pg_roles as member on member.oid = member
      where granted.rolname = $1 order by 1`,
    [MEMORY_ROLE],
  );
  return rows.map(({ name }) => name);
}

function superseded(other: Memory, own: string): PermanentError {
  return new PermanentError(
    'FenceSuperseded',
    `The primary is fenced by run ${other.runId} with token ${other.token}; ${own}.`,
    {
      next: `Decide which run goes on. If it is ${other.runId}, abort this one; its fence stays.`,
      details: { otherRun: other.runId, otherToken: other.token },
    },
  );
}

/** The advisory lock keeps two workers of the same run from doing this at once. */
async function inTransaction<T>(admin: Client, work: () => Promise<T>): Promise<T> {
  await admin.query('begin');
  try {
    await admin.query(`select pg_advisory_xact_lock(hashtext('${MEMORY_ROLE}'))`);
    const result = await work();
    await admin.query('commit');
    return result;
  } catch (error) {
    await admin.query('rollback').catch(() => undefined);
    throw error;
  }
}

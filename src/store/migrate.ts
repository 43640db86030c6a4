import { createHash } from 'node:crypto';
import pg, { type ClientBase, escapeIdentifier } from 'pg';
import { messageOf, PermanentError, TransientError } from '../errors.js';
import { type Migration, migrations } from './migrations/index.js';
import { connectionOf, type StoreSettings } from './settings.js';

/** Any number that no other program on this server uses for an advisory lock. */
const LOCK = 7_231_860_142;

/**
 * Connects with the login that owns the store, does the work, and closes the connection however the work ends.
 * @throws TransientError `StoreUnreachable`
 */
export async function withOwner<T>(
  settings: StoreSettings,
  work: (client: pg.Client) => Promise<T>,
): Promise<T> {
  const client = new pg.Client({
    ...connectionOf(settings),
    connectionTimeoutMillis: 5_000,
    statement_timeout: 60_000,
  });
  client.on('error', () => undefined);
  try {
    await client.connect().catch((error) => {
      throw new TransientError(
        'StoreUnreachable',
        `The store at ${settings.host}:${settings.port} does not let ${settings.user} in: ${messageOf(error)}.`,
        { next: 'See whether it runs and takes this login, then run the command again.', cause: error },
      );
    });
    return await work(client);
  } finally {
    await client.end().catch(() => undefined);
  }
}

/**
 * Brings the store's schema up to date and lets `recorder` record in it. Safe to run again and from several places at
 * once: an advisory lock lets one in at a time, and all of it is one transaction.
 *
 * @param client connected as the owner of the store's database, or as a superuser
 * @param recorder an existing role, the one that workers log in as; it may read everything, add to the journal but never
 *   change it. It should not own the tables
 * @returns names of the migrations that were applied now
 * @throws PermanentError `StoreChanged` or `StoreNewer` when the schema is not one that this Muster made
 */
export async function migrateStore(
  client: ClientBase,
  recorder: string,
  steps: readonly Migration[] = migrations,
): Promise<readonly string[]> {
  await client.query('begin');
  try {
    await client.query('select pg_advisory_xact_lock($1)', [LOCK]);
    await client.query(`
      create schema if not exists muster;
      create table if not exists muster.migrations (
        number integer primary key,
        name text not null,
        sha256 text not null,
        applied_at timestamptz not null default now()
      )`);
    const applied = await applyMissing(client, steps);
    await grant(client, recorder);
    await client.query('commit');
    return applied;
  } catch (error) {
    await client.query('rollback');
    throw error;
  }
}

async function applyMissing(client: ClientBase, steps: readonly Migration[]): Promise<string[]> {
  const found = await client.query<{ number: number; name: string; sha256: string }>(
    'select number, name, sha256 from muster.migrations order by number',
  );
  const known = new Map(steps.map((step) => [step.number, step]));
  for (const row of found.rows) {
    const step = known.get(row.number);
    if (step === undefined) {
      throw new PermanentError(
        'StoreNewer',
        `The store has migration ${row.number} (${row.name}), which this Muster does not know.`,
        { next: 'Use the version of Muster that made it, or a later one.' },
      );
    }
    if (sha256(step.sql) !== row.sha256) {
      throw new PermanentError(
        'StoreChanged',
        `Migration ${row.number} (${row.name}) was applied to the store in another form than this Muster has.`,
        { next: 'Use the version of Muster that made the store, or record in an empty database.' },
      );
    }
  }
  const missing = steps.filter((step) => !found.rows.some((row) => row.number === step.number));
  for (const step of missing) {
    await client.query(step.sql);
    await client.query('insert into muster.migrations (number, name, sha256) values ($1, $2, $3)', [
      step.number,
      step.name,
      sha256(step.sql),
    ]);
  }
  return missing.map((step) => step.name);
}

/** Repeated at every migration, so that a table added later is never forgotten and a grant too many never stays. */
async function grant(client: ClientBase, recorder: string): Promise<void> {
  const role = escapeIdentifier(recorder);
  await client.query(`
    revoke all on all tables in schema muster from public;
    grant usage on schema muster to ${role};
    grant select on all tables in schema muster to ${role};
    grant insert, update on muster.runs, muster.step_times to ${role};
    grant insert on muster.journal, muster.lost_records, muster.reports, muster.used_codes to ${role}`);
}

function sha256(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}

import type pg from 'pg';
import type { ArchiveFacts, ArchiveManifest } from '../../src/archive/manifest.js';
import { PermanentError } from '../../src/errors.js';
import type { ArchiveBackup } from '../../src/runbook/schema.js';

const ISO = `'YYYY-MM-DD"T"HH24:MI:SS.US"Z"'`;

export interface Snapshot {
  /** For `pg_dump --snapshot`; good as long as the transaction lasts. */
  readonly id: string;
  readonly snapshot: ArchiveManifest['snapshot'];
  readonly database: ArchiveManifest['database'];
}

/** Begins a read-only transaction whose view of the data other sessions can share (manual: 9.27.5). */
export async function beginSnapshot(client: pg.Client): Promise<Snapshot> {
  await client.query(
    'set statement_timeout = 0; set idle_in_transaction_session_timeout = 0; set default_transaction_read_only = on; begin isolation level repeatable read read only',
  );
  const { rows } = await client.query<Record<string, string>>(
    `select pg_export_snapshot() as id,
       to_char(clock_timestamp() at time zone 'UTC', ${ISO}) as at,
       (case when pg_is_in_recovery() then pg_last_wal_replay_lsn() else pg_current_wal_lsn() end)::text as lsn,
       pg_current_snapshot()::text as transactions,
       current_database() as name, pg_database_size(current_database())::text as bytes,
       (select system_identifier::text from pg_control_system()) as system,
       (select timeline_id from pg_control_checkpoint())::text as timeline,
       current_setting('server_version') as version, current_setting('server_version_num') as number,
       current_setting('data_checksums') as checksums,
       pg_encoding_to_char(encoding) as encoding, datcollate as collate, datctype as ctype
     from pg_database where datname = current_database()`,
  );
  const row = rows[0] ?? {};
  const text = (name: string) => row[name] ?? '';
  return {
    id: text('id'),
    snapshot: { at: text('at'), lsn: text('lsn'), transactions: text('transactions') },
    database: {
      name: text('name'),
      bytes: Number(row.bytes),
      systemIdentifier: text('system'),
      timeline: Number(row.timeline),
      serverVersion: text('version'),
      serverVersionNumber: Number(row.number),
      encoding: text('encoding'),
      collate: text('collate'),
      ctype: text('ctype'),
      dataChecksums: row.checksums === 'on',
    },
  };
}

/** Tables with rows of their own that pg_dump takes: not those of extensions, which bring their own. */
const TABLES = `
  select n.nspname || '.' || c.relname as name, format('%I.%I', n.nspname, c.relname) as quoted
  from pg_class c join pg_namespace n on n.oid = c.relnamespace
  where c.relkind = 'r' and c.relpersistence <> 't'
    and n.nspname <> 'information_schema' and n.nspname !~ '^pg_'
    and not exists (
      select from pg_depend d
      where d.classid = 'pg_class'::regclass and d.objid = c.oid and d.deptype = 'e'
    )
  order by pg_relation_size(c.oid) desc`;

/**
 * Where each sequence stands now. A sequence knows no snapshot (manual: 9.17): read before a dump begins, this is what the dump
 * has at least, however many numbers are drawn meanwhile.
 */
export async function readSequences(client: pg.Client): Promise<ArchiveFacts['sequences']> {
  const { rows } = await client.query<{ name: string; last: string | null }>(
    `select schemaname || '.' || sequencename as name, last_value::text as last from pg_sequences`,
  );
  return Object.fromEntries(rows.map(({ name, last }) => [name, last]));
}

/** Reads the figures of a database that nobody changes, all in the transaction of the client. */
export async function readFacts(
  client: pg.Client,
  sums: ArchiveBackup['sums'],
  tables?: readonly string[],
): Promise<ArchiveFacts> {
  return { ...(await readRows(client, sums, tables)), sequences: await readSequences(client) };
}

/** The figures that a snapshot holds still, all in the transaction of the client. */
export async function readRows(
  client: pg.Client,
  sums: ArchiveBackup['sums'],
  tables?: readonly string[],
): Promise<Omit<ArchiveFacts, 'sequences'>> {
  const rows: Record<string, number> = {};
  for (const { name, quoted } of (await client.query<{ name: string; quoted: string }>(TABLES)).rows) {
    if (tables !== undefined && !tables.includes(name)) continue;
    const { rows: counted } = await client.query<{ n: string }>(`select count(*) as n from ${quoted}`);
    rows[name] = Number(counted[0]?.n);
  }
  const { rows: objects } = await client.query<{ n: string }>(
    'select count(*) as n from pg_largeobject_metadata',
  );
  const values: Record<string, string | null> = {};
  for (const [name, { sql }] of Object.entries(sums)) values[name] = await sumOf(client, name, sql);
  return {
    rows,
    sums: values,
    largeObjects: Number(objects[0]?.n),
  };
}

/** As PostgreSQL writes it: numbers of any size stay what they are. */
async function sumOf(client: pg.Client, name: string, sql: string): Promise<string | null> {
  const asWritten = { getTypeParser: () => (value: string) => value } as unknown as pg.CustomTypesConfig;
  const { rows } = await client.query<(string | null)[]>({ text: sql, rowMode: 'array', types: asWritten });
  if (rows.length === 1 && rows[0]?.length === 1) return rows[0][0] ?? null;
  throw new PermanentError('BadSum', `The sum ${name} gives ${rows.length} rows, not one value.`, {
    next: 'Correct its query in the runbook (backups.<name>.sums).',
  });
}

/** What differs between the figures of an archive and those of what was restored from it; empty: nothing. */
export function differencesOf(archived: ArchiveFacts, found: ArchiveFacts): string[] {
  const rows = Object.entries(archived.rows)
    .filter(([table, count]) => found.rows[table] !== count)
    .map(([table, count]) => `${table} has ${found.rows[table] ?? 'no'} rows, ${count} were dumped`);
  const sequences = Object.entries(archived.sequences)
    .filter(([name, last]) => last !== null && BigInt(found.sequences[name] ?? -1) < BigInt(last))
    .map(([name, last]) => `sequence ${name} stands at ${found.sequences[name] ?? 'nothing'}, below ${last}`);
  const sums = Object.entries(archived.sums)
    .filter(([name, value]) => found.sums[name] !== value)
    .map(([name]) => `the sum ${name} is another one than when it was dumped`);
  const objects =
    found.largeObjects === archived.largeObjects
      ? []
      : [`${found.largeObjects} large objects, ${archived.largeObjects} were dumped`];
  return [...rows, ...sequences, ...sums, ...objects];
}

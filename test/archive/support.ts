import { generateKeyPairSync } from 'node:crypto';
import { chmod, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { generateIdentity, identityToRecipient } from 'age-encryption';
import type pg from 'pg';
import type { ArchiveRestored, StepRef } from '../../activities/contract.js';
import { provisionActivities } from '../../activities/provision/index.js';
import { restoreActivities } from '../../activities/restore/index.js';
import type { ArchiveBackup } from '../../src/runbook/schema.js';
import { temporaryFolder } from '../drivers/support/folder.js';
import { makeCluster, type TestCluster } from '../drivers/support/postgres.js';
import { startVault, type TestVault } from '../drivers/support/s3.js';
import { stepOf } from '../drivers/support/steps.js';

/** A database with a bit of everything that a dump has to bring back, and two places for its archives. */
export interface ArchiveWorld {
  readonly source: TestCluster;
  readonly vault: TestVault;
  readonly folder: string;
  /** Archives into a bucket and a folder. */
  readonly backup: ArchiveBackup;
  remove(): Promise<void>;
}

export async function makeArchiveWorld(): Promise<ArchiveWorld> {
  const [source, vault, folder] = await Promise.all([
    makeCluster(),
    startVault(),
    temporaryFolder('archive'),
  ]);
  const keys = await makeKeys(folder.path);
  await source.admin((client) => client.query(SCHEMA));
  return {
    source,
    vault,
    folder: folder.path,
    backup: {
      driver: 'archive',
      content: 'full',
      layout: 'directory',
      jobs: 2,
      copies: [
        { driver: 's3', title: 'S3 east', failureDomain: 'us-east-1', prefix: 'dumps/', ...vault.bucket },
        { driver: 'folder', title: 'the volume', failureDomain: 'office', path: join(folder.path, 'kept') },
      ],
      ...keys,
      check: 'read',
      sums: { cents: { title: 'All that was booked', sql: 'select sum(cents) from books.entry' } },
      schedule: [],
      retention: [],
    },
    async remove() {
      await Promise.all([source.remove(), vault.remove(), folder.remove()]);
    },
  };
}

/** New keys of an owner, in files. */
export async function makeKeys(
  folder: string,
): Promise<Pick<ArchiveBackup, 'recipients' | 'identities' | 'signingKey' | 'signers'>> {
  const identity = await generateIdentity();
  const pair = generateKeyPairSync('ed25519');
  const stem = join(folder, `keys-${identity.slice(-8)}`);
  await writeFile(`${stem}.age`, `${identity}\n`, { mode: 0o600 });
  await writeFile(`${stem}.pem`, pair.privateKey.export({ type: 'pkcs8', format: 'pem' }), { mode: 0o600 });
  return {
    recipients: [await identityToRecipient(identity)],
    identities: [`file:${stem}.age`],
    signingKey: `file:${stem}.pem`,
    signers: [pair.publicKey.export({ type: 'spki', format: 'pem' }).toString()],
  };
}

const SCHEMA = `
  create role auditor nologin;
  create role "Night Shift" login password 'night' in role auditor;
  create schema books authorization app;
  create type books.side as enum ('debit', 'credit');
  create sequence books.number start 1000;
  create table books.account (id integer primary key, name text not null unique, note text);
  create table books.entry (
    id bigint generated always as identity primary key, number bigint not null default nextval('books.number'),
    account integer not null references books.account, side books.side not null,
    cents bigint not null check (cents > 0), at timestamptz not null default now(), payload bytea);
  create index on books.entry (account, at);
  create table books."Odd Name" (k text primary key, v jsonb);
  create table books.empty (id integer);
  create table books.part (day date, n integer) partition by range (day);
  create table books.part_1 partition of books.part for values from ('2026-01-01') to ('2026-07-01');
  create table books.part_2 partition of books.part for values from ('2026-07-01') to ('2027-01-01');
  create function books.refuse() returns trigger language plpgsql as $$ begin raise exception 'append only'; end $$;
  insert into books.account select i, 'account ' || i, nullif(repeat(E'\\u00e4\\n\\t\\\\', i % 4), '') from generate_series(1, 50) i;
  insert into books.entry (account, side, cents, payload)
    select 1 + i % 50, case when i % 2 = 0 then 'debit' else 'credit' end::books.side, 1 + i * 7 % 1000,
      decode(md5(i::text) || md5((i * 31)::text), 'hex')
    from generate_series(1, 30000) i;
  insert into books."Odd Name" select 'k' || i, jsonb_build_object('i', i, 'quote', '''"\\') from generate_series(1, 500) i;
  insert into books.part select '2026-01-01'::date + i, i from generate_series(0, 360) i;
  create trigger append_only before update or delete on books.entry for each row execute function books.refuse();
  create materialized view books.totals as select account, sum(cents) as cents from books.entry group by account;
  grant usage on schema books to auditor;
  grant select on all tables in schema books to auditor;
  comment on table books.entry is 'every booking; never changed';
  alter database ledger set work_mem = '8MB';
  select lo_from_bytea(5001, decode(repeat('00ff10', 40000), 'hex')), lo_from_bytea(5002, ''), lo_from_bytea(5003, 'third');
`;

/** Every row of every table, every large object, sequence, definition and role, as text that can be compared. */
export async function contentOf(cluster: TestCluster): Promise<Record<string, unknown>> {
  return cluster.admin(async (client) => {
    const { rows: tables } = await client.query<{ name: string }>(
      `select format('%I.%I', n.nspname, c.relname) as name from pg_class c join pg_namespace n on n.oid = c.relnamespace
       where c.relkind in ('r', 'm') and n.nspname in ('public', 'books') order by 1`,
    );
    const rows: Record<string, unknown> = {};
    for (const { name } of tables) {
      rows[name] = await only(
        client,
        `select count(*)::text || md5(coalesce(string_agg(t::text, E'\\n' order by t::text), '')) as x from ${name} t`,
      );
    }
    return {
      rows,
      objects: await only(
        client,
        `select string_agg(oid || md5(lo_get(oid)), ',' order by oid) as x from pg_largeobject_metadata`,
      ),
      sequences: await only(
        client,
        `select string_agg(sequencename || coalesce(last_value::text, '-'), ',' order by 1) as x from (select * from pg_sequences order by sequencename) s`,
      ),
      definitions: await only(
        client,
        `select string_agg(d, E'\\n' order by d) as x from (
           select pg_get_constraintdef(oid) || conname from pg_constraint where connamespace = 'books'::regnamespace
           union all select indexdef from pg_indexes where schemaname = 'books'
           union all select pg_get_triggerdef(oid) from pg_trigger where not tgisinternal
           union all select obj_description('books.entry'::regclass)) as all_of_them (d)`,
      ),
      roles: await only(
        client,
        `select string_agg(r.rolname || coalesce(a.rolpassword, '-') || r.rolcanlogin, E'\\n' order by r.rolname) as x from pg_roles r join pg_authid a using (oid) where r.rolname !~ '^pg_' and r.rolname <> 'muster'`,
      ),
      grants: await only(
        client,
        `select string_agg(relname || relowner::regrole || coalesce(relacl::text, '-'), ',' order by relname) as x from pg_class where relnamespace = 'books'::regnamespace`,
      ),
      database: await only(
        client,
        `select setconfig::text as x from pg_db_role_setting where setdatabase = (select oid from pg_database where datname = 'ledger')`,
      ),
    };
  });
}

async function only(client: pg.Client, sql: string): Promise<unknown> {
  return (await client.query<{ x: unknown }>(sql)).rows[0]?.x;
}

let runs = 0;

/** An empty place for a cluster that archives are restored into; takes what a test needs to look at it afterwards. */
export interface Target {
  readonly cluster: TestCluster;
  restore(
    backup: ArchiveBackup,
    options?: { readonly label?: string; readonly tables?: readonly string[]; readonly system?: string },
  ): Promise<ArchiveRestored>;
  readonly at: StepRef;
}

export async function makeTarget(like: TestCluster): Promise<Target> {
  const cluster = await makeCluster({ site: 'recovery', empty: true });
  runs += 1;
  const at = stepOf(`run-archive-${process.pid}-${runs}`, 'payymo');
  await chmod(like.folder, 0o755);
  return {
    cluster,
    at,
    async restore(backup, { system, ...options } = {}) {
      const ref = { ...at, ...(system === undefined ? {} : { system }) };
      const provisioned = await provisionActivities().provisionForArchive({
        at: ref,
        target: cluster.at,
        databaseBytes: 1_000_000,
      });
      return restoreActivities().restoreArchive({
        at: ref,
        target: cluster.at,
        provisioned,
        backup,
        ...options,
      });
    },
  };
}

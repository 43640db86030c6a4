/** Rules that hold for any database: they need nothing from the runbook but the names of the data classes' tables. */
import type pg from 'pg';
import { formatCount, formatDuration } from '../../src/model/format.js';
import type { DataClass } from '../../src/runbook/schema.js';

/** What a rule found; `broken` is absent where it holds. */
export interface Finding {
  readonly detail: string;
  readonly broken?: string;
}

function quoted(name: string): string {
  return `"${name.replaceAll('"', '""')}"`;
}

function quotedTable(table: string): string {
  return table.split('.').map(quoted).join('.');
}

const SEQUENCES = `
  select quote_ident(sn.nspname) || '.' || quote_ident(s.relname) as sequence,
    quote_ident(tn.nspname) || '.' || quote_ident(t.relname) as "table", quote_ident(a.attname) as "column",
    q.seqincrement > 0 as ascending
  from pg_depend d
    join pg_class s on s.oid = d.objid and s.relkind = 'S'
    join pg_namespace sn on sn.oid = s.relnamespace
    join pg_sequence q on q.seqrelid = s.oid
    join pg_class t on t.oid = d.refobjid and t.relkind in ('r', 'p')
    join pg_namespace tn on tn.oid = t.relnamespace
    join pg_attribute a on a.attrelid = t.oid and a.attnum = d.refobjsubid
  where d.classid = 'pg_class'::regclass and d.refclassid = 'pg_class'::regclass and d.deptype in ('a', 'i')
    and not q.seqcycle
  order by 1`;

/** Every sequence stands at or beyond the greatest number that its column holds, or the next insert would collide. */
export async function checkSequences(client: pg.Client): Promise<Finding> {
  const { rows } = await client.query<{
    sequence: string;
    table: string;
    column: string;
    ascending: boolean;
  }>(SEQUENCES);
  const behind: string[] = [];
  for (const { sequence, table, column, ascending } of rows) {
    const extreme = ascending ? 'max' : 'min';
    const { rows: found } = await client.query<{ used: string | null; given: string; called: boolean }>(
      `select (select ${extreme}(${column})::text from ${table}) as used, last_value::text as given, is_called as called
       from ${sequence}`,
    );
    const [row] = found;
    if (row === undefined || row.used === null) continue;
    const ahead = BigInt(row.used) - BigInt(row.given);
    const isBehind = ascending ? ahead > 0n : ahead < 0n;
    // A sequence that was not called yet gives its own value next.
    if (isBehind || (ahead === 0n && !row.called)) {
      behind.push(`${sequence} stands at ${row.given}, ${table}.${column} holds ${row.used}`);
    }
  }
  return {
    detail: `${formatCount(rows.length)} sequences at or beyond their columns`,
    ...(behind.length > 0 ? { broken: `sequences are behind: ${behind.slice(0, 5).join('; ')}.` } : {}),
  };
}

const FOREIGN_KEYS = `
  select c.conname as name, c.convalidated as validated,
    quote_ident(cn.nspname) || '.' || quote_ident(child.relname) as child,
    quote_ident(pn.nspname) || '.' || quote_ident(parent.relname) as parent,
    array(select quote_ident(a.attname) from unnest(c.conkey) with ordinality k(n, i)
      join pg_attribute a on a.attrelid = c.conrelid and a.attnum = k.n order by k.i)::text[] as child_columns,
    array(select quote_ident(a.attname) from unnest(c.confkey) with ordinality k(n, i)
      join pg_attribute a on a.attrelid = c.confrelid and a.attnum = k.n order by k.i)::text[] as parent_columns
  from pg_constraint c
    join pg_class child on child.oid = c.conrelid
    join pg_namespace cn on cn.oid = child.relnamespace
    join pg_class parent on parent.oid = c.confrelid
    join pg_namespace pn on pn.oid = parent.relnamespace
  where c.contype = 'f' and c.conparentid = 0
  order by 3, 1`;

/**
 * No row refers to one that is not there. The rows themselves are looked at: a constraint says nothing about what was
 * damaged beneath it. Constraints that the owner never had validated are named, not failed.
 */
export async function checkForeignKeys(client: pg.Client): Promise<Finding> {
  const { rows } = await client.query<{
    name: string;
    validated: boolean;
    child: string;
    parent: string;
    child_columns: readonly string[];
    parent_columns: readonly string[];
  }>(FOREIGN_KEYS);
  const orphans: string[] = [];
  const unvalidated: string[] = [];
  for (const key of rows) {
    if (!key.validated) unvalidated.push(key.name);
    const present = key.child_columns.map((column) => `c.${column} is not null`).join(' and ');
    const equal = key.child_columns
      .map((column, index) => `p.${key.parent_columns[index] ?? column} = c.${column}`)
      .join(' and ');
    const { rows: counted } = await client.query<{ orphans: string }>(
      `select count(*) as orphans from ${key.child} c
       where ${present} and not exists (select from ${key.parent} p where ${equal})`,
    );
    const count = Number(counted[0]?.orphans ?? 0);
    if (count > 0 && key.validated) {
      orphans.push(`${formatCount(count)} rows of ${key.child} refer to none of ${key.parent} (${key.name})`);
    }
  }
  const note = unvalidated.length === 0 ? '' : `, never validated by their owner: ${unvalidated.join(', ')}`;
  return {
    detail: `${formatCount(rows.length)} foreign keys without orphans${note}`,
    ...(orphans.length > 0 ? { broken: `${orphans.slice(0, 5).join('; ')}.` } : {}),
  };
}

/** The table of each data class holds rows; how many, and how old the newest was at the point, is kept as evidence. */
export async function checkDataClass(
  client: pg.Client,
  name: string,
  dataClass: DataClass,
  pointTime: string,
): Promise<Finding> {
  const { rows } = await client.query<{ count: string; newest: string | null; age_ms: string | null }>(
    `select count(*) as count,
       to_char(max(${quoted(dataClass.time)}) at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"') as newest,
       round(extract(epoch from $1::timestamptz - max(${quoted(dataClass.time)})) * 1000)::text as age_ms
     from ${quotedTable(dataClass.table)}`,
    [pointTime],
  );
  const count = Number(rows[0]?.count ?? 0);
  if (count === 0) {
    return { detail: `${name}: empty`, broken: `${dataClass.table} (${name}) is empty.` };
  }
  const ageMs = Number(rows[0]?.age_ms ?? 0);
  const age = ageMs < 0 ? 'stamped after the point' : `${formatDuration(ageMs)} old at the point`;
  return { detail: `${name}: ${formatCount(count)} rows, newest ${age}` };
}

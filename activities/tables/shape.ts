/** What a table looks like to whoever brings rows of it back. */
import type pg from 'pg';
import { PermanentError } from '../../src/errors.js';
import type { ChosenTable } from '../../src/runbook/schema.js';

/** All names are quoted as SQL wants them. */
export interface Shape {
  /** As the runbook names it. */
  readonly name: string;
  readonly table: string;
  readonly key: readonly string[];
  /** Columns that come back, without the key. */
  readonly back: readonly string[];
  /** Every column that can be written. */
  readonly all: readonly string[];
}

/** The same text for the same value on both sides. */
export const SAME_TEXT = `set local timezone = 'UTC'; set local datestyle = 'ISO'; set local intervalstyle = 'postgres';
  set local bytea_output = 'hex'; set local extra_float_digits = 1`;

/** @throws PermanentError `TableUnfit` */
export async function shapeOf(client: pg.Client, { table: name, stays }: ChosenTable): Promise<Shape> {
  const { rows } = await client.query<{ column: string; quoted: string; key: boolean; written: boolean }>(
    `select a.attname as column, quote_ident(a.attname) as quoted, a.attgenerated = '' as written,
       coalesce(a.attnum = any(i.indkey), false) as key
     from pg_attribute a left join pg_index i on i.indrelid = a.attrelid and i.indisprimary
     where a.attrelid = to_regclass($1) and a.attnum > 0 and not a.attisdropped order by a.attnum`,
    [quotedTable(name)],
  );
  const key = rows.filter((row) => row.key);
  const unknown = stays.filter((column) => !rows.some((row) => row.column === column && !row.key));
  const why =
    rows.length === 0
      ? 'it is not there'
      : key.length === 0
        ? 'it has no primary key, so nobody knows which row is which'
        : unknown.length > 0
          ? `it has no column ${unknown.join(', ')} beside its key`
          : undefined;
  if (why !== undefined) {
    throw new PermanentError('TableUnfit', `Rows of ${name} cannot be brought back by themselves: ${why}.`, {
      next: 'Correct the runbook (scenarios.corruptedTables.tables), or recover the whole database with corruption.',
    });
  }
  const written = rows.filter((row) => row.written);
  return {
    name,
    table: quotedTable(name),
    key: key.map(({ quoted }) => quoted),
    back: written.filter((row) => !row.key && !stays.includes(row.column)).map(({ quoted }) => quoted),
    all: written.map(({ quoted }) => quoted),
  };
}

export function quotedTable(name: string): string {
  return name
    .split('.')
    .map((part) => `"${part.replaceAll('"', '""')}"`)
    .join('.');
}

/** Names that no column has: where a column is called like a row, PostgreSQL takes the column. */
export const NOW = 'muster_now';
export const THEN = 'muster_then';
export const KEPT = 'muster_kept';
export const PUT = 'muster_put';

/** `a.x = b.x and a.y = b.y` */
export function equalKeys({ key }: Shape, one: string, other: string): string {
  return key.map((column) => `${one}.${column} = ${other}.${column}`).join(' and ');
}

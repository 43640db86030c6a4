/**
 * Content that looks encrypted. Each column with text or bytes is sampled; values are sorted by the alphabet that they are
 * written in, and of each alphabet's values together it is asked whether they hold any order beyond it: what chance wrote
 * cannot be compressed below the entropy of its alphabet, what people and programs write can.
 */
import { deflateRawSync } from 'node:zlib';
import type { Client } from 'pg';
import type { IntrusionSign } from './contract.js';
import { commitTimeOf } from './dates.js';

/** Values looked at in a column. */
const SAMPLE = 1_000;
/** Shorter ones say nothing. */
const LEAST_LENGTH = 24;
const LEAST_VALUES = 5;

/** How values are written, with what must be there before chance is suspected. */
interface Alphabet {
  readonly name: string;
  /** Undefined: whatever fits no other. */
  readonly of?: (value: string) => boolean;
  readonly leastBytes: number;
  /** Bits a byte that the values must have on average. */
  readonly leastEntropy: number;
}

const ARMOUR = /BEGIN PGP MESSAGE|age-encryption\.org|^U2FsdGVkX1|^Salted__/;

const ALPHABETS: readonly Alphabet[] = [
  { name: 'hexadecimal', of: (value) => /^[0-9a-f]{24,}$/i.test(value), leastBytes: 240, leastEntropy: 3.7 },
  {
    name: 'base64',
    of: (value) => /^[A-Za-z0-9+/_-]{22,}={0,2}$/.test(value) && /[a-z]/.test(value) && /[A-Z]/.test(value),
    leastBytes: 240,
    leastEntropy: 5,
  },
  { name: 'text', leastBytes: 4_096, leastEntropy: 5.6 },
];
const BYTES: Alphabet = { name: 'bytes', leastBytes: 2_048, leastEntropy: 7 };

/** A column: of text, or of bytes. */
interface Column {
  readonly table: string;
  readonly name: string;
  readonly bytes: boolean;
}

/**
 * @param tables `schema.table`; empty: every table of the schemas
 * @param randomColumns `schema.table.column` that may look like chance
 */
export async function contentSigns(
  client: Client,
  {
    schemas,
    randomColumns,
  }: { readonly schemas: readonly string[]; readonly randomColumns: readonly string[] },
  tables: readonly string[],
  update: (done: number, total: number) => void,
): Promise<readonly IntrusionSign[]> {
  const columns = (await columnsOf(client, schemas)).filter(
    ({ table, name }) =>
      (tables.length === 0 || tables.includes(table)) && !randomColumns.includes(`${table}.${name}`),
  );
  const signs: IntrusionSign[] = [];
  for (const [index, column] of columns.entries()) {
    update(index, columns.length);
    signs.push(...(await signsIn(client, column)));
  }
  return signs;
}

async function columnsOf(client: Client, schemas: readonly string[]): Promise<readonly Column[]> {
  const { rows } = await client.query<{ table: string; name: string; type: string }>(
    `select format('%s.%s', n.nspname, c.relname) as table, a.attname as name, a.atttypid::regtype::text as type
       from pg_attribute as a join pg_class as c on c.oid = a.attrelid join pg_namespace as n on n.oid = c.relnamespace
      where n.nspname = any($1) and c.relkind = 'r' and a.attnum > 0 and not a.attisdropped
        and a.atttypid::regtype::text in ('text', 'character varying', 'character', 'json', 'jsonb', 'bytea')
      order by 1, a.attnum`,
    [schemas],
  );
  return rows.map(({ table, name, type }) => ({ table, name, bytes: type === 'bytea' }));
}

interface Sampled {
  readonly value: string | Buffer;
  readonly at: string | null;
}

async function signsIn(client: Client, column: Column): Promise<readonly IntrusionSign[]> {
  const sampled = await sample(client, column);
  const groups = column.bytes
    ? [{ alphabet: BYTES, of: sampled }]
    : ALPHABETS.map((alphabet) => ({
        alphabet,
        of: sampled.filter(({ value }) => alphabetOf(String(value)) === alphabet),
      }));
  const armoured = column.bytes ? [] : sampled.filter(({ value }) => ARMOUR.test(String(value)));
  return [
    ...(armoured.length === 0 ? [] : [sign(column, 'encrypted', armoured, sampled.length)]),
    ...groups
      .filter(({ alphabet, of }) => looksLikeChance(alphabet, of))
      .map(({ alphabet, of }) => sign(column, `like chance (${alphabet.name})`, of, sampled.length)),
  ];
}

function alphabetOf(value: string): Alphabet | undefined {
  return ALPHABETS.find((one) => one.of === undefined || one.of(value));
}

function sign(
  { table, name }: Column,
  how: string,
  values: readonly Sampled[],
  outOf: number,
): IntrusionSign {
  const dates = values.flatMap(({ at }) => (at === null ? [] : [at])).sort();
  return {
    kind: 'content',
    what: `${table}.${name}: ${values.length} of ${outOf} values sampled look ${how}`,
    seenAt: dates[0] ?? null,
  };
}

/**
 * Pages at random, as many as hold about the sample, and the newest rows that the table got (they lie at its end or in gaps, so
 * the end is looked at too).
 */
async function sample(client: Client, { table, name, bytes }: Column): Promise<readonly Sampled[]> {
  const [schema = '', relation = ''] = table.split('.');
  const place = `${client.escapeIdentifier(schema)}.${client.escapeIdentifier(relation)}`;
  const column = client.escapeIdentifier(name);
  const { rows: sizes } = await client.query<{ rows: string; pages: string }>(
    `select greatest(reltuples, 0)::bigint as rows, pg_relation_size(oid) / current_setting('block_size')::bigint as pages
       from pg_class where oid = to_regclass($1)`,
    [place],
  );
  const rows = Math.max(1, Number(sizes[0]?.rows ?? 0));
  const pages = Number(sizes[0]?.pages ?? 0);
  const percent = rows <= 20 * SAMPLE ? 100 : Math.max((100 * 4 * SAMPLE) / rows, 0.01);
  const value = bytes ? `t.${column}` : `left(t.${column}::text, 4096)`;
  const length = bytes ? `octet_length(t.${column})` : `length(t.${column}::text)`;
  const { rows: found } = await client.query<{ value: string | Buffer; at: string | null }>(
    `(select ${value} as value, ${commitTimeOf('t')} as at from ${place} as t tablesample system ($1)
       where ${length} >= $2 order by random() limit $3)
     union all
     (select ${value}, ${commitTimeOf('t')} from ${place} as t
       where t.ctid >= $4::tid and ${length} >= $2 limit $3)`,
    [percent, LEAST_LENGTH, SAMPLE, `(${Math.max(0, pages - 50)},0)`],
  );
  return found;
}

/** Whether values of one alphabet hold no order beyond it. */
export function looksLikeChance(
  { leastBytes, leastEntropy }: Pick<Alphabet, 'leastBytes' | 'leastEntropy'>,
  values: readonly Pick<Sampled, 'value'>[],
): boolean {
  // The same value twice is order, and says nothing about the value.
  const different = [
    ...new Set(values.map(({ value }) => (typeof value === 'string' ? value : value.toString('latin1')))),
  ];
  if (different.length < LEAST_VALUES) return false;
  const bytes = Buffer.concat(different.map((value) => Buffer.from(value, 'latin1')));
  if (bytes.length < leastBytes) return false;
  const entropy = entropyOf(bytes);
  if (entropy < leastEntropy) return false;
  const compressed = (deflateRawSync(bytes, { level: 9 }).length * 8) / bytes.length;
  return compressed / entropy > 0.95;
}

/** Shannon's, of single bytes, in bits. */
function entropyOf(bytes: Buffer): number {
  const counts = new Array<number>(256).fill(0);
  for (const byte of bytes) counts[byte] = (counts[byte] ?? 0) + 1;
  return counts.reduce((sum, count) => {
    if (count === 0) return sum;
    const share = count / bytes.length;
    return sum - share * Math.log2(share);
  }, 0);
}

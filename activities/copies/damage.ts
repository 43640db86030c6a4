/** What of a copy is damaged, as far down as it can be told: tables, and the rows on their bad pages. Nothing is repaired or skipped. */
import type { Client } from 'pg';
import { PermanentError } from '../../src/errors.js';
import { formatCount } from '../../src/model/format.js';
import type { DataClass } from '../../src/runbook/schema.js';
import type { DatabaseAt } from '../contract.js';
import { onStandby } from '../standby/state.js';
import type { ChecksumReport } from '../verify/checksums.js';

/** Pages that do not fit their checksums. */
export class PagesDamaged extends PermanentError {
  constructor(readonly report: ChecksumReport) {
    const named = report.named.slice(0, 3).map(({ file, block }) => `${file}, block ${block}`);
    super(
      'VerificationFailed',
      `Rung 3, page checksums: ${formatCount(report.bad)} pages with a bad checksum${named.length === 0 ? '' : `: ${named.join('; ')}`}.`,
      {
        why: 'The copy is not what it should be, so it must not be promoted.',
        next: 'Use another copy.',
        details: { bad: report.bad },
      },
    );
  }
}

const BLOCKS_PER_FILE = 131_072;

/** Says which tables and rows the bad pages are, on a copy whose server runs. */
export function listDamage(
  copy: DatabaseAt,
  { named, bad }: ChecksumReport,
  dataClasses: Readonly<Record<string, DataClass>>,
): Promise<readonly string[]> {
  return onStandby(copy, async (client) => {
    const lines: string[] = [];
    for (const { file, block } of named) lines.push(await describePage(client, file, block, dataClasses));
    const more = bad - named.length;
    return more > 0 ? [...lines, `and ${formatCount(more)} pages more`] : lines;
  });
}

interface Relation {
  readonly name: string;
  readonly kind: string;
  /** Of an index: its table. */
  readonly of: string | null;
}

async function describePage(
  client: Client,
  file: string,
  block: number,
  dataClasses: Readonly<Record<string, DataClass>>,
): Promise<string> {
  const [, path = '', part] = /(base\/\d+\/\d+|global\/\d+)(?:\.(\d+))?$/.exec(file) ?? [];
  const at = Number(part ?? 0) * BLOCKS_PER_FILE + block;
  const { rows } = await client.query<Relation>(
    `select c.oid::regclass::text as name, c.relkind::text as kind, i.indrelid::regclass::text as of
       from pg_class c left join pg_index i on i.indexrelid = c.oid
      where pg_relation_filepath(c.oid) = $1`,
    [path],
  );
  const [found] = rows;
  if (found === undefined)
    return `block ${at} of ${path || file}, of another database or of no table any more`;
  if (found.kind === 'i')
    return `block ${at} of the index ${found.name} of ${found.of}: no row is lost with it, it can be built again`;
  if (found.kind !== 'r') return `block ${at} of ${found.name}`;
  const key = Object.values(dataClasses).find(({ table }) => table === found.name)?.key;
  const [before, after] = [
    await neighbour(client, found.name, key, { from: at - 1, take: 'last' }),
    await neighbour(client, found.name, key, { from: at + 1, take: 'first' }),
  ];
  return `block ${at} of ${found.name}: the rows between ${before} and ${after} cannot be read`;
}

/** The row next to a bad page; names come from the catalog and the runbook's schema. */
async function neighbour(
  client: Client,
  table: string,
  key: string | undefined,
  { from, take }: { readonly from: number; readonly take: 'first' | 'last' },
): Promise<string> {
  if (from < 0) return 'the first one';
  try {
    const { rows } = await client.query<{ ctid: string; key: string | null }>(
      `select ctid::text as ctid, ${key === undefined ? 'null' : `${key}::text`} as key from ${table}
        where ctid >= '(${from},0)' and ctid < '(${from + 1},0)'
        order by ctid ${take === 'last' ? 'desc' : 'asc'} limit 1`,
    );
    const [row] = rows;
    if (row === undefined) return take === 'first' ? 'the last one' : `block ${from}, which is empty`;
    return row.key === null ? row.ctid : `${key} ${row.key}`;
  } catch {
    return `block ${from}, which cannot be read either`;
  }
}

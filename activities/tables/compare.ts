/** Two states of a table, row by row in the order of their keys: neither is ever whole in memory. */
import { createHash } from 'node:crypto';
import { mkdir, open, rename } from 'node:fs/promises';
import { join } from 'node:path';
import type pg from 'pg';
import { reportDirectory } from '../../src/home.js';
import type { TableDifference } from './contract.js';
import { NOW, SAME_TEXT, type Shape } from './shape.js';

const BATCH = 1_000;
const SAMPLES = 5;

interface Row {
  /** Digest of the key, by which both sides are ordered. */
  readonly place: string;
  readonly key: string;
  readonly sum: string;
  readonly line: string;
}

/** @param onRow told after each batch how many rows were compared */
export async function compareTable(
  { then, now }: { readonly then: pg.Client; readonly now: pg.Client },
  shape: Shape,
  runId: string,
  onRow: (rows: number) => void,
): Promise<TableDifference> {
  const directory = reportDirectory(runId);
  await mkdir(directory, { recursive: true, mode: 0o700 });
  const file = join(directory, `rows-${shape.name}.ndjson`);
  const hash = createHash('sha256');
  const counts = { same: 0, changed: 0, missing: 0, added: 0 };
  const samples: string[] = [];
  const handle = await open(`${file}.new`, 'w', 0o600);
  const keep = async ({ key, line }: Row) => {
    const text = `${line}\n`;
    hash.update(text);
    await handle.write(text);
    if (samples.length < SAMPLES) samples.push(key);
  };
  try {
    const before = rowsOf(then, shape, 'line');
    const after = rowsOf(now, shape, 'no line');
    let one = await before.next();
    let other = await after.next();
    let compared = 0;
    while (one.done !== true || other.done !== true) {
      const [was, is] = [
        one.done === true ? undefined : one.value,
        other.done === true ? undefined : other.value,
      ];
      if (was !== undefined && (is === undefined || was.place < is.place)) {
        counts.missing += 1;
        await keep(was);
        one = await before.next();
      } else if (is !== undefined && (was === undefined || is.place < was.place)) {
        counts.added += 1;
        other = await after.next();
      } else if (was !== undefined && is !== undefined) {
        if (was.sum === is.sum) counts.same += 1;
        else {
          counts.changed += 1;
          await keep(was);
        }
        [one, other] = [await before.next(), await after.next()];
      }
      compared += 1;
      if (compared % BATCH === 0) onRow(compared);
    }
    await handle.sync();
  } finally {
    await handle.close();
  }
  await rename(`${file}.new`, file);
  const lines = counts.changed + counts.missing;
  return { table: shape.name, ...counts, samples, rows: { file, sha256: hash.digest('hex'), lines } };
}

async function* rowsOf(client: pg.Client, shape: Shape, line: 'line' | 'no line'): AsyncGenerator<Row> {
  await client.query('begin transaction isolation level repeatable read read only');
  await client.query(SAME_TEXT);
  const key = `row(${shape.key.join(', ')})::text`;
  const back = shape.back.length === 0 ? 'null' : shape.back.join(', ');
  await client.query(
    `declare rows no scroll cursor for select md5(${key}) as place, ${key} as key, md5(row(${back})::text) as sum,
       ${line === 'line' ? `row_to_json(${NOW})::text` : "''"} as line
     from ${shape.table} as ${NOW} order by md5(${key}) collate "C"`,
  );
  for (;;) {
    const { rows } = await client.query<Row>(`fetch ${BATCH} from rows`);
    if (rows.length === 0) break;
    yield* rows;
  }
  await client.query('rollback');
}

/** Rows that name files held against the files: both are read once, in the order of the keys' bytes. */
import { createHash } from 'node:crypto';
import type pg from 'pg';
import { PermanentError } from '../../src/errors.js';
import { formatCount } from '../../src/model/format.js';
import { withClient } from '../../src/postgres.js';
import type { ObjectStore } from '../../src/runbook/schema.js';
import { activitySignal, reportProgress } from '../context.js';
import type { DatabaseAt, FileFinding, FilesReconciled } from '../contract.js';
import { adminOf } from '../service/index.js';
import type { BucketDriver, ListedObject } from './driver.js';
import { inParallel, patiently } from './parallel.js';

const NAMED = 200;
const ROWS_AT_ONCE = 1_000;
const STATEMENT_MS = 600_000;

interface Row {
  readonly key: string;
  readonly bytes: number | null;
  readonly sha256: string | null;
}

/** @throws PermanentError `NoReferences`, `FilesUnordered`; what the driver and PostgreSQL throw */
export async function reconcile(
  bucket: BucketDriver,
  store: ObjectStore,
  { postgres }: DatabaseAt,
): Promise<FilesReconciled> {
  const { references } = store;
  if (references === undefined) {
    throw new PermanentError('NoReferences', `The runbook does not say which rows name ${store.title}.`, {
      next: 'Add references to the store (objects.<store>.references), then retry the step.',
    });
  }
  const signal = activitySignal();
  return withClient(
    adminOf(postgres),
    { statementTimeoutMs: STATEMENT_MS, applicationName: 'muster-reconcile-files', signal },
    async (client) => {
      const found = new Findings();
      const both = merged(rowsOf(client, references), objectsOf(bucket));
      let check: { readonly key: string; readonly sha256: string }[] = [];
      const readThem = async () => {
        const files = check;
        check = [];
        await inParallel(files, store.parallel, async ({ key, sha256 }) => {
          const why = await patiently(signal, () => contentDiffers(bucket, key, sha256));
          if (why !== undefined) found.differing(key, why);
        });
      };
      for await (const { row, object } of both) {
        if (row !== undefined) found.rows += 1;
        if (object !== undefined) found.objects += 1;
        if (row === undefined) found.orphaned((object as ListedObject).key);
        else if (object === undefined) found.dangling(row.key);
        else if (row.bytes !== null && row.bytes !== object.bytes) {
          found.differing(row.key, `its row says ${row.bytes} bytes, it has ${object.bytes}`);
        } else if (row.sha256 !== null) check.push({ key: row.key, sha256: row.sha256.toLowerCase() });
        if (check.length >= ROWS_AT_ONCE) await readThem();
        if ((found.rows + found.objects) % ROWS_AT_ONCE === 0) reportProgress(found.progress());
      }
      await readThem();
      return found.result();
    },
  );
}

class Findings {
  rows = 0;
  objects = 0;
  private readonly lists = { dangling: [] as string[], orphaned: [] as string[] };
  private readonly counts = { dangling: 0, orphaned: 0, differing: 0 };
  private readonly different: FileFinding[] = [];

  dangling(key: string): void {
    this.counts.dangling += 1;
    if (this.lists.dangling.length < NAMED) this.lists.dangling.push(key);
  }

  orphaned(key: string): void {
    this.counts.orphaned += 1;
    if (this.lists.orphaned.length < NAMED) this.lists.orphaned.push(key);
  }

  differing(key: string, why: string): void {
    this.counts.differing += 1;
    if (this.different.length < NAMED) this.different.push({ key, why });
  }

  progress() {
    return { done: this.rows, unit: 'rows' as const, text: 'holding rows and files against each other' };
  }

  result(): FilesReconciled {
    const { rows, objects, counts } = this;
    const troubles = [
      ...(counts.dangling === 0
        ? []
        : [`${formatCount(counts.dangling)} rows name files that are not there`]),
      ...(counts.orphaned === 0 ? [] : [`${formatCount(counts.orphaned)} files are named by no row`]),
      ...(counts.differing === 0
        ? []
        : [`${formatCount(counts.differing)} files are not what their row says`]),
    ];
    return {
      rows,
      objects,
      danglingCount: counts.dangling,
      dangling: this.lists.dangling,
      orphanedCount: counts.orphaned,
      orphaned: this.lists.orphaned,
      differingCount: counts.differing,
      differing: this.different,
      summary: `${formatCount(rows)} rows, ${formatCount(objects)} files: ${troubles.length === 0 ? 'each row has its file and each file its row' : troubles.join('; ')}`,
    };
  }
}

/** The keys of the rows, each once, in the order of their bytes. */
async function* rowsOf(
  client: pg.Client,
  { table, key, bytes, sha256 }: NonNullable<ObjectStore['references']>,
): AsyncGenerator<Row> {
  const column = (name: string) => `"${name}"`;
  const from = table.split('.').map(column).join('.');
  await client.query('begin transaction isolation level repeatable read read only');
  await client.query(
    `declare files no scroll cursor for
     select distinct on (${column(key)}::text collate "C") ${column(key)}::text as key,
       ${bytes === undefined ? 'null' : `${column(bytes)}::text`} as bytes,
       ${sha256 === undefined ? 'null' : `${column(sha256)}::text`} as sha256
     from ${from} where ${column(key)} is not null order by ${column(key)}::text collate "C"`,
  );
  for (;;) {
    const { rows } = await client.query<{ key: string; bytes: string | null; sha256: string | null }>(
      `fetch ${ROWS_AT_ONCE} from files`,
    );
    for (const row of rows) yield { ...row, bytes: row.bytes === null ? null : Number(row.bytes) };
    if (rows.length < ROWS_AT_ONCE) break;
  }
  await client.query('commit');
}

async function* objectsOf(bucket: BucketDriver): AsyncGenerator<ListedObject> {
  let last: string | undefined;
  for await (const page of bucket.list(undefined)) {
    for (const object of page) {
      if (last !== undefined && order(last, object.key) >= 0) throw unordered(bucket, last, object.key);
      last = object.key;
      yield object;
    }
  }
}

interface Pair {
  readonly row?: Row;
  readonly object?: ListedObject;
}

async function* merged(
  rows: AsyncGenerator<Row>,
  objects: AsyncGenerator<ListedObject>,
): AsyncGenerator<Pair> {
  const next = async <T>(from: AsyncGenerator<T>): Promise<T | undefined> => {
    const { done, value } = await from.next();
    return done === true ? undefined : value;
  };
  let [row, object] = [await next(rows), await next(objects)];
  while (row !== undefined || object !== undefined) {
    const side = row === undefined ? 1 : object === undefined ? -1 : order(row.key, object.key);
    yield {
      ...(row !== undefined && side <= 0 ? { row } : {}),
      ...(object !== undefined && side >= 0 ? { object } : {}),
    };
    if (side <= 0) row = await next(rows);
    if (side >= 0) object = await next(objects);
  }
}

function order(one: string, other: string): number {
  return Buffer.compare(Buffer.from(one), Buffer.from(other));
}

async function contentDiffers(
  bucket: BucketDriver,
  key: string,
  sha256: string,
): Promise<string | undefined> {
  const body = await bucket.get(key);
  if (body === undefined) return 'it went while it was looked at';
  const hash = createHash('sha256');
  try {
    for await (const chunk of body.stream) hash.update(chunk);
  } catch (error) {
    if (error instanceof PermanentError && error.code === 'ContentDamaged') return error.message;
    throw error;
  }
  return hash.digest('hex') === sha256 ? undefined : 'its content has another SHA-256 than its row says';
}

function unordered(bucket: BucketDriver, one: string, other: string): PermanentError {
  return new PermanentError(
    'FilesUnordered',
    `The ${bucket.title} lists ${JSON.stringify(other)} behind ${JSON.stringify(one)}.`,
    {
      why: 'Rows and files are compared in the order of their keys, and this store does not keep it.',
      next: 'Compare them by hand, or use a store that lists in the order of the bytes, as S3 does.',
    },
  );
}

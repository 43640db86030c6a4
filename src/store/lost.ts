/** Records that a recovery lost, each by identifier: they are owed an answer, so they outlast the run. */
import { storable } from './storable.js';
import type { Store } from './store.js';

/** A record that was acknowledged and is not in the recovered state. */
export interface LostRecord {
  readonly id: string;
  /** When it was acknowledged, ISO 8601; absent where nobody knows. */
  readonly at?: string;
  /** What else is known of it. It stays in the store: reports name identifiers and times only. */
  readonly body?: Readonly<Record<string, unknown>>;
}

/** Adds records; those that are there already stay as they are. */
export async function insertLost(
  store: Store,
  runId: string,
  dataClass: string,
  records: readonly LostRecord[],
): Promise<void> {
  await store.query(
    `insert into muster.lost_records (run_id, data_class, id, at, body)
     select $1, $2, id, at, body from unnest($3::text[], $4::timestamptz[], $5::jsonb[]) as lost(id, at, body)
     on conflict do nothing`,
    [
      runId,
      dataClass,
      records.map((record) => storable(record.id)),
      records.map((record) => record.at ?? null),
      records.map((record) => JSON.stringify(storable(record.body ?? {}))),
    ],
  );
}

/** How many records of each data class a run lost. */
export async function countLost(store: Store, runId: string): Promise<Readonly<Record<string, number>>> {
  const rows = await store.query<{ data_class: string; records: string }>(
    'select data_class, count(*) as records from muster.lost_records where run_id = $1 group by data_class',
    [runId],
  );
  return Object.fromEntries(rows.map((row) => [row.data_class, Number(row.records)]));
}

/** The lost records of a data class by time, `limit` at most; the bodies stay in the store. */
export async function readLost(
  store: Store,
  runId: string,
  dataClass: string,
  limit: number,
): Promise<Pick<LostRecord, 'id' | 'at'>[]> {
  const rows = await store.query<{ id: string; at: Date | null }>(
    `select id, at from muster.lost_records where run_id = $1 and data_class = $2
      order by at nulls last, id limit $3`,
    [runId, dataClass, limit],
  );
  return rows.map((row) => (row.at === null ? { id: row.id } : { id: row.id, at: row.at.toISOString() }));
}

/** Journal entries in the store: added behind the last one of their run, never changed. */
import { BEFORE_THE_FIRST, type ChainedEntry, chain, type JournalBody, type JournalHead } from './chain.js';
import { placeOf } from './standing.js';
import type { Store } from './store.js';

export { journalBody } from './journal-body.js';

export interface Appended {
  readonly added: number;
  /** Indexes that were there already with other content; what was there first stays. */
  readonly contradicted: readonly number[];
  readonly head: JournalHead;
}

/**
 * Chains entries of one run behind what is there. An entry whose place is taken already is known and left out. One
 * writer a run at a time: an advisory lock orders them, whatever worker they come from.
 *
 * @param bodies of one and the same run, in the order in which they are to stand
 */
export async function appendEntries(store: Store, bodies: readonly JournalBody[]): Promise<Appended> {
  const runId = bodies[0]?.runId ?? '';
  return store.transaction(async (client) => {
    await client.query("select pg_advisory_xact_lock(hashtextextended('muster.journal:' || $1, 0))", [runId]);
    const end = await client.query<{ hash: string; entries: number }>(
      `select hash, (select count(*)::integer from muster.journal where run_id = $1) as entries
         from muster.journal where run_id = $1 order by seq desc limit 1`,
      [runId],
    );
    const known = await client.query<{ adoption: number; index: number; same: boolean }>(
      `select j.adoption, j.index, j.body = given.body as same
         from jsonb_array_elements($2::jsonb) given(body)
         join muster.journal j on j.run_id = $1 and j.index = (given.body ->> 'index')::integer
          and j.adoption = coalesce((given.body ->> 'adoption')::integer, 0)`,
      [runId, JSON.stringify(bodies)],
    );
    const seen = new Set(known.rows.map((row) => `${row.adoption}/${row.index}`));
    const fresh = bodies.filter((body) => !seen.has(placeOf(body)) && seen.add(placeOf(body)));
    const chained = chain(end.rows[0]?.hash ?? BEFORE_THE_FIRST, fresh);
    await client.query(
      `insert into muster.journal (run_id, body, previous_hash, hash)
       select $1, body, previous_hash, hash
         from unnest($2::jsonb[], $3::text[], $4::text[]) with ordinality as new(body, previous_hash, hash, position)
        order by position`,
      [
        runId,
        chained.map(({ body }) => JSON.stringify(body)),
        chained.map(({ previousHash }) => previousHash),
        chained.map(({ hash }) => hash),
      ],
    );
    return {
      added: chained.length,
      contradicted: known.rows.filter((row) => !row.same).map((row) => row.index),
      head: {
        entries: (end.rows[0]?.entries ?? 0) + chained.length,
        hash: chained.at(-1)?.hash ?? end.rows[0]?.hash ?? BEFORE_THE_FIRST,
      },
    };
  });
}

/** The whole journal of a run, in the order in which it was written. */
export async function readJournal(store: Store, runId: string): Promise<ChainedEntry[]> {
  const rows = await store.query<{ body: JournalBody; previous_hash: string; hash: string }>(
    'select body, previous_hash, hash from muster.journal where run_id = $1 order by seq',
    [runId],
  );
  return rows.map((row) => ({ body: row.body, previousHash: row.previous_hash, hash: row.hash }));
}

/** The run whose journal is meant: of this identifier; else the newest of this system, of all with `latest`. */
export async function findJournal(store: Store, name: string): Promise<string | undefined> {
  const rows = await store.query<{ run_id: string }>(
    `select run_id from muster.journal
      where run_id = $1 or $1 = 'latest' or (index = 1 and body ->> 'system' = $1)
      order by (run_id = $1) desc, seq desc limit 1`,
    [name],
  );
  return rows[0]?.run_id;
}

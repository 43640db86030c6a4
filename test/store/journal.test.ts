import { appendEntries, journalBody, readJournal } from '../../src/store/journal.js';
import { verifyJournal } from '../../src/store/verify-journal.js';
import { entries, runRef, startStore, type TestStore } from '../support/store.js';

let world: TestStore;

beforeAll(async () => {
  world = await startStore();
});
afterAll(() => world.remove());

const bodies = (runId: string, from: number, to: number) =>
  entries(from, to).map((entry) => journalBody(runRef(runId), entry));

/** What PostgreSQL answers a statement of the role that records. */
function asRecorder(sql: string): Promise<unknown> {
  return world.store.query(sql).then(
    () => 'done',
    (error) => String(error.message),
  );
}

describe('the journal in the store', () => {
  test('chains what is appended; read back it is whole', async () => {
    const first = await appendEntries(world.store, bodies('whole', 1, 3));
    const second = await appendEntries(world.store, bodies('whole', 4, 5));
    expect([first.added, second.added, second.head.entries]).toEqual([3, 2, 5]);
    expect(verifyJournal(await readJournal(world.store, 'whole'), second.head)).toMatchObject({
      intact: true,
      complete: true,
      head: second.head,
    });
  });

  test('knows what it was given before, and says where it differs', async () => {
    await appendEntries(world.store, bodies('twice', 1, 3));
    const again = await appendEntries(world.store, bodies('twice', 2, 4));
    expect(again).toMatchObject({ added: 1, contradicted: [], head: { entries: 4 } });
    const other = bodies('twice', 2, 2).map((body) => ({ ...body, text: 'something else' }));
    expect(await appendEntries(world.store, other)).toMatchObject({ added: 0, contradicted: [2] });
    const stored = await readJournal(world.store, 'twice');
    expect(stored.map(({ body }) => body.text)).toEqual(entries(1, 4).map(({ text }) => text));
  });

  test('stays one chain when many append at once', async () => {
    const writers = Array.from({ length: 12 }, (_, at) => bodies('crowd', at * 3 + 1, at * 3 + 4));
    await Promise.all(writers.map((batch) => appendEntries(world.store, batch)));
    const stored = await readJournal(world.store, 'crowd');
    expect(stored).toHaveLength(37);
    expect(verifyJournal(stored)).toMatchObject({ intact: true, complete: true });
  });

  test('takes text that jsonb refuses, and any figure, without breaking the chain', async () => {
    const facts = [
      { label: 'nul \u0000 and half \ud83d', value: '\ud83d\ude00 é ☃ "\\ \u2028' },
      { label: 'long', value: 'x'.repeat(100_000) },
    ];
    await appendEntries(
      world.store,
      bodies('odd \' " %', 1, 1).map((body) => journalBody(body, { ...body, facts })),
    );
    const stored = await readJournal(world.store, 'odd \' " %');
    expect(verifyJournal(stored)).toMatchObject({ intact: true, complete: true });
    expect(stored[0]?.body.facts[0]).toEqual({
      label: 'nul \ufffd and half \ufffd',
      value: '😀 é ☃ "\\ \u2028',
    });
  });

  test('refuses change, removal and truncation to the role that records', async () => {
    await appendEntries(world.store, bodies('stays', 1, 2));
    for (const sql of [
      "update muster.journal set hash = repeat('0', 64)",
      'delete from muster.journal',
      'truncate muster.journal',
      'alter table muster.journal disable trigger all',
      'drop table muster.journal',
    ]) {
      expect(await asRecorder(sql)).toMatch(/permission denied|must be owner/);
    }
    expect(await readJournal(world.store, 'stays')).toHaveLength(2);
  });

  test('refuses them even to its owner, also where triggers are told to stand aside', async () => {
    await appendEntries(world.store, bodies('owner', 1, 2));
    await world.owner.query("set session_replication_role = 'replica'");
    try {
      for (const sql of [
        "update muster.journal set hash = repeat('0', 64) where run_id = 'owner'",
        "delete from muster.journal where run_id = 'owner'",
        'truncate muster.journal',
      ]) {
        await expect(world.owner.query(sql)).rejects.toThrow(/append-only/);
      }
    } finally {
      await world.owner.query('reset session_replication_role');
    }
  });

  test('lets no second chain grow beside the first', async () => {
    await appendEntries(world.store, bodies('fork', 1, 2));
    const sql = `insert into muster.journal (run_id, body, previous_hash, hash)
      select run_id, jsonb_set(body, '{index}', '7'), previous_hash, repeat('a', 64) from muster.journal
       where run_id = 'fork' and index = 2`;
    expect(await asRecorder(sql)).toMatch(/unique constraint/);
  });

  describe('someone with the owner’s rights, who switches the triggers off, is found out:', () => {
    const tampering: Record<string, (runId: string) => Promise<unknown>> = {
      'altered 3': (runId) =>
        world.owner.query(
          `update muster.journal set body = jsonb_set(body, '{text}', '"all is well"') where run_id = $1 and index = 3`,
          [runId],
        ),
      'removed 3': (runId) =>
        world.owner.query('delete from muster.journal where run_id = $1 and index = 3', [runId]),
      'reordered 2': async (runId) => {
        const { rows } = await world.owner.query(
          'delete from muster.journal where run_id = $1 and index = 2 returning body, previous_hash, hash',
          [runId],
        );
        await world.owner.query(
          'insert into muster.journal (run_id, body, previous_hash, hash) values ($1, $2, $3, $4)',
          [runId, JSON.stringify(rows[0].body), rows[0].previous_hash, rows[0].hash],
        );
      },
    };

    test.each(Object.entries(tampering))('%s', async (finding, tamper) => {
      const runId = `tampered ${finding}`;
      await appendEntries(world.store, bodies(runId, 1, 5));
      await world.owner.query('alter table muster.journal disable trigger all');
      await tamper(runId);
      await world.owner.query('alter table muster.journal enable always trigger journal_rows_stay');
      await world.owner.query('alter table muster.journal enable always trigger journal_stays');
      const verdict = verifyJournal(await readJournal(world.store, runId));
      expect(verdict.findings.map(({ kind, index }) => `${kind} ${index}`)).toEqual([finding]);
    });
  });
});

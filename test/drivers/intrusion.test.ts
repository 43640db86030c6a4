/** Signs of an intruder, in a real database: each kind is found, named and dated; what belongs there is not. */
import { randomBytes } from 'node:crypto';
import { deflateRawSync } from 'node:zlib';
import { looksLikeChance } from '../../activities/intrusion/content.js';
import type { Baseline } from '../../activities/intrusion/contract.js';
import { intrusionActivities } from '../../activities/intrusion/index.js';
import type { PgbackrestBackup } from '../../src/runbook/schema.js';
import { generationOf, makeCluster, type TestCluster } from './support/postgres.js';
import { stepOf } from './support/steps.js';

const { lookForIntrusion, verifyClean } = intrusionActivities();
const at = stepOf('run-1');
const backup: PgbackrestBackup = {
  driver: 'pgbackrest',
  stanza: 'none',
  repositories: [],
  processes: 1,
  schedule: [],
  retention: [],
};
const REFUSE = " begin raise 'append-only'; end ";
const baseline: Baseline = {
  roles: ['muster', 'app'],
  superusers: ['muster'],
  schemas: ['public'],
  extensions: [],
  functions: [
    {
      name: 'public.refuse()',
      sha256: '', // filled in below
    },
  ],
  triggers: ['public.payment.append_only'],
  others: [],
  randomColumns: ['public.payment.signature'],
};
let primary: TestCluster;
let known: Baseline;

beforeAll(async () => {
  primary = await makeCluster({ settings: ['track_commit_timestamp = on'] });
  known = await primary.admin(async (client) => {
    await client.query(`
      alter table payment add signature bytea, add memo text;
      create function refuse() returns trigger language plpgsql as $$${REFUSE}$$;
      create trigger append_only before update or delete on payment for each row execute function refuse()`);
    await client.query(
      `insert into payment (signature, memo)
       select sha256(convert_to(n::text, 'UTF8')), 'invoice ' || n || ' of the customer in the north, paid in time'
         from generate_series(1, 1500) as n`,
    );
    const { rows } = await client.query<{ sha256: string }>(
      "select encode(sha256(convert_to(prosrc, 'UTF8')), 'hex') as sha256 from pg_proc where proname = 'refuse'",
    );
    return {
      ...baseline,
      functions: [{ name: 'public.refuse()', ...(rows[0] ? { sha256: rows[0].sha256 } : {}) }],
    };
  });
});
afterAll(() => primary?.remove());

const look = (against: Baseline = known) =>
  lookForIntrusion({ at, damaged: primary.at, from: primary.at, backup, baseline: against, tables: [] });

const whatsOf = async (against?: Baseline) => (await look(against)).signs.map(({ what }) => what);

/** Does what an intruder does, looks, and takes it back. */
async function during(act: string, undo: string, see: () => Promise<void>): Promise<void> {
  await primary.admin((client) => client.query(act));
  try {
    await see();
  } finally {
    await primary.admin((client) => client.query(undo));
  }
}

test('nothing beyond the baseline: no sign, and a copy of it is clean', async () => {
  const found = await look();
  expect(found).toMatchObject({ ...(await generationOf(primary)), signs: [], earliest: null });
  expect(found.summary).toBe('no sign of an intruder: nothing beyond the baseline');
  const { checks } = await verifyClean({ at, target: primary.at, baseline: known, tables: [] });
  expect(checks).toMatchObject([{ rung: 7, passed: true }]);
});

test('a role is found, dated to its making, and fails a copy', async () => {
  const { rows } = await primary.admin((client) =>
    client.query<{ now: Date }>('select clock_timestamp() as now'),
  );
  await during('create role mallory login superuser', 'drop role mallory', async () => {
    const { signs, earliest, time } = await look();
    expect(signs).toMatchObject([{ kind: 'role', what: 'role mallory (superuser, may log in)' }]);
    expect(earliest).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z$/);
    expect(time).toBe(earliest);
    const late = Date.parse(earliest ?? '') - (rows[0]?.now.getTime() ?? 0);
    expect(late).toBeGreaterThanOrEqual(-1);
    expect(late).toBeLessThan(5_000);
    await expect(verifyClean({ at, target: primary.at, baseline: known, tables: [] })).rejects.toMatchObject({
      code: 'VerificationFailed',
      message: expect.stringContaining('role mallory'),
    });
  });
});

test.each([
  ['alter role app superuser', 'alter role app nosuperuser', 'role app has become a superuser'],
  ['grant muster to app', 'revoke muster from app', 'role app is a member of muster'],
  [
    'grant pg_execute_server_program to app',
    'revoke pg_execute_server_program from app',
    'role app is a member of pg_execute_server_program',
  ],
  [
    'create function door() returns void language sql security definer as $$ select $$',
    'drop function door()',
    'function public.door() (sql, with the rights of its owner)',
  ],
  [
    'create or replace function refuse() returns trigger language plpgsql as $$ begin return new; end $$',
    `create or replace function refuse() returns trigger language plpgsql as $$${REFUSE}$$`,
    'function public.refuse() has another body',
  ],
  [
    'create trigger copy after insert on payment for each row execute function refuse()',
    'drop trigger copy on payment',
    'trigger public.payment.copy',
  ],
  [
    'alter table payment disable trigger append_only',
    'alter table payment enable trigger append_only',
    'trigger public.payment.append_only is switched off',
  ],
  ['create extension dblink', 'drop extension dblink', 'extension dblink'],
  ['create schema loot; create table loot.note (note text)', 'drop schema loot cascade', 'table loot.note'],
  ['create publication leak for all tables', 'drop publication leak', 'publication leak'],
])('%s', async (act, undo, what) => {
  await during(act, undo, async () => expect(await whatsOf()).toEqual([what]));
});

test('content that became chance is found, dated, and named by its column only', async () => {
  await primary.admin(async (client) => {
    await client.query('alter table payment disable trigger user');
    await client.query(
      `update payment set memo = e.memo from unnest($1::text[]) with ordinality as e (memo, n),
         (select id, row_number() over () as n from payment limit 300) as p where p.n = e.n and payment.id = p.id`,
      [Array.from({ length: 300 }, () => randomBytes(30).toString('base64'))],
    );
    await client.query('alter table payment enable trigger user');
  });
  const { signs } = await look();
  expect(signs).toMatchObject([
    { kind: 'content', what: expect.stringMatching(/^public\.payment\.memo: \d+ of \d+ values .*base64/) },
  ]);
  expect(signs[0]?.seenAt).not.toBeNull();
  const whats = await whatsOf({ ...known, randomColumns: [] });
  expect(whats.some((what) => what.startsWith('public.payment.signature'))).toBe(true);
});

test('chance is told from what people and programs write', () => {
  const base64 = { leastBytes: 240, leastEntropy: 5 };
  const chance = Array.from({ length: 40 }, () => ({ value: randomBytes(33).toString('base64') }));
  expect(looksLikeChance(base64, chance)).toBe(true);
  const names = Array.from({ length: 40 }, (_, n) => ({ value: `CustomerOfTheNorth${n}BranchOffice` }));
  expect(looksLikeChance(base64, names)).toBe(false);
  const bytes = { leastBytes: 2_048, leastEntropy: 7 };
  expect(
    looksLikeChance(
      bytes,
      Array.from({ length: 90 }, () => ({ value: randomBytes(64) })),
    ),
  ).toBe(true);
  const once = { value: deflateRawSync(Buffer.alloc(100_000, 'abc')) };
  expect(looksLikeChance(bytes, [once, once, once, once, once, once])).toBe(false);
});

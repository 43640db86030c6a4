/** Payymo's rules as its runbook states them, asked of a real ledger that was damaged in one way at a time. */
import type pg from 'pg';
import { seedLedger } from '../../lab/payymo/seed.js';
import { loadRunbook } from '../../src/runbook/load.js';
import type { Invariant } from '../../src/runbook/schema.js';
import { startPostgres, type TestServer } from '../support/postgres.js';

const key = Buffer.alloc(32, 7);
const transactions = 1_000;

let server: TestServer;
let client: pg.Client;
let invariants: readonly Invariant[];

beforeAll(async () => {
  server = await startPostgres();
  const admin = await server.connect();
  await admin.query('create role ledger_owner nologin; create role ledger_app login');
  await admin.query('create database ledger');
  await admin.end();
  client = await server.connect('ledger');
  await seedLedger(client, { transactions, sizeBytes: 0 }, key, Date.UTC(2026, 0, 1) * 1_000);
  invariants = (await loadRunbook('runbooks/payymo.yaml')).runbook.verification.invariants;
});
afterAll(async () => {
  await client?.end();
  server?.remove();
});

/** Rows that break each rule after the change, which is taken back; rules that hold are left out. */
async function brokenBy(...changes: readonly string[]): Promise<Record<string, number>> {
  await client.query('begin');
  try {
    for (const change of changes) await client.query(change);
    const broken: Record<string, number> = {};
    for (const { name, sql, parameters } of invariants) {
      const values = parameters.map(() => key.toString('hex'));
      const { rowCount } = await client.query(sql, values);
      if (rowCount !== 0) broken[name] = rowCount ?? -1;
    }
    return broken;
  } finally {
    await client.query('rollback');
  }
}

const off = 'alter table ledger.transactions disable trigger append_only';
const on = 'alter table ledger.transactions enable trigger append_only';
const foreignKeysOff = [
  'alter table ledger.transactions disable trigger all',
  'alter table ledger.accounts disable trigger all',
  'alter table ledger.users disable trigger all',
];
const foreignKeysOn = foreignKeysOff.map((statement) => statement.replace('disable', 'enable'));

test('a sound ledger breaks none', async () => {
  expect(invariants.map(({ name }) => name)).toEqual([
    'signatures',
    'chain',
    'sequence-gaps',
    'balances',
    'foreign-keys',
    'append-only',
    'sequences',
  ]);
  expect(await brokenBy()).toEqual({});
});

test('the ledger itself refuses a change while its trigger is on', async () => {
  await expect(brokenBy('delete from ledger.transactions where seq = 1')).rejects.toThrow('append-only');
});

test('rewritten amounts: each row, and the balances that they moved', async () => {
  const broken = await brokenBy(
    off,
    'update ledger.transactions set amount_cents = amount_cents * 2 where seq in (10, 20)',
    on,
  );
  expect(broken).toEqual({ signatures: 2, balances: expect.any(Number) });
  expect(broken.balances).toBeGreaterThanOrEqual(2);
});

test('a note of a payment rewritten, a time moved by a microsecond', async () => {
  expect(await brokenBy(off, "update ledger.transactions set memo = memo || '.' where seq = 10", on)).toEqual(
    { signatures: 1 },
  );
  expect(
    await brokenBy(
      off,
      "update ledger.transactions set at = at + interval '1 microsecond' where seq = 10",
      on,
    ),
  ).toEqual({ signatures: 1 });
});

test('deleted rows: each missing number, and the break in the chain', async () => {
  expect(
    await brokenBy(off, 'delete from ledger.transactions where seq between 100 and 104', on),
  ).toMatchObject({
    'sequence-gaps': 5,
    chain: 1,
    balances: expect.any(Number),
  });
  expect(await brokenBy(off, 'delete from ledger.transactions where seq = 1', on)).toMatchObject({
    'sequence-gaps': 1,
    chain: 1,
  });
});

test('a row removed at the very end shows in the balances of both accounts', async () => {
  expect(await brokenBy(off, `delete from ledger.transactions where seq = ${transactions}`, on)).toEqual({
    balances: 2,
  });
});

test('a row that somebody with the key has signed anew breaks the chain behind it', async () => {
  const resign = `update ledger.transactions set memo = 'other', signature = hmac(
    previous_signature || int8send(seq) || uuid_send(id) || int8send(from_account) || int8send(to_account)
      || int8send(amount_cents) || timestamptz_send(at) || 'EUR'::bytea || 'other'::bytea,
    decode('${key.toString('hex')}', 'hex'), 'sha256') where seq = 500`;
  expect(await brokenBy(off, resign, on)).toEqual({ chain: 1 });
});

test('a balance rewritten', async () => {
  expect(await brokenBy('update ledger.accounts set balance_cents = balance_cents + 1 where id = 7')).toEqual(
    {
      balances: 1,
    },
  );
});

test('an account without its user, transactions without their account', async () => {
  expect(
    await brokenBy(...foreignKeysOff, 'delete from ledger.users where id = 3', ...foreignKeysOn),
  ).toEqual({
    'foreign-keys': 1,
  });
  const orphaned = await brokenBy(
    ...foreignKeysOff,
    'delete from ledger.accounts where id = 3',
    ...foreignKeysOn,
  );
  expect(orphaned).toEqual({ 'foreign-keys': expect.any(Number) });
  expect(orphaned['foreign-keys']).toBeGreaterThan(1);
});

test('the append-only rule switched off, taken away, weakened or emptied', async () => {
  expect(await brokenBy(off)).toEqual({ 'append-only': 1 });
  expect(await brokenBy('drop trigger append_only on ledger.transactions')).toEqual({ 'append-only': 1 });
  const weaker =
    'create trigger append_only before update on ledger.transactions for each statement execute function ledger.refuse_change()';
  expect(await brokenBy('drop trigger append_only on ledger.transactions', weaker)).toEqual({
    'append-only': 1,
  });
  const emptied =
    'create or replace function ledger.refuse_change() returns trigger language plpgsql as $$ begin return null; end $$';
  expect(await brokenBy(emptied)).toEqual({ 'append-only': 1 });
});

test('a sequence behind the highest number in use', async () => {
  expect(await brokenBy("select setval('ledger.analytics_id_seq', 3)")).toEqual({ sequences: 1 });
  // No rollback takes a sequence back.
  await client.query("select setval('ledger.analytics_id_seq', (select max(id) from ledger.analytics))");
  expect(await brokenBy()).toEqual({});
});

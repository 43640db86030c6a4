import type pg from 'pg';
import type { FollowingDatabase } from '../service/database.js';
import { GENESIS, isoFromMicros, signTransaction } from './signature.js';

/** What a client asks for. `id` is chosen by the client and makes asking twice harmless. */
export interface PaymentRequest {
  readonly id: string;
  readonly from: number;
  readonly to: number;
  readonly amountCents: number;
  readonly currency: string;
  readonly memo: string;
}

/** A payment as the ledger holds it. */
export interface Payment extends PaymentRequest {
  readonly sequence: number;
  /** ISO 8601 UTC, microseconds. */
  readonly at: string;
  /** Hexadecimal. */
  readonly signature: string;
}

/** The payment cannot be made whatever the state of the system. */
export class PaymentRefused extends Error {
  constructor(
    readonly status: 404 | 409 | 422,
    message: string,
  ) {
    super(message);
  }
}

/** All payments go one after the other: each signs the one before it. */
const CHAIN_LOCK = 0x70617979;

interface Row {
  seq: string;
  id: string;
  from_account: string;
  to_account: string;
  amount_cents: string;
  currency: string;
  micros: string;
  memo: string;
  signature: Buffer;
}

const COLUMNS = `seq, id, from_account, to_account, amount_cents, currency, memo, signature,
  (extract(epoch from at) * 1000000)::bigint as micros`;

/**
 * Makes a payment, once, and returns when it is committed.
 *
 * @returns the payment, and whether this call made it or an earlier one had
 * @throws PaymentRefused when an account is missing or short of money, or the id belongs to another payment
 */
export async function pay(
  database: FollowingDatabase,
  key: Buffer,
  request: PaymentRequest,
): Promise<{ payment: Payment; made: 'now' | 'before' }> {
  return database.use(async (client) => {
    await client.query('begin');
    await client.query('select pg_advisory_xact_lock($1)', [CHAIN_LOCK]);
    const earlier = await find(client, request.id);
    if (earlier) {
      await client.query('rollback');
      if (!same(earlier, request)) throw new PaymentRefused(409, `payment ${request.id} is another payment`);
      return { payment: earlier, made: 'before' };
    }
    const head = await client.query<{ seq: string; signature: Buffer; micros: string }>(
      `select coalesce(max(seq), 0) as seq, (extract(epoch from clock_timestamp()) * 1000000)::bigint as micros,
         (select signature from ledger.transactions order by seq desc limit 1) as signature
       from ledger.transactions`,
    );
    const last = head.rows[0];
    const atMicros = Number(last?.micros);
    const seq = Number(last?.seq) + 1;
    await move(client, request, isoFromMicros(atMicros));
    const payment = await append(client, key, last?.signature ?? GENESIS, { ...request, seq, atMicros });
    await client.query('commit');
    return { payment, made: 'now' };
  });
}

/** A payment by its id; undefined when there is none. */
export function findPayment(database: FollowingDatabase, id: string): Promise<Payment | undefined> {
  return database.use((client) => find(client, id));
}

/** The balance of an account; undefined when there is none. */
export async function findBalance(
  database: FollowingDatabase,
  account: number,
): Promise<{ account: number; currency: string; balanceCents: number; updatedAt: string } | undefined> {
  const { rows } = await database.use((client) =>
    client.query<{ currency: string; balance_cents: string; updated_at: Date }>(
      'select currency, balance_cents, updated_at from ledger.accounts where id = $1',
      [account],
    ),
  );
  const row = rows[0];
  if (!row) return undefined;
  const { currency, balance_cents, updated_at } = row;
  return { account, currency, balanceCents: Number(balance_cents), updatedAt: updated_at.toISOString() };
}

/** What the database says of itself. */
export async function pulse(
  database: FollowingDatabase,
): Promise<{ lastSequence: number; takesWrites: boolean }> {
  const { rows } = await database.use((client) =>
    client.query<{ seq: string; refuses: boolean }>(
      `select (select coalesce(max(seq), 0) from ledger.transactions) as seq,
         pg_is_in_recovery() or current_setting('transaction_read_only') = 'on' as refuses`,
    ),
  );
  return { lastSequence: Number(rows[0]?.seq ?? 0), takesWrites: rows[0]?.refuses === false };
}

async function find(client: pg.PoolClient, id: string): Promise<Payment | undefined> {
  const { rows } = await client.query<Row>(`select ${COLUMNS} from ledger.transactions where id = $1`, [id]);
  const row = rows[0];
  if (!row) return undefined;
  return {
    id: row.id,
    sequence: Number(row.seq),
    from: Number(row.from_account),
    to: Number(row.to_account),
    amountCents: Number(row.amount_cents),
    currency: row.currency,
    memo: row.memo,
    at: isoFromMicros(Number(row.micros)),
    signature: row.signature.toString('hex'),
  };
}

async function move(client: pg.PoolClient, request: PaymentRequest, at: string): Promise<void> {
  const { from, to, amountCents, currency } = request;
  const taken = await client.query(
    `update ledger.accounts set balance_cents = balance_cents - $2, updated_at = $4
     where id = $1 and currency = $3 and balance_cents >= $2`,
    [from, amountCents, currency, at],
  );
  const given = await client.query(
    `update ledger.accounts set balance_cents = balance_cents + $2, updated_at = $4 where id = $1 and currency = $3`,
    [to, amountCents, currency, at],
  );
  if (taken.rowCount === 1 && given.rowCount === 1) return;
  const { rows } = await client.query<{ id: string; currency: string }>(
    'select id, currency from ledger.accounts where id = any($1::bigint[])',
    [[from, to]],
  );
  if (rows.length < 2) throw new PaymentRefused(404, 'one of the accounts does not exist');
  if (rows.some((row) => row.currency !== currency)) throw new PaymentRefused(422, 'the currencies differ');
  throw new PaymentRefused(422, `account ${from} has less than the amount`);
}

async function append(
  client: pg.PoolClient,
  key: Buffer,
  previous: Buffer,
  request: PaymentRequest & { seq: number; atMicros: number },
): Promise<Payment> {
  const { seq, id, from, to, amountCents, currency, memo, atMicros } = request;
  const at = isoFromMicros(atMicros);
  const signature = signTransaction(key, previous, {
    ...{ seq, id, fromAccount: from, toAccount: to, amountCents, currency, atMicros, memo },
  });
  await client.query(
    `insert into ledger.transactions
       (seq, id, from_account, to_account, amount_cents, currency, at, memo, previous_signature, signature)
     values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)`,
    [seq, id, from, to, amountCents, currency, at, memo, previous, signature],
  );
  await client.query(
    `insert into ledger.analytics (at, kind, account_id, payload) values ($1, 'payment', $2, $3)`,
    [at, from, JSON.stringify({ sequence: seq, amountCents })],
  );
  return {
    id,
    from,
    to,
    amountCents,
    currency,
    memo,
    sequence: seq,
    at,
    signature: signature.toString('hex'),
  };
}

function same(payment: Payment, request: PaymentRequest): boolean {
  const keys = ['from', 'to', 'amountCents', 'currency', 'memo'] as const;
  return keys.every((key) => payment[key] === request[key]);
}

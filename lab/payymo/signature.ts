/**
 * The signature of a transaction: HMAC-SHA256 over the bytes below, in this order, integers big-endian.
 *
 *   previous_signature  32 bytes (zeros before the first transaction)
 *   seq                  8 bytes
 *   id                  16 bytes
 *   from_account         8 bytes
 *   to_account           8 bytes
 *   amount_cents         8 bytes
 *   at                   8 bytes, microseconds since 2000-01-01T00:00:00Z
 *   currency             3 bytes, ASCII
 *   memo                the rest, UTF-8
 *
 * Everything of variable length stands last, so no two transactions have the same bytes; and these are the very bytes that
 * PostgreSQL's own `..._send` functions give, so no setting of a session (time zone, date style) changes them.
 */
import { createHmac } from 'node:crypto';

/** What is signed of a transaction. */
export interface Signed {
  readonly seq: number;
  /** UUID in its usual notation. */
  readonly id: string;
  readonly fromAccount: number;
  readonly toAccount: number;
  readonly amountCents: number;
  readonly currency: string;
  /** Microseconds since 1970-01-01T00:00:00Z. */
  readonly atMicros: number;
  readonly memo: string;
}

/** What the first transaction names as the signature before it. */
export const GENESIS = Buffer.alloc(32);

const FIXED_BYTES = 32 + 8 + 16 + 8 + 8 + 8 + 8;
const EPOCH_2000_MICROS = 946_684_800_000_000;

/** Signs a transaction that follows the one with signature `previous`. */
export function signTransaction(key: Buffer, previous: Buffer, signed: Signed): Buffer {
  const fixed = Buffer.allocUnsafe(FIXED_BYTES);
  previous.copy(fixed, 0);
  fixed.writeBigInt64BE(BigInt(signed.seq), 32);
  fixed.write(signed.id.replaceAll('-', ''), 40, 'hex');
  fixed.writeBigInt64BE(BigInt(signed.fromAccount), 56);
  fixed.writeBigInt64BE(BigInt(signed.toAccount), 64);
  fixed.writeBigInt64BE(BigInt(signed.amountCents), 72);
  fixed.writeBigInt64BE(BigInt(signed.atMicros - EPOCH_2000_MICROS), 80);
  return createHmac('sha256', key).update(fixed).update(signed.currency).update(signed.memo).digest();
}

/** Time in microseconds since 1970 as PostgreSQL and people read it: ISO 8601 in UTC with six digits. */
export function isoFromMicros(micros: number): string {
  const millis = Math.floor(micros / 1_000);
  const rest = String(micros - millis * 1_000).padStart(3, '0');
  return new Date(millis).toISOString().replace('Z', `${rest}Z`);
}

/** The signed bytes of a row of `ledger.transactions` as an SQL expression. */
export const SIGNED_BYTES_SQL = `previous_signature || int8send(seq) || uuid_send(id) || int8send(from_account)
  || int8send(to_account) || int8send(amount_cents) || timestamptz_send(at)
  || convert_to(currency, 'UTF8') || convert_to(memo, 'UTF8')`;

/**
 * Rows that break the chain of signatures: `seq`, `reason`. One pass over the table in order of `seq`; $1 is the key in
 * hexadecimal. A gap, a changed row, a removed row and a row signed by somebody else all show; rows removed at the very end
 * do not, the balances tell them.
 */
export const BROKEN_CHAIN_SQL = `with chain as (
  select seq, signature, previous_signature, at,
    lag(seq, 1, 0::bigint) over (order by seq) as seq_before,
    lag(signature, 1, decode(repeat('00', 32), 'hex')) over (order by seq) as signature_before,
    hmac(${SIGNED_BYTES_SQL}, decode($1, 'hex'), 'sha256') as expected
  from ledger.transactions
)
select seq,
  case
    when seq <> seq_before + 1 then 'a transaction before it is missing'
    when previous_signature <> signature_before then 'it does not follow the transaction before it'
    else 'its content is not what was signed'
  end as reason
from chain
where seq <> seq_before + 1 or previous_signature <> signature_before or signature <> expected
order by seq`;

/** Accounts whose balance is not their opening balance plus what came in less what went out. */
export const WRONG_BALANCES_SQL = `with moved as (
  select account_id, sum(cents) as cents from (
    select to_account as account_id, sum(amount_cents) as cents from ledger.transactions group by to_account
    union all
    select from_account, -sum(amount_cents) from ledger.transactions group by from_account
  ) sides group by account_id
)
select id, balance_cents, opening_cents + coalesce(moved.cents, 0) as expected_cents
from ledger.accounts left join moved on moved.account_id = accounts.id
where balance_cents <> opening_cents + coalesce(moved.cents, 0)
order by id`;

import { createCipheriv } from 'node:crypto';
import { GENESIS, isoFromMicros, signTransaction } from './signature.js';

/** Changes whenever the generated data does; part of the key of the kept seed. */
export const GENERATOR_VERSION = 3;

/** How much is generated. */
export interface SeedSize {
  /** Signed transactions. */
  readonly transactions: number;
  /** Size that the database shall have, filled up with analytics events; 0: as large as the ledger itself makes it. */
  readonly sizeBytes: number;
  /** Statements in the object store; 300 when left out. */
  readonly files?: number;
}

/** How many statements there are. */
export function filesOf({ files = 300 }: SeedSize): number {
  return files;
}

/** What the generator hands on from the transactions to the accounts. */
export interface Movements {
  readonly accounts: number;
  /** Net movement in cents, by account (index 0 is account 1). */
  readonly netCents: number[];
}

export const CURRENCY = 'EUR';
export const OPENING_CENTS = 50_000_000;
const DAY_MICROS = 86_400_000_000;
const SPAN_MICROS = 90 * DAY_MICROS;
/** Five such rows fill a page. */
const PAYLOAD_BYTES = 1_550;
/** Bytes that a row of that payload takes in its table and indexes. */
const EVENT_ROW_BYTES = 1_685;
const MEMOS = ['invoice', 'salary', 'rent', 'refund', 'subscription', 'card settlement', 'transfer', 'fee'];

/** Number of accounts for a number of transactions. */
export function accountsFor(transactions: number): number {
  return Math.max(20, Math.min(2_000, Math.floor(transactions / 50)));
}

/** Transactions as lines of COPY's text format, oldest first, the last one just before `endMicros`. */
export function* transactionLines(
  size: SeedSize,
  key: Buffer,
  endMicros: number,
  movements: Movements,
): Generator<string> {
  const random = randomStream('transactions');
  const stepMicros = Math.floor(SPAN_MICROS / size.transactions);
  let previous: Buffer = GENESIS;
  for (let seq = 1; seq <= size.transactions; seq++) {
    const bytes = random(28);
    const from = (bytes.readUInt32BE(16) % movements.accounts) + 1;
    const other = (bytes.readUInt32BE(20) % (movements.accounts - 1)) + 1;
    const to = other >= from ? other + 1 : other;
    const amountCents = 100 + (bytes.readUInt16BE(24) % 50_000);
    const memo = `${MEMOS[bytes.readUInt8(26) % MEMOS.length]} ${bytes.readUInt16BE(26)}`;
    const jitter = bytes.readUInt32BE(16) % Math.max(1, stepMicros - 1);
    const atMicros = endMicros - (size.transactions - seq + 1) * stepMicros + jitter;
    const id = uuidOf(bytes);
    const content = {
      seq,
      id,
      fromAccount: from,
      toAccount: to,
      amountCents,
      currency: CURRENCY,
      atMicros,
      memo,
    };
    const signature = signTransaction(key, previous, content);
    add(movements.netCents, from, -amountCents);
    add(movements.netCents, to, amountCents);
    yield `${seq}\t${id}\t${from}\t${to}\t${amountCents}\t${CURRENCY}\t${isoFromMicros(atMicros)}\t${memo}\t\\\\x${previous.toString('hex')}\t\\\\x${signature.toString('hex')}\n`;
    previous = signature;
  }
}

/** Users, one an account. */
export function* userLines(accounts: number, startIso: string): Generator<string> {
  for (let id = 1; id <= accounts; id++) {
    yield `${id}\tuser${id}@example.com\tUser ${id}\t${startIso}\t${startIso}\n`;
  }
}

/** Accounts with the balance that the transactions leave them. */
export function* accountLines(movements: Movements, startIso: string, endIso: string): Generator<string> {
  for (let id = 1; id <= movements.accounts; id++) {
    const balance = OPENING_CENTS + (movements.netCents[id - 1] ?? 0);
    yield `${id}\t${id}\tUser ${id}\t${CURRENCY}\t${OPENING_CENTS}\t${balance}\t${startIso}\t${endIso}\n`;
  }
}

/** A version of the configuration for every day of the last month. */
export function* configurationLines(endMicros: number): Generator<string> {
  for (let version = 1; version <= 30; version++) {
    const settings = { paymentLimitCents: 5_000_000 + version, settlement: 'T+1', version };
    const at = isoFromMicros(endMicros - (31 - version) * DAY_MICROS);
    yield `${version}\tplatform\t${at}\t${JSON.stringify(settings)}\n`;
  }
}

/** Analytics events with payloads that compress to about half, until the database has the size asked for. */
export function* eventLines(bytesToFill: number, accounts: number, endMicros: number): Generator<string> {
  const rows = Math.max(1_000, Math.floor(bytesToFill / EVENT_ROW_BYTES));
  const random = randomStream('events');
  const stepMicros = Math.floor(SPAN_MICROS / rows);
  for (let id = 1; id <= rows; id++) {
    const at = isoFromMicros(endMicros - (rows - id + 1) * stepMicros);
    yield `${id}\t${at}\tpage\t${(id % accounts) + 1}\t${random(PAYLOAD_BYTES / 2).toString('hex')}\n`;
  }
}

/** Where the generated history begins. */
export function startOf(endMicros: number): number {
  return endMicros - SPAN_MICROS;
}

function add(list: number[], account: number, cents: number): void {
  list[account - 1] = (list[account - 1] ?? 0) + cents;
}

function uuidOf(bytes: Buffer): string {
  const hex = bytes.toString('hex', 0, 16);
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-4${hex.slice(13, 16)}-a${hex.slice(17, 20)}-${hex.slice(20)}`;
}

/** The same bytes on every machine: AES-CTR over zeros, taken in portions. */
function randomStream(name: string): (count: number) => Buffer {
  const cipher = createCipheriv('aes-128-ctr', Buffer.from(name.padEnd(16).slice(0, 16)), Buffer.alloc(16));
  const zeros = Buffer.alloc(64 * 1_024);
  let block = cipher.update(zeros);
  let used = 0;
  return (count) => {
    if (used + count > block.length) {
      block = cipher.update(zeros);
      used = 0;
    }
    used += count;
    return block.subarray(used - count, used);
  };
}

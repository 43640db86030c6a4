import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import pg from 'pg';
import { from as copyFrom } from 'pg-copy-streams';
import type { Secrets } from '../secrets.js';
import {
  accountLines,
  accountsFor,
  configurationLines,
  eventLines,
  type Movements,
  type SeedSize,
  startOf,
  transactionLines,
  userLines,
} from './generate.js';
import { DATABASE, EXTENSIONS_SQL, ROLES, RULES_SQL, TABLES_SQL } from './schema.js';
import { isoFromMicros } from './signature.js';
import { statementLines } from './statements.js';

/** Bytes of text handed to COPY at once. */
const CHUNK_CHARACTERS = 128 * 1_024;

/** Makes the logins of the ledger and its empty database. `client` is the superuser in database postgres. */
export async function makeDatabase(client: pg.Client, secrets: Secrets): Promise<void> {
  const password = (value: string) => `password ${pg.escapeLiteral(value)}`;
  await client.query(`
    create role ${ROLES.owner} nologin;
    create role ${ROLES.admin} login superuser ${password(secrets['ledger-admin-password'])};
    create role ${ROLES.app} login ${password(secrets['ledger-app-password'])};
    create role ${ROLES.deploy} login in role ${ROLES.owner} ${password(secrets['ledger-deploy-password'])};
  `);
  await client.query(`create database ${DATABASE}`);
}

/**
 * Fills the empty ledger. Data is generated while it is loaded, so nothing is ever whole in memory.
 *
 * @param client superuser in the ledger's database
 * @param endMicros the moment the generated history ends, microseconds since 1970
 */
export async function seedLedger(
  client: pg.Client,
  size: SeedSize,
  signingKey: Buffer,
  endMicros: number,
): Promise<void> {
  const movements: Movements = { accounts: accountsFor(size.transactions), netCents: [] };
  const startIso = isoFromMicros(startOf(endMicros));
  const endIso = isoFromMicros(endMicros);
  await client.query(EXTENSIONS_SQL);
  await client.query('begin');
  await client.query(TABLES_SQL);
  await copy(client, 'transactions', transactionLines(size, signingKey, endMicros, movements));
  await copy(client, 'users', userLines(movements.accounts, startIso));
  await copy(client, 'accounts', accountLines(movements, startIso, endIso));
  await copy(client, 'configuration', configurationLines(endMicros));
  const { rows } = await client.query<{ bytes: string }>(
    'select pg_database_size(current_database()) as bytes',
  );
  // The keys of the transactions, made below, take about as much as their table.
  const ledgerBytes = Number(rows[0]?.bytes) + size.transactions * 140;
  await copy(client, 'analytics', eventLines(size.sizeBytes - ledgerBytes, movements.accounts, endMicros));
  await copy(client, 'statements', statementLines(size, movements.accounts, endIso));
  await client.query(`
    insert into ledger.analytics_daily
      select (at at time zone 'UTC')::date, count(*), sum(amount_cents), ${pg.escapeLiteral(endIso)}
      from ledger.transactions group by 1`);
  await client.query(`
    select setval(pg_get_serial_sequence('ledger.analytics', 'id'), (select max(id) from ledger.analytics))`);
  await client.query(RULES_SQL);
  await client.query('commit');
  await client.query('vacuum (analyze)');
}

async function copy(client: pg.Client, table: string, lines: Iterable<string>): Promise<void> {
  await pipeline(Readable.from(chunks(lines)), client.query(copyFrom(`copy ledger.${table} from stdin`)));
}

function* chunks(lines: Iterable<string>): Generator<Buffer> {
  let parts: string[] = [];
  let length = 0;
  for (const line of lines) {
    parts.push(line);
    length += line.length;
    if (length < CHUNK_CHARACTERS) continue;
    yield Buffer.from(parts.join(''));
    parts = [];
    length = 0;
  }
  yield Buffer.from(parts.join(''));
}

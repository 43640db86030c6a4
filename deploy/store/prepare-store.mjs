/**
 * node deploy/store/prepare-store.mjs: makes the role that workers record with, and brings the store's schema up to date.
 *
 * STORE_OWNER_URL (without password), STORE_OWNER_PASSWORD_FILE, STORE_AUTHORITY_FILE (certificate that the server is checked
 * against; without it no TLS is used, which is refused for any but this machine), STORE_RECORDER, STORE_RECORDER_PASSWORD_FILE
 */

import { readFileSync } from 'node:fs';
import process from 'node:process';
import pg from 'pg';
import { migrateStore } from '../../dist/src/store/migrate.js';

/** @param {string} name */
function setting(name) {
  const value = process.env[name];
  if (!value) throw new Error(`${name} is not set.`);
  return value;
}

/** @param {string} name */
function fileNamedBy(name) {
  return readFileSync(setting(name), 'utf8').trim();
}

const url = new URL(setting('STORE_OWNER_URL'));
const authority = process.env.STORE_AUTHORITY_FILE;
if (!authority && !['127.0.0.1', 'localhost', '[::1]'].includes(url.hostname)) {
  throw new Error('STORE_AUTHORITY_FILE is not set, and the store is not on this machine.');
}
const client = new pg.Client({
  host: url.hostname,
  port: Number(url.port || 5432),
  user: decodeURIComponent(url.username),
  database: decodeURIComponent(url.pathname.slice(1)),
  password: fileNamedBy('STORE_OWNER_PASSWORD_FILE'),
  ssl: authority ? { ca: readFileSync(authority, 'utf8') } : false,
  connectionTimeoutMillis: 10_000,
  statement_timeout: 60_000,
});
await client.connect();
try {
  const recorder = setting('STORE_RECORDER');
  const role = pg.escapeIdentifier(recorder);
  const password = pg.escapeLiteral(fileNamedBy('STORE_RECORDER_PASSWORD_FILE'));
  const { rowCount } = await client.query('select from pg_roles where rolname = $1', [recorder]);
  // The password in the file is the one that counts, at every start.
  await client.query(`${rowCount === 0 ? 'create' : 'alter'} role ${role} login password ${password}`);
  const applied = await migrateStore(client, recorder);
  process.stdout.write(`store: ${applied.length === 0 ? 'up to date' : `applied ${applied.join(', ')}`}\n`);
} finally {
  await client.end();
}

/** Where Muster's own PostgreSQL is. Never a protected system's server: restoring a database must not rewind its own record. */
import { readFileSync } from 'node:fs';
import type { ClientConfig } from 'pg';
import { InputError } from '../errors.js';
import type { Login } from '../postgres.js';
import { resolveSecret } from '../secrets.js';

export interface StoreSettings extends Login {
  /** `verify-full`: the server must prove its name; `disable`: no TLS. */
  readonly tls: 'verify-full' | 'disable';
  /** File with the certificates that are trusted; the system's when left out. */
  readonly tlsRootCertificate?: string;
}

/**
 * Reads `MUSTER_STORE_URL` (`postgres://user@host:port/database`, with `?sslmode=disable|verify-full` and
 * `&sslrootcert=/file`) and `MUSTER_STORE_PASSWORD` (a reference, `env:NAME` or `file:/path`). TLS is demanded by itself
 * wherever the server is not on loopback.
 *
 * @returns undefined where no store is configured
 * @throws InputError naming the variable; a password inside the URL is refused and never repeated
 */
export function storeSettings(env: NodeJS.ProcessEnv = process.env): StoreSettings | undefined {
  const given = env.MUSTER_STORE_URL;
  if (given === undefined || given === '') return undefined;
  const url = parse(given);
  const sslmode = url.searchParams.get('sslmode') ?? (isLoopback(url.hostname) ? 'disable' : 'verify-full');
  if (sslmode !== 'disable' && sslmode !== 'verify-full') {
    throw bad('MUSTER_STORE_URL', `sslmode=${sslmode}`, 'sslmode=verify-full or sslmode=disable');
  }
  const reference = env.MUSTER_STORE_PASSWORD;
  if (reference === undefined || !/^(env:[A-Za-z_]\w*|file:\/.+)$/.test(reference)) {
    throw bad(
      'MUSTER_STORE_PASSWORD',
      reference === undefined ? 'nothing' : 'something that is not a reference',
      'env:NAME or file:/absolute/path',
    );
  }
  const root = url.searchParams.get('sslrootcert');
  return {
    host: url.hostname.replace(/^\[|\]$/g, ''),
    port: url.port === '' ? 5432 : Number(url.port),
    database: decodeURIComponent(url.pathname.slice(1)),
    user: decodeURIComponent(url.username),
    password: reference,
    tls: sslmode,
    ...(root === null ? {} : { tlsRootCertificate: root }),
  };
}

/** What a connection is opened with; the password is read each time one is. */
export function connectionOf(settings: StoreSettings): ClientConfig {
  const { host, port, database, user, tls, tlsRootCertificate } = settings;
  const trusted = tlsRootCertificate === undefined ? true : { ca: readFileSync(tlsRootCertificate, 'utf8') };
  return {
    host,
    port,
    database,
    user,
    password: () => resolveSecret(settings.password),
    ssl: tls === 'disable' ? false : trusted,
    application_name: 'muster',
  };
}

function parse(given: string): URL {
  const allowed = 'postgres://user@host:port/database, without a password';
  let url: URL;
  try {
    url = new URL(given);
  } catch {
    throw bad('MUSTER_STORE_URL', 'something that is not a URL', allowed);
  }
  if (url.password !== '') throw bad('MUSTER_STORE_URL', 'a URL with a password in it', allowed);
  const complete = url.username !== '' && url.hostname !== '' && url.pathname.length > 1;
  if (!/^postgres(ql)?:$/.test(url.protocol) || !complete) throw bad('MUSTER_STORE_URL', given, allowed);
  return url;
}

function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '[::1]' || /^127\./.test(host);
}

function bad(field: string, given: string, allowed: string): InputError {
  return new InputError(`${field} does not say where Muster's store is.`, [{ field, given, allowed }]);
}

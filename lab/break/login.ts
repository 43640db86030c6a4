/** How disasters get into a database: with a login of the lab, and by the database's own clock. */
import pg from 'pg';
import { resolveSecret } from '../../src/secrets.js';
import { LabError } from '../errors.js';
import { isoFromMicros } from '../payymo/signature.js';
import type { LoginState } from '../state.js';

export interface Way {
  readonly address: string;
  readonly port: number;
  readonly database: string;
  readonly login: LoginState;
  /** Shown in pg_stat_activity; left out: nothing is. */
  readonly applicationName?: string;
  readonly statementTimeoutMs: number;
}

/**
 * Does the work on a connection, and closes it whatever happens.
 *
 * @param cannot what does not come about when nobody is let in: `The bad change cannot be deployed`
 * @throws LabError when the login is not let in; what `work` throws
 */
export async function loggedIn<T>(
  { address, port, database, login, applicationName, statementTimeoutMs }: Way,
  cannot: string,
  work: (client: pg.Client) => Promise<T>,
): Promise<T> {
  const client = new pg.Client({
    ...{ host: address, port, database, user: login.user },
    password: await resolveSecret(login.password),
    ...(applicationName === undefined ? {} : { application_name: applicationName }),
    connectionTimeoutMillis: 5_000,
    statement_timeout: statementTimeoutMs,
  });
  client.on('error', () => undefined);
  try {
    await client.connect().catch((error: unknown) => {
      throw new LabError(
        `${cannot}: the database at ${address}:${port} does not let ${login.user} in.`,
        'See whether the lab is up (muster lab status) and not in the middle of a recovery.',
        error,
      );
    });
    return await work(client);
  } finally {
    await client.end().catch(() => undefined);
  }
}

/** The database's time, ISO 8601 UTC with microseconds. */
export async function clock(client: pg.Client): Promise<string> {
  const { rows } = await client.query<{ micros: string }>(
    'select (extract(epoch from clock_timestamp()) * 1000000)::bigint as micros',
  );
  return isoFromMicros(Number(rows[0]?.micros));
}

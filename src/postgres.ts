/** Connections to PostgreSQL: short-lived, with deadlines, the password read where it is used. */
import pg from 'pg';
import { messageOf, TransientError } from './errors.js';
import { resolveSecret } from './secrets.js';

export interface Login {
  readonly host: string;
  readonly port: number;
  readonly database: string;
  readonly user: string;
  /** A reference, never the password. */
  readonly password: string;
}

export interface ClientOptions {
  /** Ends any single statement. */
  readonly statementTimeoutMs: number;
  /** Shown in pg_stat_activity. */
  readonly applicationName: string;
  readonly connectTimeoutMs?: number;
  /** Gives up waiting for whatever statement runs. For reading only: whoever changes something has to see its end. */
  readonly signal?: AbortSignal;
}

/**
 * Opens a connection, hands it to `work` and closes it whatever happens.
 *
 * @throws TransientError `DatabaseUnreachable` when no connection comes about; the signal's reason once it is aborted; what
 *   `work` throws otherwise
 */
export async function withClient<T>(
  login: Login,
  options: ClientOptions,
  work: (client: pg.Client) => Promise<T>,
): Promise<T> {
  const client = new pg.Client({
    host: login.host,
    port: login.port,
    database: login.database,
    user: login.user,
    password: await resolveSecret(login.password),
    connectionTimeoutMillis: options.connectTimeoutMs ?? 5_000,
    statement_timeout: options.statementTimeoutMs,
    application_name: options.applicationName,
  });
  // A connection that breaks while idle raises 'error'; the next query fails and says so.
  client.on('error', () => undefined);
  try {
    await client.connect();
  } catch (error) {
    await client.end().catch(() => undefined);
    throw new TransientError(
      'DatabaseUnreachable',
      `PostgreSQL at ${login.host}:${login.port}, database ${login.database}, does not let ${login.user} in: ${messageOf(error)}.`,
      {
        next: 'See whether the server runs and accepts this login; the step tries again by itself for a while.',
        cause: error,
      },
    );
  }
  const { signal } = options;
  // With a statement under way this closes the connection at once.
  const giveUp = () => void client.end().catch(() => undefined);
  signal?.addEventListener('abort', giveUp, { once: true });
  try {
    signal?.throwIfAborted();
    return await work(client);
  } catch (error) {
    signal?.throwIfAborted();
    throw error;
  } finally {
    signal?.removeEventListener('abort', giveUp);
    await client.end().catch(() => undefined);
  }
}

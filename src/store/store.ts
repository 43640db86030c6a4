/** Connections to Muster's own PostgreSQL: few, kept for the life of the process, and never waited on for long. */
import pg from 'pg';
import { MusterError, messageOf, PermanentError, TransientError } from '../errors.js';
import { connectionOf, type StoreSettings } from './settings.js';

export interface Patience {
  readonly connectMs: number;
  readonly statementMs: number;
}

/** For what happens during a recovery: the store never delays one by more than a moment. */
export const RECORDING: Patience = { connectMs: 1_000, statementMs: 2_000 };
/** For people who look something up. */
export const READING: Patience = { connectMs: 3_000, statementMs: 20_000 };

export class Store {
  private readonly pool: pg.Pool;

  constructor(
    readonly settings: StoreSettings,
    patience: Patience,
  ) {
    this.pool = new pg.Pool({
      ...connectionOf(settings),
      max: 4,
      connectionTimeoutMillis: patience.connectMs,
      statement_timeout: patience.statementMs,
      // A server that is frozen cannot time a statement out: the client does.
      query_timeout: patience.statementMs + 500,
      idleTimeoutMillis: 30_000,
      allowExitOnIdle: true,
    });
    // A connection that breaks while idle raises 'error'; the next use opens another.
    this.pool.on('error', ignore);
  }

  /**
   * @throws TransientError `StoreUnreachable` when the store does not answer in time; PermanentError `StoreNotReady` when
   *   it answers but lacks Muster's tables or refuses this login
   */
  async query<Row extends pg.QueryResultRow>(text: string, values: readonly unknown[] = []): Promise<Row[]> {
    try {
      return (await this.pool.query<Row>(text, [...values])).rows;
    } catch (error) {
      throw this.explain(error);
    }
  }

  /** Runs `work` in one transaction on one connection; errors as for `query`. */
  async transaction<T>(work: (client: pg.PoolClient) => Promise<T>): Promise<T> {
    let client: pg.PoolClient | undefined;
    try {
      client = await this.pool.connect();
      // Without a listener a connection that breaks between two statements would end the process.
      client.on('error', ignore);
      await client.query('begin');
      const result = await work(client);
      await client.query('commit');
      client.off('error', ignore);
      client.release();
      return result;
    } catch (error) {
      // Closed rather than rolled back: a connection that timed out may still be inside a statement.
      client?.release(true);
      throw this.explain(error);
    }
  }

  async close(): Promise<void> {
    await this.pool.end();
  }

  private explain(error: unknown): unknown {
    if (error instanceof MusterError) return error;
    const where = `Muster's store at ${this.settings.host}:${this.settings.port}, database ${this.settings.database}`;
    const state = sqlState(error);
    if (state !== undefined && /^(42P01|42501|3F000|28|3D000)/.test(state)) {
      return new PermanentError(
        'StoreNotReady',
        `${where} is not ready for ${this.settings.user}: ${messageOf(error)}.`,
        {
          next: 'Run "muster store migrate" as the owner of the store, naming this login as the one that records.',
          cause: error,
        },
      );
    }
    // Class 08 connection, 53 resources, 57 shutdown or cancelled: no answer from the store itself about the data.
    if (state === undefined || /^(08|53|57)/.test(state)) {
      return new TransientError('StoreUnreachable', `${where} does not answer: ${messageOf(error)}.`, {
        next: 'See whether it runs; what is to be kept waits in the spool meanwhile.',
        cause: error,
      });
    }
    return error;
  }
}

function ignore(): void {}

/** The five characters of PostgreSQL's error code; undefined when the server said nothing. */
function sqlState(error: unknown): string | undefined {
  if (typeof error !== 'object' || error === null || !('code' in error)) return undefined;
  return typeof error.code === 'string' && /^[0-9A-Z]{5}$/.test(error.code) && 'severity' in error
    ? error.code
    : undefined;
}

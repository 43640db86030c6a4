import pg from 'pg';
import type { AddressSource } from './addresses.js';

/** How the application logs in, wherever the database is. */
export interface DatabaseLogin {
  readonly port: number;
  readonly database: string;
  readonly user: string;
  readonly password: string;
  readonly readOnly: boolean;
  /** What its sessions are called. */
  readonly application: string;
}

/** A server that refuses writes, is going down, starts up, or is not there any more: look again where the database is. */
const ELSEWHERE = /^(08|57P|25006|28|3D|53300|55000)/;

/** A few connections that follow the database to wherever its name leads. */
export class FollowingDatabase {
  #pool: { readonly address: string; readonly pool: pg.Pool } | undefined;

  constructor(
    private readonly addresses: AddressSource,
    private readonly login: DatabaseLogin,
  ) {}

  /** Where the connections lead. */
  get address(): string | undefined {
    return this.#pool?.address;
  }

  get port(): number {
    return this.login.port;
  }

  /** Runs `work` on one connection. A connection on which something failed is closed, not used again. */
  async use<T>(work: (client: pg.PoolClient) => Promise<T>): Promise<T> {
    let client: pg.PoolClient | undefined;
    try {
      client = await (await this.#current()).connect();
      const result = await work(client);
      client.release();
      return result;
    } catch (error) {
      client?.release(true);
      const code = (error as { code?: unknown }).code;
      const refusedByRule = typeof code === 'string' && /^[0-9A-Z]{5}$/.test(code) && !ELSEWHERE.test(code);
      if (!refusedByRule) this.addresses.doubt();
      throw error;
    }
  }

  async close(): Promise<void> {
    await this.#pool?.pool.end();
  }

  async #current(): Promise<pg.Pool> {
    const address = await this.addresses.current();
    if (this.#pool?.address === address) return this.#pool.pool;
    const before = this.#pool;
    const { port, database, user, password, readOnly, application } = this.login;
    const pool = new pg.Pool({
      ...{ host: address, port, database, user, password },
      max: 4,
      connectionTimeoutMillis: 2_000,
      statement_timeout: 5_000,
      query_timeout: 6_000,
      idle_in_transaction_session_timeout: 5_000,
      application_name: readOnly ? `${application} (read-only)` : application,
      ...(readOnly ? { options: '-c default_transaction_read_only=on' } : {}),
    });
    // An idle connection that breaks is simply gone; the next one is made where the name then leads.
    pool.on('error', () => undefined);
    // One in use fails its query too; without a listener it would end the application when the fence ends its session.
    pool.on('connect', (client) => client.on('error', () => undefined));
    this.#pool = { address, pool };
    void before?.pool.end().catch(() => undefined);
    return pool;
  }
}

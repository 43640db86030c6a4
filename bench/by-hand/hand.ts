/** What somebody who recovers by hand has at hand: the runbook with its addresses, the secrets, and clients. */
import { join } from 'node:path';
import pg from 'pg';
import type { Corruption } from '../../lab/break/corruption.js';
import type { LabState, SiteState } from '../../lab/state.js';
import { loadRunbook } from '../../src/runbook/load.js';
import type { Application, Bucket, PostgresSite, Route53Record, Runbook } from '../../src/runbook/schema.js';
import { resolveSecret } from '../../src/secrets.js';

export interface Hand {
  readonly state: LabState;
  readonly runbook: Runbook;
  /** The moment before the damage, ISO 8601 with microseconds. */
  readonly before: string;
  readonly old: PostgresSite;
  readonly target: PostgresSite;
  readonly quarantine: string;
  readonly record: Route53Record;
  readonly vault: Bucket;
  readonly application: Application;
  readonly adminPassword: string;
  readonly appPassword: string;
}

export async function takeInHand(state: LabState, damage: Pick<Corruption, 'startedAt'>): Promise<Hand> {
  const { runbook } = await loadRunbook(join(state.runbooks, 'payymo.yaml'));
  const { west, recovery } = runbook.sites;
  const record = runbook.dns.ledger;
  const application = runbook.applications['core-api'];
  if (!west?.postgres || !recovery?.postgres || record?.driver !== 'route53' || !application) {
    throw new TypeError('the runbook of the lab is not the one that this was written for');
  }
  return {
    state,
    runbook,
    before: damage.startedAt,
    old: west.postgres,
    target: recovery.postgres,
    quarantine: west.quarantineDirectory ?? state.ledger.quarantineDir,
    record,
    vault: runbook.vault,
    application,
    adminPassword: await resolveSecret(west.postgres.admin.password),
    appPassword: await resolveSecret(west.postgres.application.password),
  };
}

/** A session of psql, as the administrator unless another login is named. */
export async function psql<T>(
  hand: Hand,
  site: PostgresSite,
  work: (client: pg.Client) => Promise<T>,
  login: { readonly database?: string; readonly as?: 'application' } = {},
): Promise<T> {
  const client = new pg.Client({
    host: site.host,
    port: site.port,
    database: login.database ?? site.database,
    user: login.as === 'application' ? site.application.user : site.admin.user,
    password: login.as === 'application' ? hand.appPassword : hand.adminPassword,
    connectionTimeoutMillis: 5_000,
  });
  client.on('error', () => undefined);
  try {
    await client.connect();
    return await work(client);
  } finally {
    await client.end().catch(() => undefined);
  }
}

/** One statement, one answer: the first row. */
export async function ask<Row extends pg.QueryResultRow>(
  client: pg.Client,
  sql: string,
  values: readonly unknown[] = [],
): Promise<Row> {
  const { rows } = await client.query<Row>(sql, [...values]);
  const [row] = rows;
  if (row === undefined) throw new Error(`no row: ${sql}`);
  return row;
}

export function program({ state }: Pick<Hand, 'state'>, name: string): string {
  return join(state.postgresBin, name);
}

/** The options with which every command of pgBackRest begins. */
export function pgbackrestFor(hand: Hand, site: PostgresSite): readonly string[] {
  return [`--config=${site.backupConfig}`, `--stanza=${hand.state.ledger.stanza}`];
}

/** Where and as whom PostgreSQL's client programs connect. */
export function clientEnvironment(
  hand: Pick<Hand, 'adminPassword'>,
  site: PostgresSite,
): Record<string, string> {
  return {
    PGHOST: site.host,
    PGPORT: String(site.port),
    PGDATABASE: site.database,
    PGUSER: site.admin.user,
    PGPASSWORD: hand.adminPassword,
  };
}

export function siteOf(hand: Hand, name: 'west' | 'recovery'): SiteState {
  return hand.state.ledger.sites[name];
}

/** As PostgreSQL takes a moment: `2026-11-21 02:59:39.871234+00`. */
export function moment(iso: string): string {
  return iso.replace('T', ' ').replace('Z', '+00');
}

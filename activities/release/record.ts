/** What the database says of releases: which were deployed, which migrations are in it, which writes it holds. */
import type { Client } from 'pg';
import { z } from 'zod';
import { MusterError, messageOf, PermanentError, TransientError } from '../../src/errors.js';
import { withClient } from '../../src/postgres.js';
import type { DataClass, Invariant } from '../../src/runbook/schema.js';
import { activitySignal } from '../context.js';
import type { DatabaseAt, ReleaseOf } from '../contract.js';
import { adminOf } from '../service/index.js';
import { countMissing } from '../standby/missing.js';
import { askInvariant } from '../verify/invariant-query.js';

const STATEMENT_MS = 30_000;
/** More deployments than anybody goes back. */
const MOST = 200;

const moment = z.union([z.date(), z.string().transform((text) => new Date(text))]).pipe(z.date());
const deploymentSchema = z.object({ release: z.string().min(1), deployed_at: moment });
const migrationSchema = z.object({ name: z.string().min(1), release: z.string().min(1) });

export interface Deployment {
  readonly release: string;
  /** ISO 8601 UTC. */
  readonly at: string;
}

export interface Migration {
  readonly name: string;
  readonly release: string;
}

/** Both newest first. @throws PermanentError `ReleasesUnreadable`; TransientError `DatabaseUnreachable` */
export function readRecord({ database, releases }: Pick<ReleaseOf, 'database' | 'releases'>): Promise<{
  readonly deployments: readonly Deployment[];
  readonly migrations: readonly Migration[];
}> {
  return reading(database, async (client) => ({
    deployments: (await ask(client, 'history', releases.history, deploymentSchema)).map((row) => ({
      release: row.release,
      at: row.deployed_at.toISOString(),
    })),
    migrations:
      releases.migrations === undefined
        ? []
        : await ask(client, 'migrations', releases.migrations, migrationSchema),
  }));
}

/** Counts by data class what was acknowledged since a moment and is not in the database. */
export function missingSince(
  database: DatabaseAt,
  dataClasses: Readonly<Record<string, DataClass>>,
  since: string,
): Promise<{ readonly missing: Readonly<Record<string, number>>; readonly uncounted: readonly string[] }> {
  return reading(database, async (client) => {
    const { loses, lossUnknown } = await countMissing(client, dataClasses, since);
    const counted = Object.entries(loses).map(([name, { records }]) => [name, records] as const);
    const silent = Object.keys(dataClasses).filter((name) => dataClasses[name]?.acknowledged === undefined);
    return { missing: Object.fromEntries(counted), uncounted: [...lossUnknown, ...silent] };
  });
}

/** Names of the rules that the data breaks; one whose query cannot be run counts as broken. */
export async function brokenIn(
  { postgres }: DatabaseAt,
  invariants: readonly Invariant[],
): Promise<readonly string[]> {
  const broken: string[] = [];
  for (const invariant of invariants) {
    const violations = await askInvariant(postgres, invariant).then(
      (result) => result.violations,
      (error: unknown) => {
        if (error instanceof MusterError && error.code === 'InvariantUnanswered') return 1;
        throw error;
      },
    );
    if (violations > 0) broken.push(invariant.name);
  }
  return broken;
}

function reading<T>({ postgres }: DatabaseAt, work: (client: Client) => Promise<T>): Promise<T> {
  return withClient(
    adminOf(postgres),
    { statementTimeoutMs: STATEMENT_MS, applicationName: 'muster releases', signal: activitySignal() },
    async (client) => {
      await client.query('set default_transaction_read_only = on');
      return work(client);
    },
  );
}

async function ask<Row>(client: Client, field: string, sql: string, row: z.ZodType<Row>): Promise<Row[]> {
  let rows: unknown[];
  try {
    rows = (await client.query(`select * from (${sql.trim().replace(/;+$/, '')}) as asked limit ${MOST}`))
      .rows;
  } catch (error) {
    activitySignal().throwIfAborted();
    throw unreadable(field, messageOf(error), error);
  }
  const parsed = z.array(row).safeParse(rows);
  if (parsed.success) return parsed.data;
  throw unreadable(field, z.prettifyError(parsed.error));
}

function unreadable(field: string, why: string, cause?: unknown): Error {
  const code = (cause as { code?: unknown } | undefined)?.code;
  if (cause !== undefined && (typeof code !== 'string' || /^(08|53|57P)/.test(code))) {
    return new TransientError('DatabaseUnreachable', `The record of releases got no answer: ${why}.`, {
      next: 'See whether the server runs; the step tries again by itself for a while.',
      cause,
    });
  }
  return new PermanentError('ReleasesUnreadable', `The record of releases cannot be read (${field}).`, {
    why,
    next: `Correct the query in the runbook (scenarios.badDeployment.releases.${field}), then begin again.`,
    ...(cause === undefined ? {} : { cause }),
  });
}

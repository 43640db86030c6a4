/** Invariants of a system's data: each is a query that returns the rows which break it. */
import type { Client } from 'pg';
import { messageOf, PermanentError } from '../../src/errors.js';
import { withClient } from '../../src/postgres.js';
import type { Invariant } from '../../src/runbook/schema.js';
import { resolveSecret } from '../../src/secrets.js';
import { reportProgress } from '../context.js';
import type { DatabaseAt, InvariantResult } from '../contract.js';

const SAMPLES = 5;
/** Longer values are cut: samples are for recognising rows, not for keeping them. */
const SAMPLE_LENGTH = 160;

/**
 * Tries invariants, several at once, each in a read-only transaction of its own connection.
 *
 * @param jobs how many at once
 * @returns in the order given
 * @throws PermanentError `InvariantUnusable` naming the invariant whose query does not run
 */
export async function evaluateInvariants(
  database: DatabaseAt,
  invariants: readonly Invariant[],
  jobs: number,
): Promise<InvariantResult[]> {
  const results = new Map<string, InvariantResult>();
  const waiting = [...invariants];
  const work = async () => {
    for (let invariant = waiting.shift(); invariant !== undefined; invariant = waiting.shift()) {
      results.set(invariant.name, await evaluate(database, invariant));
      reportProgress({
        done: results.size,
        total: invariants.length,
        unit: 'rows',
        text: `${results.size} of ${invariants.length} invariants tried`,
      });
    }
  };
  await Promise.all(Array.from({ length: Math.min(jobs, invariants.length) }, work));
  return invariants.map(({ name }) => results.get(name) as InvariantResult);
}

async function evaluate({ site, postgres }: DatabaseAt, invariant: Invariant): Promise<InvariantResult> {
  const { host, port, database, admin } = postgres;
  const parameters = await Promise.all(invariant.parameters.map(resolveSecret));
  const begun = performance.now();
  return withClient(
    { host, port, database, ...admin },
    { statementTimeoutMs: invariant.timeout, applicationName: `muster invariant ${invariant.name}` },
    async (client) => {
      try {
        await client.query('begin transaction read only');
        const found = await violations(client, invariant.sql, parameters);
        return {
          name: invariant.name,
          title: invariant.title,
          ...found,
          durationMs: Math.round(performance.now() - begun),
        };
      } catch (error) {
        throw unusable(site, invariant, error);
      }
    },
  );
}

/** One pass over the query: the count and the first few rows come together. */
async function violations(
  client: Client,
  sql: string,
  parameters: readonly string[],
): Promise<Pick<InvariantResult, 'violations' | 'samples'>> {
  const { rows } = await client.query<{ total: string; sample: string | null }>(
    `with broken as materialized (${sql.replace(/;\s*$/, '')})
     select (select count(*) from broken) as total, to_json(first)::text as sample
       from (select 1) as one left join lateral (select * from broken limit ${SAMPLES}) as first on true`,
    [...parameters],
  );
  return {
    violations: Number(rows[0]?.total ?? 0),
    samples: rows.flatMap(({ sample }) => (sample === null ? [] : [sample.slice(0, SAMPLE_LENGTH)])),
  };
}

function unusable(site: string, { name }: Invariant, error: unknown): PermanentError {
  return new PermanentError(
    'InvariantUnusable',
    `The invariant ${name} cannot be tried on the database at ${site}: ${messageOf(error)}.`,
    {
      why: 'Either the data are damaged where it looks (a table or column is gone, a page cannot be read), or its query does not fit the schema.',
      next: `Run the query by hand (runbook, verification.invariants, ${name}); mend the query or choose another point.`,
      cause: error,
    },
  );
}

import type pg from 'pg';
import { messageOf, PermanentError, TransientError } from '../../src/errors.js';
import { formatDuration } from '../../src/model/format.js';
import { withClient } from '../../src/postgres.js';
import type { Invariant, PostgresSite } from '../../src/runbook/schema.js';
import { resolveSecret } from '../../src/secrets.js';
import { activitySignal } from '../context.js';
import type { InvariantResult } from '../contract.js';
import { adminOf } from '../service/index.js';

const SAMPLES = 5;
const SAMPLE_LENGTH = 200;

/**
 * Asks one rule of the runbook: its query gives the rows that break it. They are counted on the server and only a few come
 * over, so that a rule which everything breaks costs no memory.
 *
 * @throws PermanentError `InvariantUnanswered` when the query cannot be run or takes longer than its timeout;
 *   TransientError when the server cannot be reached
 */
export async function askInvariant(postgres: PostgresSite, invariant: Invariant): Promise<InvariantResult> {
  const begun = performance.now();
  const signal = activitySignal();
  const parameters = await Promise.all(invariant.parameters.map(resolveSecret));
  return withClient(
    adminOf(postgres),
    {
      statementTimeoutMs: invariant.timeout,
      applicationName: `muster-invariant-${invariant.name}`,
      // Some take minutes: a run that is called off, or goes to another point, does not wait for their answer.
      signal,
    },
    async (client) => {
      const { violations, samples } = await askQuery(client, invariant.sql, parameters).catch((error) => {
        signal.throwIfAborted();
        throw unanswered(invariant, error, parameters);
      });
      return {
        name: invariant.name,
        title: invariant.title,
        violations,
        samples,
        durationMs: Math.round(performance.now() - begun),
      };
    },
  );
}

/** Counts what a query gives and fetches the first rows of it as text. */
export async function askQuery(
  client: pg.Client,
  sql: string,
  parameters: readonly string[] = [],
): Promise<{ readonly violations: number; readonly samples: readonly string[] }> {
  const { rows } = await client.query<{ violations: string; samples: readonly string[] | null }>(
    `with broken as materialized (
${sql.trim().replace(/;+$/, '')}
)
select (select count(*) from broken) as violations,
  (select array_agg(row_to_json(sample)::text) from (select * from broken limit ${SAMPLES}) as sample) as samples`,
    [...parameters],
  );
  return {
    violations: Number(rows[0]?.violations ?? 0),
    samples: (rows[0]?.samples ?? []).map((text) =>
      text.length > SAMPLE_LENGTH ? `${text.slice(0, SAMPLE_LENGTH)}...` : text,
    ),
  };
}

function unanswered(invariant: Invariant, error: unknown, parameters: readonly string[]): Error {
  const text = parameters.reduce((said, secret) => said.replaceAll(secret, '***'), messageOf(error));
  const state = sqlState(error);
  if (state === undefined || /^(08|53|57P)/.test(state)) {
    return new TransientError('DatabaseUnreachable', `Invariant ${invariant.name} got no answer: ${text}.`, {
      next: 'See whether the server runs; the step tries again by itself for a while.',
    });
  }
  const late = state === '57014';
  return new PermanentError(
    'InvariantUnanswered',
    late
      ? `Invariant ${invariant.name} (${invariant.title}) did not finish within ${formatDuration(invariant.timeout)}.`
      : `Invariant ${invariant.name} (${invariant.title}) cannot be asked: ${text}.`,
    {
      next: late
        ? 'Give it more time in the runbook (verification.invariants), or look at what slows the copy down, then retry the step.'
        : 'Correct its query in the runbook (verification.invariants); a table that is missing means that the copy is not the right one.',
      details: { invariant: invariant.name, sqlState: state },
    },
  );
}

function sqlState(error: unknown): string | undefined {
  const code = (error as { code?: unknown } | undefined)?.code;
  return typeof code === 'string' && /^[0-9A-Z]{5}$/.test(code) ? code : undefined;
}

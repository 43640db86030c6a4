/** The proof that users are served again: the application on the new primary, real payments, and an old side that takes none. */
import { setTimeout as delay } from 'node:timers/promises';
import { messageOf, PermanentError, TransientError } from '../../src/errors.js';
import { formatDuration } from '../../src/model/format.js';
import { withClient } from '../../src/postgres.js';
import type { Application, BusinessFunction } from '../../src/runbook/schema.js';
import { activitySignal } from '../context.js';
import type { DatabaseAt, MusterActivities, RungCheck } from '../contract.js';
import { proveRefusalOrSilence, requireStillFenced } from '../fence/index.js';
import { requireReal } from '../production.js';
import { converse } from '../verify/conversation.js';
import { timed } from './timed.js';

/** The application notices the new address within its own caches; longer than this a person must look. */
const HEALTHY_MS = 120_000;
const POLL_MS = 200;
const ANSWER_MS = 5_000;

export function validateActivities(): Pick<MusterActivities, 'validateService'> {
  return {
    async validateService({ at, application, target, damaged, fence, keptBy }) {
      requireReal(at, `pay at ${application.url}`);
      const signal = activitySignal();
      const checks: RungCheck[] = [];
      const unproven = fence?.refusedWrite === null;
      checks.push(
        unproven
          ? await timed('the old primary is out of reach, which nobody has proven of clients', () =>
              silence(damaged),
            )
          : await timed('the old primary refuses writes', () => proveRefusalOrSilence(damaged)),
      );
      checks.push(
        keptBy === 'archives'
          ? await timed('the new primary takes writes', () => requireWritable(target, 'dumped'))
          : await timed('the new primary takes writes and archives them', () =>
              requireWritable(target, 'archived'),
            ),
      );
      checks.push(
        await timed('the application is healthy on the new primary', () =>
          waitHealthy(application, target, signal),
        ),
      );
      const firstGoodAt = new Date().toISOString();
      for (const businessFunction of application.functions) {
        checks.push(
          await timed(businessFunction.title, () => tryFunction(application.url, businessFunction, signal)),
        );
      }
      const tried = application.functions.map(({ name }) => name).join(', ');
      return {
        checks,
        firstGoodAt,
        summary: `the application works on ${target.site}: ${tried}; ${damaged.site} ${unproven ? 'is out of reach, its fence NOT PROVEN' : 'refuses writes'}`,
      };
    },
  };
}

/** People went on without proof because nobody answers there; somebody who takes a write now is found all the same. */
async function silence(damaged: DatabaseAt): Promise<string> {
  await requireStillFenced(damaged);
  return 'it takes no write from here; it must not be started or reached again before it is fenced';
}

async function tryFunction(url: string, tried: BusinessFunction, signal: AbortSignal): Promise<string> {
  const { uuid } = await converse(url, tried, { signal });
  const said = tried.exchanges.map(({ method, path, expectStatus }) => `${method} ${path} ${expectStatus}`);
  return `${said.join(', ')}${tried.readOnly ? '' : ` (as ${uuid})`}`;
}

/** @param writes how what it takes is kept: its WAL is archived, or its owner dumps it now and then */
async function requireWritable(
  { site, postgres }: DatabaseAt,
  writes: 'archived' | 'dumped',
): Promise<string> {
  const { host, port, database, admin } = postgres;
  return withClient(
    { host, port, database, ...admin },
    { statementTimeoutMs: 10_000, applicationName: 'muster validate' },
    async (client) => {
      const { rows } = await client.query<{ recovering: boolean; read_only: string; archiving: string }>(
        `select pg_is_in_recovery() as recovering, current_setting('default_transaction_read_only') as read_only,
                current_setting('archive_mode') as archiving`,
      );
      const [server] = rows;
      if (server?.recovering !== false || server.read_only !== 'off') {
        throw new PermanentError('NewPrimaryReadOnly', `The database at ${site} does not take writes.`, {
          why: `In recovery: ${server?.recovering}; default_transaction_read_only: ${server?.read_only}.`,
          next: 'See in its log whether the promotion came to its end, then retry the step.',
        });
      }
      if (writes === 'archived' && server.archiving === 'off') {
        throw new PermanentError(
          'NewPrimaryUnprotected',
          `The database at ${site} does not archive its WAL.`,
          {
            why: 'What is written from now on could not be recovered to a point in time.',
            next: 'Set archive_mode and archive_command there, restart it, then retry the step.',
          },
        );
      }
      await client.query('begin; create temporary table muster_proof (x integer); rollback');
      const kept = writes === 'dumped' ? 'kept by dumps' : `archive_mode ${server.archiving}`;
      return `takes writes at ${host}:${port}; ${kept}`;
    },
  );
}

async function waitHealthy(
  { url, healthPath }: Application,
  { site, postgres }: DatabaseAt,
  signal: AbortSignal,
): Promise<string> {
  const begun = performance.now();
  let last = 'no answer';
  while (performance.now() - begun < HEALTHY_MS) {
    try {
      const answer = await fetch(new URL(healthPath, url), {
        headers: { connection: 'close' },
        signal: AbortSignal.any([signal, AbortSignal.timeout(ANSWER_MS)]),
      });
      const text = await answer.text();
      if (answer.status === 200 && reaches(text, postgres.host)) {
        return `healthy after ${formatDuration(performance.now() - begun)}, on ${postgres.host}`;
      }
      last = `${answer.status} ${text.slice(0, 200)}`;
    } catch (error) {
      signal.throwIfAborted();
      last = messageOf(error);
    }
    await delay(POLL_MS, undefined, { signal });
  }
  throw new TransientError(
    'ApplicationUnhealthy',
    `The application does not become healthy on ${site}: ${last}.`,
    {
      next: 'See whether it finds the new address (its resolver, its cache) and whether its login works there; the step tries again.',
    },
  );
}

/** Where a health answer tells the database's address, it must be the new one. */
function reaches(health: string, host: string): boolean {
  let told: unknown;
  try {
    told = (JSON.parse(health) as { database?: unknown }).database;
  } catch {
    return true;
  }
  if (typeof told === 'object' && told !== null && 'address' in told) told = told.address;
  return typeof told !== 'string' || told.split(':')[0] === host;
}

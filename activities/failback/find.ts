/** Where a system runs now, by everything that knows it. Nothing is changed. */
import { readdir } from 'node:fs/promises';
import { PermanentError } from '../../src/errors.js';
import { siteOfValues } from '../../src/runbook/leaving.js';
import { activitySignal } from '../context.js';
import type { DatabaseAt, FailbackActivities, PrimaryFound } from '../contract.js';
import { readRecord } from '../dns/index.js';
import { readLease } from '../provision/lease.js';
import { onStandby } from '../standby/state.js';
import { readPromotions, withVault } from '../vault/index.js';

type Input = Parameters<FailbackActivities['findPrimary']>[0];

export async function findPrimary(input: Input): Promise<PrimaryFound> {
  const { at, from, home, record, vault } = input;
  const [held, promotions] = await Promise.all([
    readRecord(record),
    withVault(vault, activitySignal(), (open) => readPromotions(open, at.system)),
  ]);
  const newest = promotions.at(-1);
  const leads = siteOfValues(record.values, held.values);
  const says = [
    ...(leads === from.site
      ? []
      : [`${record.name} leads to ${leads ?? held.values.join(', ')}, not to ${from.site}`]),
    ...(newest === undefined || newest.site === from.site
      ? []
      : [`the vault's newest promotion is that of ${newest.site} (run ${newest.runId})`]),
    ...(newest !== undefined && newest.done === undefined
      ? [`the promotion of ${newest.site} by run ${newest.runId} has not come to its end`]
      : []),
  ];
  if (says.length > 0) throw elsewhere(input, says);
  await requireFree(input);
  const server = await askPrimary(from);
  if (server.timeline === null) throw elsewhere(input, [`the server at ${from.site} takes no writes`]);
  const { systemIdentifier, timeline, time, lsn, databaseBytes } = server;
  const since = newest === undefined ? '' : ` since ${newest.done?.promotedAt ?? newest.at}`;
  return {
    site: from.site,
    systemIdentifier,
    timeline,
    time,
    lsn,
    databaseBytes: Number(databaseBytes),
    promotedAt: newest?.done?.promotedAt ?? newest?.at ?? null,
    summary: `${at.system} runs at ${from.site}${since}, on timeline ${timeline} at ${lsn}; ${record.name} leads there, ${home.site} is free`,
  };
}

function elsewhere({ from, at }: Input, says: readonly string[]): PermanentError {
  return new PermanentError(
    'RunsElsewhere',
    `${at.system} does not run at ${from.site}: ${says.join('; ')}.`,
    {
      why: 'Nothing was changed: going home begins where the system takes its writes.',
      next: 'Correct scenarios.failback (from, otherFrom) in the runbook to the site where it runs, or finish the recovery that is under way (muster status).',
    },
  );
}

/** What lies at home may be the only copy of something: it is never taken for empty. */
async function requireFree({ at, home }: Input): Promise<void> {
  const { dataDirectory } = home.postgres.service;
  const lease = await readLease(dataDirectory);
  if (lease?.runId === at.runId) return;
  const entries = await readdir(dataDirectory).catch((): string[] => []);
  if (lease === undefined && entries.length === 0) return;
  throw new PermanentError(
    'HomeTaken',
    `${dataDirectory} at ${home.site} ${lease === undefined ? `holds ${entries.length} entries` : `belongs to run ${lease.runId}`}.`,
    {
      why: 'It may be the old primary, with what was written last: it is neither deleted nor overwritten.',
      next: `See that no server runs on it, move it away (into the quarantine of ${home.site}), then retry the step.`,
    },
  );
}

interface PrimaryServer {
  readonly systemIdentifier: string;
  /** null: it is in recovery. */
  readonly timeline: number | null;
  readonly time: string;
  readonly lsn: string;
  /** bigint as text. */
  readonly databaseBytes: string;
}

export function askPrimary(site: DatabaseAt): Promise<PrimaryServer> {
  return onStandby(site, async (client) => {
    const { rows } = await client.query<PrimaryServer>(
      `select (select system_identifier::text from pg_control_system()) as "systemIdentifier",
         case when not recovering
           then ('x' || left(pg_walfile_name(pg_current_wal_lsn()), 8))::bit(32)::integer end as timeline,
         to_char(clock_timestamp() at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"') as time,
         case when recovering then pg_last_wal_replay_lsn() else pg_current_wal_lsn() end::text as lsn,
         pg_database_size(current_database())::text as "databaseBytes"
       from pg_is_in_recovery() as recovering`,
    );
    return rows[0] as PrimaryServer;
  });
}

/** Where the history of the new primary left that of the old one, and how far the archive knows the old one. */
import { PermanentError } from '../../src/errors.js';
import { withClient } from '../../src/postgres.js';
import type { PgbackrestBackup } from '../../src/runbook/schema.js';
import type { DatabaseAt } from '../contract.js';
import { readHistory } from '../pgbackrest/archive.js';
import { withStandIn } from '../pgbackrest/stand-in.js';
import { lsnToNumber } from '../pgbackrest/wal.js';
import {
  type Commit,
  commitReader,
  type LoggedCommit,
  lastCommits,
  listCommits,
  transactionsOnDatabases,
} from '../point/commits.js';
import { lookInto } from '../point/holding.js';
import { type Base, listBases, segmentsFrom } from '../point/search-backups.js';
import { adminOf } from '../service/index.js';

/** A primary that was replaced by a copy at an earlier point. */
export interface LeftBehind {
  readonly live: DatabaseAt;
  readonly systemIdentifier: string;
  /** Of the old primary. */
  readonly timeline: number;
  /** The first commit that the new primary does not have, and the last one in the archive. */
  readonly first: Commit;
  readonly last: Commit;
  readonly base: Base;
}

/**
 * @throws PermanentError `NoPrimary`, `NothingLeftBehind`, `WalMissing`, what a repository says that cannot be read
 */
export async function findLeftBehind(
  sites: readonly DatabaseAt[],
  backup: PgbackrestBackup,
): Promise<LeftBehind> {
  const { live, systemIdentifier, timeline } = await findPrimary(sites);
  const fork = await forkOf(live, backup, systemIdentifier, timeline);
  const sought = { systemIdentifier, timeline: fork.timeline };
  const { bases } = await listBases(live.postgres, backup, sought);
  const base = bases.at(-1);
  if (base === undefined) throw nothing(`no backup leads to timeline ${fork.timeline}`);
  const { scope, repository } = base.holding;
  const segments = await segmentsFrom(base);
  return withStandIn(live.postgres, systemIdentifier, async (standIn) => {
    const read = commitReader(live.postgres, scope, repository, standIn);
    const commitsIn = (few: readonly string[]) => listCommits(live.postgres, scope, repository, standIn, few);
    const end = await lastCommits(segments, read);
    const last =
      end === undefined
        ? undefined
        : await beforeTheFence(
            segments.slice(Math.max(0, end.segment - 1), end.segment + 1),
            commitsIn,
            (few) => transactionsOnDatabases(live.postgres, scope, repository, standIn, few),
          );
    if (last === undefined || lsnToNumber(last.lsn) < lsnToNumber(fork.endLsn)) {
      throw nothing(`the archive of timeline ${fork.timeline} ends at ${last?.lsn ?? 'no commit'}`);
    }
    const first = await firstFrom(fork.endLsn, segments, commitsIn);
    if (first === undefined) throw nothing('no commit follows the point');
    return { live, systemIdentifier, timeline: fork.timeline, first, last, base };
  });
}

/** The one server that takes writes. @throws PermanentError `NoPrimary` */
export async function findPrimary(
  sites: readonly DatabaseAt[],
): Promise<{ readonly live: DatabaseAt; readonly systemIdentifier: string; readonly timeline: number }> {
  const looks = await Promise.allSettled(sites.map(look));
  const taking = looks.flatMap((one) =>
    one.status === 'fulfilled' && one.value.writes ? [one.value.primary] : [],
  );
  const [primary, second] = taking;
  if (primary !== undefined && second === undefined) return primary;
  const names = sites.map(({ site }) => site).join(', ');
  throw new PermanentError(
    'NoPrimary',
    primary === undefined
      ? `At none of ${names} a server takes writes.`
      : `More than one server takes writes: ${taking.map(({ live }) => live.site).join(', ')}.`,
    {
      next: 'Salvage follows a recovery: see where the new primary is (muster status) and name it in the runbook (scenarios.salvage.at).',
    },
  );
}

async function look(site: DatabaseAt) {
  return withClient(
    adminOf(site.postgres),
    { statementTimeoutMs: 10_000, connectTimeoutMs: 3_000, applicationName: 'muster-salvage' },
    async (client) => {
      const { rows } = await client.query<{ recovering: boolean; system: string; timeline: number }>(
        `select pg_is_in_recovery() as recovering,
          (select system_identifier::text from pg_control_system()) as system,
          case when pg_is_in_recovery() then 0
            else ('x' || left(pg_walfile_name(pg_current_wal_lsn()), 8))::bit(32)::integer end as timeline`,
      );
      const [row] = rows;
      const { recovering = true, system = '', timeline = 0 } = row ?? {};
      return { writes: !recovering, primary: { live: site, systemIdentifier: system, timeline } };
    },
  );
}

/** The last line of the history: where the timeline before the present one was left. */
async function forkOf(
  live: DatabaseAt,
  backup: PgbackrestBackup,
  systemIdentifier: string,
  timeline: number,
): Promise<{ readonly timeline: number; readonly endLsn: string }> {
  const errors: unknown[] = [];
  for (const { number } of backup.repositories) {
    try {
      const holding = await lookInto(live.postgres, backup, number, { systemIdentifier, timeline });
      const history = await readHistory(holding.scope, number, holding.archiveId, timeline);
      const fork = history?.at(-1);
      if (fork !== undefined) return fork;
    } catch (error) {
      errors.push(error);
    }
  }
  if (errors.length === backup.repositories.length) throw errors[0];
  throw nothing(`${live.site} is on timeline ${timeline}, and no other one leads to it`);
}

/**
 * The fence ends with closing the database, which is in the log too: a copy behind that lets nobody in. Every session of users was
 * ended before.
 */
async function beforeTheFence(
  lastSegments: readonly string[],
  commitsIn: (segments: readonly string[]) => Promise<readonly LoggedCommit[]>,
  closersIn: (segments: readonly string[]) => Promise<ReadonlySet<string>>,
): Promise<Commit | undefined> {
  const commits = await commitsIn(lastSegments);
  const closers = await closersIn(lastSegments);
  const closed = commits.map(({ xid }) => closers.has(xid)).lastIndexOf(true);
  return closed < 0 ? commits.at(-1) : commits[closed - 1];
}

/** Commits stand in the order of their positions: the first segment that holds one from the fork on has it. */
async function firstFrom(
  endLsn: string,
  segments: readonly string[],
  list: (segments: readonly string[]) => Promise<readonly Commit[]>,
): Promise<Commit | undefined> {
  const from = lsnToNumber(endLsn);
  const forkSegment = segments.findIndex((segment) => endOfSegment(segment) > from);
  for (let at = Math.max(0, forkSegment); at < segments.length; at++) {
    const commits = await list(segments.slice(at, at + 2));
    const first = commits.find(({ lsn }) => lsnToNumber(lsn) >= from);
    if (first !== undefined) return first;
  }
  return undefined;
}

const SEGMENT_BYTES = 16 * 1024 * 1024;

function endOfSegment(name: string): number {
  const high = Number.parseInt(name.slice(8, 16), 16) * 0x1_0000_0000;
  return high + (Number.parseInt(name.slice(16, 24), 16) + 1) * SEGMENT_BYTES;
}

export function nothing(why: string): PermanentError {
  return new PermanentError(
    'NothingLeftBehind',
    'No recovery has left anything behind that could be carried over.',
    {
      why: `${why[0]?.toUpperCase()}${why.slice(1)}.`,
      next: 'Salvage follows a recovery to an earlier point, and needs the log or the quarantine of the primary that was replaced.',
    },
  );
}

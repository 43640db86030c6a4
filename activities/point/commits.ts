/** When the commits in an archived WAL segment were: what decides whether the archive reaches a point in time. */
import { chown, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { accountIds, runTool } from '../../src/process.js';
import type { PostgresSite } from '../../src/runbook/schema.js';
import { activitySignal } from '../context.js';
import { failureOf, type PgbackrestScope, runPgbackrest } from '../pgbackrest/command.js';
import { programOf } from '../service/index.js';

/** A commit in the log. */
export interface Commit {
  /** ISO 8601 UTC with microseconds. */
  readonly at: string;
  /** Where its record begins. */
  readonly lsn: string;
}

/** The commits in a segment: they are logged in almost, not strictly, the order of their times. */
export interface Commits {
  /** The newest of their moments. */
  readonly last: string;
  /** The one whose record comes last. */
  readonly end: Commit;
}

/** Tells the commits of a segment, each segment fetched once; undefined: the segment holds none. */
export type ReadCommits = (segment: string) => Promise<Commits | undefined>;

const FETCH_MS = 60_000;
const COMMIT =
  /tx: +(\d+), lsn: ([0-9A-F]+\/[0-9A-F]+),.* desc: COMMIT(?:_PREPARED)?(?: (\d+):)? (\d{4}-\d\d-\d\d) (\d\d:\d\d:\d\d\.\d{6}) UTC/;

/**
 * Fetches segments from a repository and reads them with pg_waldump. They hold the owner's data, so they are kept only while
 * they are read, in a folder of the cluster's account alone.
 */
export function commitReader(
  postgres: PostgresSite,
  scope: PgbackrestScope,
  repository: number,
  /** By which pgBackRest knows whose WAL is meant. */
  dataDirectory: string = postgres.service.dataDirectory,
): ReadCommits {
  const known = new Map<string, Promise<Commits | undefined>>();
  return (segment) => {
    const before = known.get(segment);
    if (before !== undefined) return before;
    const reading = fetchAndRead(postgres, scope, repository, dataDirectory, segment);
    known.set(segment, reading);
    return reading;
  };
}

async function fetchAndRead(
  postgres: PostgresSite,
  scope: PgbackrestScope,
  repository: number,
  dataDirectory: string,
  segment: string,
): Promise<Commits | undefined> {
  const logged = await withSegments(scope, repository, dataDirectory, [segment], (folder) =>
    dump(postgres, scope.account, [join(folder, segment)]),
  );
  const end = logged.at(-1);
  if (end === undefined) return undefined;
  const moments = logged.map(({ at }) => at).sort();
  return { last: moments.at(-1) ?? end.at, end: { at: end.at, lsn: end.lsn } };
}

/** A commit with its transaction. */
export interface LoggedCommit extends Commit {
  readonly xid: string;
}

/**
 * Every commit in these segments, in their order in the log, also one whose record goes on from one into the next.
 *
 * @param segments in order, without a gap, all of one timeline; few: all of them are fetched
 * @param dataDirectory by which pgBackRest knows whose WAL is meant
 */
export function listCommits(
  postgres: PostgresSite,
  scope: PgbackrestScope,
  repository: number,
  dataDirectory: string,
  segments: readonly string[],
): Promise<readonly LoggedCommit[]> {
  return withSegments(scope, repository, dataDirectory, segments, (folder) => {
    const files = endsOf(segments).map((segment) => join(folder, segment));
    return dump(postgres, scope.account, files);
  });
}

/** pg_database is shared by all databases; its file bears its own number unless it was rewritten (manual: 54.1). */
const DATABASES = /tx: +(\d+), .*rel 1664\/0\/1262 /;

/** Transactions that changed the list of databases in these segments, for instance by closing one. */
export function transactionsOnDatabases(
  postgres: PostgresSite,
  scope: PgbackrestScope,
  repository: number,
  dataDirectory: string,
  segments: readonly string[],
): Promise<ReadonlySet<string>> {
  return withSegments(scope, repository, dataDirectory, segments, async (folder) => {
    const found = new Set<string>();
    const files = endsOf(segments).map((segment) => join(folder, segment));
    await waldump(postgres, scope.account, 'Heap', files, (line) => {
      const xid = DATABASES.exec(line)?.[1];
      if (xid !== undefined) found.add(xid);
    });
    return found;
  });
}

function endsOf(segments: readonly string[]): readonly string[] {
  return [...new Set([segments[0] ?? '', segments.at(-1) ?? ''])];
}

async function withSegments<T>(
  scope: PgbackrestScope,
  repository: number,
  dataDirectory: string,
  segments: readonly string[],
  work: (folder: string) => Promise<T>,
): Promise<T> {
  const folder = await mkdtemp(join(tmpdir(), 'muster-wal-'));
  try {
    const { uid, gid, switch: another } = accountIds(scope.account);
    if (another) await chown(folder, uid, gid);
    for (const segment of segments) {
      await fetchSegment(scope, repository, dataDirectory, segment, join(folder, segment));
    }
    return await work(folder);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

async function fetchSegment(
  scope: PgbackrestScope,
  repository: number,
  dataDirectory: string,
  segment: string,
  file: string,
): Promise<void> {
  const outcome = await runPgbackrest(
    scope,
    [
      `--repo=${repository}`,
      `--pg1-path=${dataDirectory}`,
      '--no-archive-async',
      'archive-get',
      segment,
      file,
    ],
    { timeoutMs: FETCH_MS },
  );
  if (outcome.exitCode === 0) return;
  throw failureOf(
    scope,
    outcome,
    `Fetching WAL segment ${segment} from repository ${repository}`,
    'Bring it back from another copy of the archive, or choose an earlier point.',
  ).error;
}

/** @param files one segment, or the first and the last of several in one folder */
async function dump(
  postgres: PostgresSite,
  account: string,
  files: readonly string[],
): Promise<readonly LoggedCommit[]> {
  const logged: LoggedCommit[] = [];
  await waldump(postgres, account, 'Transaction', files, (line) => {
    const [, tx = '', lsn, prepared, date, time] = COMMIT.exec(line) ?? [];
    if (lsn !== undefined) logged.push({ at: `${date}T${time}Z`, lsn, xid: prepared ?? tx });
  });
  return logged;
}

async function waldump(
  postgres: PostgresSite,
  account: string,
  kind: 'Transaction' | 'Heap',
  files: readonly string[],
  onLine: (line: string) => void,
): Promise<void> {
  // It ends with an error where the last record goes on in the next segment.
  await runTool(await programOf(postgres, 'pg_waldump'), [`--rmgr=${kind}`, ...files], {
    account,
    env: { LC_ALL: 'C', TZ: 'UTC' },
    timeoutMs: FETCH_MS,
    signal: activitySignal(),
    onLine,
  });
}

/**
 * The segment in which the first commit at or after a moment is: a restore to that moment stops there.
 *
 * @param segments in order, without a gap
 * @returns its index; undefined: all commits in them are before the moment
 */
export async function segmentOfMoment(
  segments: readonly string[],
  moment: string,
  read: ReadCommits,
): Promise<number | undefined> {
  // The newest commit of the segments up to an index only grows with it: bisection, over those that hold any.
  const reaches = async (from: number): Promise<{ yes: boolean; at: number } | undefined> => {
    for (let at = from; at >= 0; at--) {
      const commits = await read(segments[at] ?? '');
      if (commits !== undefined) return { yes: commits.last >= moment, at };
    }
    return undefined;
  };
  let low = 0;
  let high = segments.length - 1;
  const end = await reaches(high);
  if (end?.yes !== true) return undefined;
  high = end.at;
  while (low < high) {
    const middle = Math.floor((low + high) / 2);
    const found = await reaches(middle);
    if (found?.yes === true) high = found.at;
    else low = middle + 1;
  }
  return high;
}

/** The commits of the last segment that holds any; undefined: none does. */
export async function lastCommits(
  segments: readonly string[],
  read: ReadCommits,
): Promise<{ readonly segment: number; readonly commits: Commits } | undefined> {
  for (let segment = segments.length - 1; segment >= 0; segment--) {
    const commits = await read(segments[segment] ?? '');
    if (commits !== undefined) return { segment, commits };
  }
  return undefined;
}

/** The newest commit in the segments; undefined: there is none. */
export async function newestCommit(
  segments: readonly string[],
  read: ReadCommits,
): Promise<string | undefined> {
  return (await lastCommits(segments, read))?.commits.last;
}

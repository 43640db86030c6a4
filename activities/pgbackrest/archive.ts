/** Whether a repository holds all the WAL from a backup to a point: pgBackRest itself does not check that. */
import { failureOf, type PgbackrestScope, runPgbackrest } from './command.js';
import type { StanzaInfo } from './info.js';
import { formatSegment, lsnToNumber, parseSegment } from './wal.js';

/** pgBackRest does not tell a stanza's segment size; initdb's default, which it also recommends. */
export const SEGMENT_BYTES = 16 * 1024 * 1024;

/** Where a timeline left the one before it: from this position on, WAL has the later timeline's name. */
export interface TimelineSwitch {
  readonly timeline: number;
  /** Position at which this timeline ended. */
  readonly endLsn: string;
}

/**
 * Reads a `.history` file (manual: 26.3.6 Timelines): one line for each timeline that was left, oldest first. Nothing but itself
 * tells whether it is whole: pgBackRest keeps no checksum of it.
 *
 * @returns undefined for what is none: a line of another form, timelines or positions that go back
 */
export function parseHistory(text: string): readonly TimelineSwitch[] | undefined {
  const switches: TimelineSwitch[] = [];
  for (const line of text.split('\n')) {
    if (/^\s*(#|$)/.test(line)) continue;
    // As PostgreSQL writes it: a tab between, and a reason behind.
    const match = /^(\d{1,10})\t([0-9A-F]{1,8}\/[0-9A-F]{1,8})\t[^\p{Cc}\uFFFD]*$/u.exec(line);
    const [, timeline = '', endLsn = ''] = match ?? [];
    const before = switches.at(-1);
    const goesOn =
      before === undefined ||
      (Number(timeline) > before.timeline && lsnToNumber(endLsn) >= lsnToNumber(before.endLsn));
    if (match === null || !goesOn) return undefined;
    switches.push({ timeline: Number(timeline), endLsn });
  }
  return switches.length === 0 ? undefined : switches;
}

/**
 * The segments that a recovery reads: along the backup's timeline to where it was left, then along its successors.
 *
 * @param first segment that the backup starts in
 * @param last segment that holds the point, on the point's timeline
 * @param history of the point's timeline; empty for timeline 1
 * @returns undefined when the backup's timeline is no ancestor of the point's, or was left before the backup began
 */
export function segmentsAlong(
  first: string,
  last: string,
  history: readonly TimelineSwitch[],
): readonly string[] | undefined {
  const from = parseSegment(first, SEGMENT_BYTES);
  const to = parseSegment(last, SEGMENT_BYTES);
  const ends = new Map(
    history.map((one) => [one.timeline, Math.floor(lsnToNumber(one.endLsn) / SEGMENT_BYTES)]),
  );
  const order = [...history.map((one) => one.timeline), to.timeline];
  let at = order.indexOf(from.timeline);
  if (at < 0) return undefined;
  if (from.timeline !== to.timeline && (ends.get(from.timeline) ?? -1) < from.index) return undefined;
  const names: string[] = [];
  for (let index = from.index; index <= to.index; index++) {
    // The segment in which a timeline ended is read under its successor's name.
    while (at < order.length - 1 && index >= (ends.get(order[at] ?? 0) ?? Number.POSITIVE_INFINITY)) at++;
    names.push(formatSegment({ timeline: order[at] ?? to.timeline, index }, SEGMENT_BYTES));
  }
  return names;
}

/** Id of a cluster's archive in a repository, for instance `15-1`; undefined: it has none of that cluster. */
export function archiveIdOf(
  info: StanzaInfo,
  repository: number,
  systemIdentifier: string,
): string | undefined {
  const database = info.db.find(
    (one) => one['repo-key'] === repository && one['system-id'] === systemIdentifier,
  );
  return info.archive.find(
    (one) => one.database['repo-key'] === repository && one.database.id === database?.id,
  )?.id;
}

export interface ArchiveContent {
  /** Segment -> how many files there are of it: more than one contradict each other. */
  readonly segments: ReadonlyMap<string, number>;
}

/** The newest archived segment of a timeline, which later ones may have left before its end; undefined: there is none. */
export async function newestSegmentOf(
  scope: PgbackrestScope,
  repository: number,
  archiveId: string,
  timeline: number,
): Promise<string | undefined> {
  const prefix = timeline.toString(16).toUpperCase().padStart(8, '0');
  const top = `archive/${scope.stanza}/${archiveId}`;
  const folders = (await list(scope, repository, top)).filter(
    (name) => name.length === 16 && name.startsWith(prefix),
  );
  const newest = folders.sort().at(-1);
  if (newest === undefined) return undefined;
  const names = await list(scope, repository, `${top}/${newest}`);
  return names
    .flatMap((name) => /^([0-9A-F]{24})-[0-9a-f]{40}/.exec(name)?.[1] ?? [])
    .sort()
    .at(-1);
}

async function list(scope: PgbackrestScope, repository: number, path: string): Promise<readonly string[]> {
  const outcome = await runPgbackrest(scope, [`--repo=${repository}`, 'repo-ls', path], {
    timeoutMs: 300_000,
  });
  if (outcome.exitCode === 0) return outcome.stdout.split('\n');
  throw failureOf(scope, outcome, `Listing ${path} in repository ${repository}`, `Check ${scope.config}.`)
    .error;
}

/** Lists the archived segments of the folders that the given ones are in. */
export async function listSegments(
  scope: PgbackrestScope,
  repository: number,
  archiveId: string,
  needed: readonly string[],
): Promise<ArchiveContent> {
  const segments = new Map<string, number>();
  for (const folder of new Set(needed.map((name) => name.slice(0, 16)))) {
    const path = `archive/${scope.stanza}/${archiveId}/${folder}`;
    for (const line of await list(scope, repository, path)) {
      const name = /^([0-9A-F]{24})-[0-9a-f]{40}/.exec(line)?.[1];
      if (name !== undefined) segments.set(name, (segments.get(name) ?? 0) + 1);
    }
  }
  return { segments };
}

/** The history of a timeline from the archive; undefined: the file is missing, or is none of that timeline. */
export async function readHistory(
  scope: PgbackrestScope,
  repository: number,
  archiveId: string,
  timeline: number,
): Promise<readonly TimelineSwitch[] | undefined> {
  if (timeline === 1) return [];
  const file = `${timeline.toString(16).toUpperCase().padStart(8, '0')}.history`;
  const outcome = await runPgbackrest(
    scope,
    [`--repo=${repository}`, 'repo-get', `archive/${scope.stanza}/${archiveId}/${file}`],
    { timeoutMs: 60_000 },
  );
  const history = outcome.exitCode === 0 ? parseHistory(outcome.stdout) : undefined;
  return (history?.at(-1)?.timeline ?? 0) < timeline ? history : undefined;
}

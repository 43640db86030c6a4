/** Whether a standby can take over, and what is lost if it does. Nothing is changed. */
import { MusterError, messageOf, PermanentError } from '../../src/errors.js';
import { formatBytes, formatCount, formatDuration } from '../../src/model/format.js';
import { withClient } from '../../src/postgres.js';
import type { DatabaseAt, MusterActivities, StandbyState } from '../contract.js';
import { lsnToNumber, parseSegment } from '../pgbackrest/wal.js';
import { adminOf } from '../service/index.js';
import { type ArchiveEnd, archiveEnd, requireSameHistory } from './archived.js';
import { countMissing } from './missing.js';
import { onStandby, readFacts, type StandbyFacts } from './state.js';

type Input = Parameters<MusterActivities['checkStandby']>[0];

/** A primary that is there answers at once; one that is gone must not hold the look up. */
const PRIMARY_MS = 2_000;

export async function checkStandby({ standby, primary, backup, dataClasses }: Input): Promise<StandbyState> {
  const { facts, missing } = await onStandby(standby, async (client) => {
    const facts = await readFacts(client);
    requireUsable(standby, facts);
    return { facts, missing: await countMissing(client, dataClasses, facts.time) };
  });
  const { systemIdentifier, timeline, segmentBytes } = facts;
  const [primaryLsn, archive] = await Promise.all([
    positionOf(primary),
    archiveEnd(standby, backup, systemIdentifier).catch((error: unknown): ArchiveEnd => {
      if (!(error instanceof MusterError)) throw error;
      return { newest: null, answering: [], silent: [error] };
    }),
  ]);
  requireSameHistory(archive.newest, standby, facts, segmentBytes);
  const known = furthest(facts, primaryLsn, archive);
  const replayedLsn = facts.replayedLsn ?? '0/0';
  const lagBytes = Math.max(0, lsnToNumber(known.lsn) - lsnToNumber(replayedLsn));
  const lagMs =
    facts.heardAt === null || facts.lastCommitAt === null
      ? null
      : Math.max(0, Date.parse(facts.heardAt) - Date.parse(facts.lastCommitAt));
  const state = {
    site: standby.site,
    systemIdentifier,
    timeline,
    time: facts.time,
    receiver: facts.receiver ?? 'none',
    heardAt: facts.heardAt,
    receivedLsn: facts.receivedLsn,
    replayedLsn,
    lastCommitAt: facts.lastCommitAt,
    knownLsn: known.lsn,
    knownFrom: known.from,
    lagBytes,
    lagMs,
    primaryAnswers: primaryLsn !== undefined,
    newestArchived: archive.newest,
    ...missing,
  };
  const silent =
    archive.silent.length === 0 ? '' : `; not every repository answers: ${messageOf(archive.silent[0])}`;
  return { ...state, summary: `${summaryOf(state)}${silent}` };
}

/** @throws PermanentError `StandbyUnusable` */
function requireUsable({ site, postgres }: DatabaseAt, facts: StandbyFacts): void {
  const refuse = (what: string, next: string) => {
    throw new PermanentError('StandbyUnusable', `The standby at ${site} cannot take over: ${what}.`, {
      why: 'It was looked at only; nothing was changed.',
      next,
    });
  };
  if (!facts.inRecovery) {
    refuse(
      'it is no standby, it takes writes already',
      'Find out who promoted it, and when. If that was meant, lead traffic there by hand; else recover from backups.',
    );
  }
  if (facts.replayedLsn === null) {
    refuse('it has replayed nothing yet', `See in its log (${postgres.service.logFile}) what it waits for.`);
  }
  if (!facts.archiving || facts.readOnlyByDefault) {
    refuse(
      facts.archiving
        ? 'it refuses writes by default (default_transaction_read_only)'
        : 'it would not archive its WAL as a primary (archive_mode, archive_command)',
      'Correct the setting there, restart it, then retry the step.',
    );
  }
}

/** How far the primary has written; undefined: it does not answer, or is none. */
async function positionOf({ postgres }: DatabaseAt): Promise<string | undefined> {
  const options = { statementTimeoutMs: PRIMARY_MS, connectTimeoutMs: PRIMARY_MS };
  try {
    return await withClient(
      adminOf(postgres),
      { ...options, applicationName: 'muster standby' },
      async (client) =>
        (
          await client.query<{ lsn: string | null }>(
            'select case when not pg_is_in_recovery() then pg_current_wal_lsn()::text end as lsn',
          )
        ).rows[0]?.lsn ?? undefined,
    );
  } catch {
    return undefined;
  }
}

function furthest(
  facts: StandbyFacts,
  primaryLsn: string | undefined,
  { newest }: ArchiveEnd,
): { readonly lsn: string; readonly from: StandbyState['knownFrom'] } {
  const archived = newest === null ? undefined : endOf(newest, facts.segmentBytes);
  const known = [
    { lsn: primaryLsn, from: 'primary' as const },
    { lsn: facts.toldLsn ?? undefined, from: 'receiver' as const },
    { lsn: archived, from: 'archive' as const },
    { lsn: facts.receivedLsn ?? undefined, from: 'standby' as const },
    { lsn: facts.replayedLsn ?? undefined, from: 'standby' as const },
  ].flatMap(({ lsn, from }) => (lsn === undefined ? [] : [{ lsn, from }]));
  // A segment's end may be padding: whoever is beyond its beginning has lost nothing for certain, nor is it said so.
  return known.reduce((most, one) => (lsnToNumber(one.lsn) > lsnToNumber(most.lsn) ? one : most), {
    lsn: '0/0',
    from: 'standby',
  });
}

/** Position at which a segment ends. */
export function endOf(segment: string, segmentBytes: number): string {
  const { index } = parseSegment(segment, segmentBytes);
  const bytes = (index + 1) * segmentBytes;
  return `${Math.floor(bytes / 0x1_0000_0000)
    .toString(16)
    .toUpperCase()}/${(bytes % 0x1_0000_0000).toString(16).toUpperCase()}`;
}

function summaryOf(state: Omit<StandbyState, 'summary'>): string {
  const lost = Object.entries(state.loses).map(
    ([name, { records, windowMs }]) =>
      `${formatCount(records)} ${name} acknowledged are not in it${records === 0 ? '' : `, over ${formatDuration(windowMs)}`}`,
  );
  const unknown = state.lossUnknown.map((name) => `what is missing of ${name} is not known`);
  const behind =
    state.lagBytes === 0
      ? `has all that is known of the primary (${state.knownLsn})`
      : `is ${formatBytes(state.lagBytes)} behind what the ${state.knownFrom} knows`;
  return [
    `${state.site} is on timeline ${state.timeline} at ${state.replayedLsn} and ${behind}`,
    `newest commit ${state.lastCommitAt ?? 'unknown'}`,
    ...lost,
    ...unknown,
    state.primaryAnswers ? 'THE PRIMARY ANSWERS' : 'the primary does not answer',
  ].join('; ');
}

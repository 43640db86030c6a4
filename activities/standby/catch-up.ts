/**
 * Brings a standby to the end of all that there is and holds it there. Order matters: first it is cut off from the primary, so
 * that the end is one; then what it received and what only the archive has is replayed; then replay is paused and WAL is
 * kept away, so that what is verified is what is promoted.
 */
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import type { Client } from 'pg';
import { PermanentError, TransientError } from '../../src/errors.js';
import { formatBytes, formatCount } from '../../src/model/format.js';
import type { Progress } from '../../src/model/run.js';
import { runTool } from '../../src/process.js';
import { activitySignal } from '../context.js';
import type { DatabaseAt, MusterActivities, StandbyCaughtUp, Summarised } from '../contract.js';
import { lsnToNumber, parseSegment } from '../pgbackrest/wal.js';
import { removeOwnSettings, writeOwnSettings } from '../restore/settings.js';
import { archiveGetCommand } from '../restore/shell.js';
import { hasLeftRecovery, programOf } from '../service/index.js';
import { replacedByOther, requireFencingToken, withVault } from '../vault/index.js';
import { type ArchiveEnd, archiveEnd, requireAnswer, requireSameHistory } from './archived.js';
import { countMissing } from './missing.js';
import { onStandby, readFacts, type StandbyFacts } from './state.js';

type Input = Parameters<MusterActivities['catchUpStandby']>[0];

const POLL_MS = 50;
/** The end is reached when nothing has moved for this long although nothing is missing any more. */
const STILL_MS = 300;
const STUCK_MS = 120_000;
const WALDUMP_MS = 30_000;

export async function catchUpStandby(
  input: Input,
  update: (progress: Progress) => void,
): Promise<StandbyCaughtUp> {
  const { at, standby, backup, state, vault, token, dataClasses } = input;
  await withVault(vault, activitySignal(), (open) => requireFencingToken(open, { ...at, token }));
  const archive = await archiveEnd(standby, backup, state.systemIdentifier);
  requireAnswer(archive, backup);
  return onStandby(standby, async (client) => {
    const before = await readFacts(client);
    requireSame(input, before);
    requireSameHistory(archive.newest, standby, state, before.segmentBytes);
    await cutOff(client, input, archive);
    const end = await untilEnd(client, input, archive, update);
    await pause(client, standby);
    await seal(client, input);
    const facts = await readFacts(client);
    requireSame(input, facts);
    const lsn = facts.replayedLsn ?? '0/0';
    if (lsn !== end) {
      throw new TransientError(
        'StandbyMoved',
        `The standby at ${standby.site} went on from ${end} to ${lsn}.`,
        {
          next: 'Nothing has to be done: the step tries again.',
        },
      );
    }
    await requireNothingAfter(standby, facts.timeline, lsn);
    const missing = await countMissing(client, dataClasses, facts.time);
    const replayedBytes = Math.max(0, lsnToNumber(lsn) - lsnToNumber(before.replayedLsn ?? lsn));
    const lost = Object.entries(missing.loses).map(
      ([name, { records }]) => `${formatCount(records)} acknowledged ${name} are not in it`,
    );
    return {
      systemIdentifier: facts.systemIdentifier,
      timeline: state.timeline,
      time: facts.time,
      lsn,
      lastCommitAt: facts.lastCommitAt,
      newestArchived: archive.newest,
      replayedBytes,
      ...missing,
      summary: [
        `paused at ${lsn}, the end of all that is there`,
        `newest commit ${facts.lastCommitAt ?? 'unknown'}`,
        ...(replayedBytes === 0 ? [] : [`${formatBytes(replayedBytes)} replayed by this step`]),
        ...lost,
      ].join('; '),
    };
  });
}

/** Lets the standby follow the primary as it did before. */
export async function followAgain({
  at,
  standby,
  vault,
}: Parameters<MusterActivities['followAgain']>[0]): Promise<Summarised> {
  const stays = await withVault(vault, activitySignal(), (open) => replacedByOther(open, at));
  if (stays !== undefined) return { summary: `${standby.site} stays as it is: ${stays}` };
  if (await hasLeftRecovery(standby.postgres, Number.POSITIVE_INFINITY)) {
    throw new PermanentError('StandbyPromoted', `The standby at ${standby.site} takes writes.`, {
      next: 'It stays as it is. Find out who promoted it; it must not follow another server any more.',
    });
  }
  await removeOwnSettings(standby, 'hold');
  await onStandby(standby, async (client) => {
    await client.query('select pg_reload_conf()');
    await client.query('select pg_wal_replay_resume()');
  });
  return { summary: `${standby.site} follows its primary again` };
}

/** @throws PermanentError `StandbyUnusable` */
function requireSame({ standby, state }: Input, facts: StandbyFacts): void {
  const wrong = [
    ...(facts.inRecovery ? [] : ['it takes writes already']),
    ...(facts.systemIdentifier === state.systemIdentifier
      ? []
      : [`it is system ${facts.systemIdentifier}, not ${state.systemIdentifier}`]),
    ...(facts.timeline === state.timeline
      ? []
      : [`it is on timeline ${facts.timeline}, not ${state.timeline}`]),
  ];
  if (wrong.length === 0) return;
  throw new PermanentError(
    'StandbyUnusable',
    `The standby at ${standby.site} is not the one that was looked at: ${wrong.join('; ')}.`,
    { next: 'Find out what happened to it. It must not be promoted by this run.' },
  );
}

/** From here on no WAL comes but from the archive. */
async function cutOff(client: Client, { standby, backup }: Input, archive: ArchiveEnd): Promise<void> {
  const all = archive.silent.length === 0;
  const restore = archiveGetCommand(standby.postgres, backup, all ? {} : { only: archive.answering[0] });
  await writeOwnSettings(
    standby,
    {
      ...DETACHED,
      restore_command: restore,
      // Asked again at once instead of every 5 s.
      wal_retrieve_retry_interval: '100ms',
    },
    'hold',
  );
  await reload(client, standby, restore);
  await client.query('select pg_wal_replay_resume()');
}

const DETACHED = {
  primary_conninfo: '',
  primary_slot_name: '',
  recovery_min_apply_delay: '0',
  // A promoted standby has none of its own yet: commits would wait for one for ever.
  synchronous_standby_names: '',
};

/** @returns the position at which nothing more is to come */
async function untilEnd(
  client: Client,
  { standby }: Input,
  { newest }: ArchiveEnd,
  update: (progress: Progress) => void,
): Promise<string> {
  const signal = activitySignal();
  const { rows: clock } = await client.query<{ now: Date }>('select clock_timestamp() as now');
  const since = clock[0]?.now ?? new Date();
  const begun = await readFacts(client);
  const first = lsnToNumber(begun.replayedLsn ?? '0/0');
  let seen: string | null = null;
  let movedAt = performance.now();
  let incompleteAt = movedAt;
  for (;;) {
    signal.throwIfAborted();
    const facts = await readFacts(client);
    const { replayedLsn, receivedLsn, receiver, segmentBytes } = facts;
    const replayed = lsnToNumber(replayedLsn ?? '0/0');
    if (replayedLsn !== seen) movedAt = performance.now();
    seen = replayedLsn;
    const behind = receivedLsn === null ? 0 : Math.max(0, lsnToNumber(receivedLsn) - replayed);
    update({
      done: replayed - first,
      total: replayed - first + behind,
      unit: 'bytes',
      text: `replaying what is left, at ${replayedLsn ?? 'an unknown position'}`,
    });
    const stillMs = performance.now() - movedAt;
    const complete =
      receiver === null &&
      behind === 0 &&
      (await archiveIsReplayed(client, newest, replayed, segmentBytes, since));
    // While a segment is fetched the replay stands still as well: only what follows counts.
    if (!complete) incompleteAt = performance.now();
    const quietMs = Math.min(stillMs, performance.now() - incompleteAt);
    if (quietMs > STILL_MS && replayedLsn !== null) return replayedLsn;
    if (stillMs > STUCK_MS) throw stuck(standby, facts, newest);
    await wait(POLL_MS, undefined, { signal });
  }
}

/** The newest archived segment lies behind what is replayed, or was fetched since and holds no more than that. */
async function archiveIsReplayed(
  client: Client,
  newest: string | null,
  replayed: number,
  segmentBytes: number,
  since: Date,
): Promise<boolean> {
  if (newest === null) return true;
  const index = parseSegment(newest, segmentBytes).index;
  const current = Math.floor(replayed / segmentBytes);
  if (index !== current) return index < current;
  const { rows } = await client.query('select from pg_ls_waldir() where name = $1 and modification > $2', [
    newest,
    since,
  ]);
  return rows.length > 0;
}

/**
 * That the replay stood still proves nothing on a busy machine, and a promotion replays what lies in place after the position at
 * which it was paused (PostgreSQL 15, tried). So that is looked at, in the files themselves.
 *
 * @throws TransientError `StandbyMoved`
 */
async function requireNothingAfter(
  { site, postgres }: DatabaseAt,
  timeline: number,
  lsn: string,
): Promise<void> {
  const { account, dataDirectory } = postgres.service;
  const { exitCode, stdout } = await runTool(
    await programOf(postgres, 'pg_waldump'),
    ['--path', join(dataDirectory, 'pg_wal'), '--timeline', String(timeline), '--start', lsn, '--limit', '1'],
    { account, timeoutMs: WALDUMP_MS, signal: activitySignal() },
  );
  // It fails where no record follows.
  if (exitCode !== 0 || stdout.trim() === '') return;
  throw new TransientError(
    'StandbyMoved',
    `At ${site} more WAL lies in place after ${lsn}, where it was paused.`,
    {
      next: 'Nothing has to be done: the step tries again and replays it.',
    },
  );
}

async function pause(client: Client, { site }: DatabaseAt): Promise<void> {
  await client.query('select pg_wal_replay_pause()');
  await until(site, 'paused', async () => (await readFacts(client)).pauseState === 'paused');
}

/**
 * Nothing but the names of timelines comes from the archive any more: a promotion looks for those, so that it takes no number
 * that is taken already.
 */
async function seal(client: Client, { standby, backup }: Input): Promise<void> {
  const get = archiveGetCommand(standby.postgres, backup);
  const restore = `case "%f" in *.history) ${get} ;; *) false ;; esac`;
  await writeOwnSettings(standby, { ...DETACHED, restore_command: restore }, 'hold');
  await reload(client, standby, restore);
}

async function reload(client: Client, { site }: DatabaseAt, restoreCommand: string): Promise<void> {
  await client.query('select pg_reload_conf()');
  await until(site, 'set anew', async () => {
    const { rows } = await client.query<{ command: string }>(
      "select current_setting('restore_command') as command",
    );
    return rows[0]?.command === restoreCommand;
  });
}

const SOON_MS = 15_000;

async function until(site: string, what: string, is: () => Promise<boolean>): Promise<void> {
  const signal = activitySignal();
  const begun = performance.now();
  while (!(await is())) {
    if (performance.now() - begun > SOON_MS) {
      throw new TransientError(
        'StandbySlow',
        `The standby at ${site} is not ${what} within ${SOON_MS / 1000} s.`,
        {
          next: 'See its log, and whether somebody changed its settings with ALTER SYSTEM. The step tries again.',
        },
      );
    }
    await wait(POLL_MS, undefined, { signal });
  }
}

function stuck(standby: DatabaseAt, facts: StandbyFacts, newest: string | null): TransientError {
  return new TransientError(
    'CatchUpStalled',
    `The standby at ${standby.site} stands at ${facts.replayedLsn ?? 'an unknown position'} and does not go on; the archive holds up to ${newest ?? 'nothing'}.`,
    {
      why: 'A segment between the two may be missing or damaged in the archive.',
      next: `Look at ${standby.postgres.service.logFile}. The step tries again by itself for a while.`,
    },
  );
}

/** The newest recovery point in which every rule of the runbook holds: for damage that nobody can date. */
import { PermanentError, TransientError } from '../../src/errors.js';
import { formatCount, formatDuration } from '../../src/model/format.js';
import type { Progress } from '../../src/model/run.js';
import { byDriver, type OfPgbackrest } from '../../src/runbook/backups.js';
import type { Invariant, PgbackrestBackup } from '../../src/runbook/schema.js';
import { activitySignal } from '../context.js';
import type {
  CleanPointSearch,
  DatabaseAt,
  InvariantResult,
  MusterActivities,
  RecoveryPoint,
  StepRef,
} from '../contract.js';
import { openPrivateCopy, removePrivateCopy } from '../private/copy.js';
import { withProgress } from '../progress.js';
import { type FirstBad, findFirstBad } from './first-bad.js';
import { archiveNewest } from './live.js';
import { justAfter } from './moment.js';
import { askAll, type Effort, probeIn } from './probe.js';
import { pointAt } from './propose.js';
import { searchArchives } from './search-archives.js';
import { type CleanBase, listBases, newestCleanBase } from './search-backups.js';

/** The primary still serves users: two at once leave it room. */
const ASKED_AT_ONCE = 2;

const ASSUMES =
  'every rule held until the first bad commit and at least one has been broken ever since: damage that was mended in between is not seen';

/**
 * Looks at restore points in a private copy at the target until the first commit is known after which a rule is broken, and
 * proposes the state before it; of dump archives the newest clean one. Nothing but the copy is touched, and it is gone afterwards.
 *
 * @throws PermanentError `NoInvariants`, `DamageNotFound`, `DamageNotArchived`, `DamageNotSteady`, `NoCleanBackup`, `NoRoom`, and
 *   what restoring, replaying and asking throw
 */
export const searchPoint: MusterActivities['searchPoint'] = byDriver({
  pgbackrest: (input) => begin((update) => search(input, update)),
  archive: (input) => begin(async (update) => searchArchives(input, await askBroken(input), update)),
});

function begin(
  work: (update: (progress: Progress) => void) => Promise<RecoveryPoint>,
): Promise<RecoveryPoint> {
  return withProgress({ done: 0, unit: 'rows', text: 'asking the rules on the live data' }, work);
}

async function search(
  {
    at,
    damaged,
    target,
    backup,
    invariants,
    dataClasses,
  }: OfPgbackrest<Parameters<MusterActivities['searchPoint']>[0]>,
  update: (progress: Progress) => void,
) {
  const begun = performance.now();
  const live = await askBroken({ damaged, invariants });
  // After the rules were asked: what has broken them by now is archived.
  const primary = at.mode === 'real' ? await archiveNewest(damaged, activitySignal()) : undefined;
  const { systemIdentifier = '', timeline = 0 } = primary ?? {};
  const { bases } = await listBases(target.postgres, backup, { systemIdentifier, timeline });
  const found = await inPrivateCopy({ at, target, backup, invariants, live }, bases, update);
  const { first, effort, clean } = found;
  const searched = describeSearch(found, bases.length, performance.now() - begun);
  const { commit, outOfOrder, lastGood } = first;
  const exact = outOfOrder && lastGood !== undefined && lastGood.at > clean.at;
  const point = await pointAt({
    damaged,
    backup,
    moment: exact ? justAfter(later(lastGood.at, commit.at)) : commit.at,
    asked: 'searched',
    ...(exact ? { through: { at: lastGood.at, lsn: lastGood.lsn } } : {}),
    primary,
    dataClasses,
    notes: [
      inWords(searched),
      `found with ${formatCount(effort.restores)} restores and ${formatCount(effort.looks)} looks`,
    ],
  });
  return { ...point, search: searched };
}

interface Found {
  readonly first: FirstBad;
  readonly effort: Effort;
  readonly clean: { readonly label: string; readonly at: string };
}

async function inPrivateCopy(
  {
    at,
    target,
    backup,
    invariants,
    live,
  }: {
    readonly at: StepRef;
    readonly target: DatabaseAt;
    readonly backup: PgbackrestBackup;
    readonly invariants: readonly Invariant[];
    readonly live: readonly InvariantResult[] | undefined;
  },
  bases: Parameters<typeof newestCleanBase>[0],
  update: (progress: Progress) => void,
): Promise<Found> {
  const largest = Math.max(...bases.map(({ source }) => source.databaseBytes));
  const copy = await openPrivateCopy(at, target, backup, 'search', largest);
  try {
    const probe = probeIn(copy, invariants, update);
    const clean: CleanBase = await newestCleanBase(bases, probe);
    const first = await findFirstBad(clean, { live }, copy.place, probe);
    const { label, timestamp } = clean.base.info;
    return {
      first,
      effort: probe.effort(),
      clean: { label, at: new Date((timestamp.stop + 1) * 1000).toISOString() },
    };
  } finally {
    await copy.close();
  }
}

/** Removes what a search has left, where it was called off together with its worker. */
export const endSearch: MusterActivities['endSearch'] = async ({ at, target }) => {
  const removed = await removePrivateCopy(at, target, 'search');
  return { summary: removed ? 'the private copy of the search is removed' : 'the search has left nothing' };
};

/**
 * @returns what is broken on the live data; undefined: it does not answer
 * @throws PermanentError `NoInvariants`, `DamageNotFound`
 */
async function askBroken({
  damaged,
  invariants,
}: Pick<Parameters<MusterActivities['searchPoint']>[0], 'damaged' | 'invariants'>): Promise<
  readonly InvariantResult[] | undefined
> {
  if (invariants.length === 0) throw noInvariants();
  const live = await askLive(damaged, invariants);
  if (live !== undefined && live.length === 0) throw nothingBroken(damaged.site);
  return live;
}

async function askLive(
  damaged: DatabaseAt,
  invariants: readonly Invariant[],
): Promise<readonly InvariantResult[] | undefined> {
  try {
    return await askAll(damaged, invariants, ASKED_AT_ONCE);
  } catch (error) {
    activitySignal().throwIfAborted();
    if (error instanceof TransientError) return undefined;
    throw error;
  }
}

function describeSearch(
  { first, effort, clean }: Found,
  backups: number,
  durationMs: number,
): CleanPointSearch {
  const { commit, lastGood, broken, segments, commits } = first;
  return {
    firstBad: { at: commit.at, lsn: commit.lsn, xid: commit.xid },
    lastGood: lastGood === undefined ? null : { at: lastGood.at, lsn: lastGood.lsn },
    broken,
    base: clean.label,
    candidates: { backups, segments, commits },
    ...effort,
    durationMs: Math.round(durationMs),
    assumes: ASSUMES,
  };
}

function inWords({ firstBad, broken, durationMs }: CleanPointSearch): string {
  const rules = broken.map(({ name }) => name).join(', ');
  return `the first bad commit is transaction ${firstBad.xid} of ${firstBad.at} at ${firstBad.lsn}: from it on ${rules} ${broken.length === 1 ? 'is' : 'are'} broken; searched for ${formatDuration(durationMs)}`;
}

function later(one: string, other: string): string {
  return one > other ? one : other;
}

function noInvariants(): PermanentError {
  return new PermanentError(
    'NoInvariants',
    'The runbook has no invariants: nothing tells good data from bad.',
    {
      next: 'Say with --before until when the data was good, or add invariants (verification.invariants).',
    },
  );
}

function nothingBroken(site: string): PermanentError {
  return new PermanentError(
    'DamageNotFound',
    `On the live data at ${site} every rule of the runbook holds.`,
    {
      why: 'The damage is of a kind that no invariant sees, or it was mended.',
      next: 'Say with --before until when the data was good, or add an invariant that sees the damage (verification.invariants) and begin again.',
    },
  );
}

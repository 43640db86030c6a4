/** From a clean backup forward to the first commit after which a rule is broken. */
import { PermanentError } from '../../src/errors.js';
import type { DatabaseAt, InvariantResult } from '../contract.js';
import { lsnToNumber } from '../pgbackrest/wal.js';
import { type Commit, commitReader, type LoggedCommit, lastCommits, listCommits } from './commits.js';
import type { Probe } from './probe.js';
import { type CleanBase, segmentsFrom } from './search-backups.js';
import { nextLook } from './split.js';

export interface FirstBad {
  readonly commit: LoggedCommit;
  readonly broken: readonly InvariantResult[];
  /** The last commit before it; undefined: there is none since the backup was consistent. */
  readonly lastGood?: Commit;
  /** Whether a commit that is logged before it bears a later time, or the same. */
  readonly outOfOrder: boolean;
  /** How much there was to tell apart: segments, and commits in the one that it is in. */
  readonly segments: number;
  readonly commits: number;
}

/** What is known without another look. */
export interface Known {
  /** Rules that are broken on the live data; undefined: nobody could ask it. */
  readonly live: readonly InvariantResult[] | undefined;
}

/**
 * Segments first, of which only the last commit is read, then the commits of the one that is left: each look halves, roughly, what
 * is possible, and only one that goes too far costs a restore.
 *
 * @param copy holds the cluster: pgBackRest knows by it whose WAL is meant
 * @throws PermanentError `DamageNotFound`, `DamageNotArchived`, `DamageNotSteady`
 */
export async function findFirstBad(
  { base, look: { lsn }, damaged: damagedBackup }: CleanBase,
  { live }: Known,
  copy: DatabaseAt,
  probe: Probe,
): Promise<FirstBad> {
  const { source, holding } = base;
  const { scope, repository, timeline } = holding;
  const { dataDirectory } = copy.postgres.service;
  const consistent = lsnToNumber(lsn);
  const all = await segmentsFrom(base);
  const stop = damagedBackup?.info.archive.stop ?? undefined;
  // Where a record goes on in the next segment it counts with the one before.
  const segments = stop === undefined ? all : all.slice(0, all.indexOf(stop) + 2);
  const read = commitReader(copy.postgres, scope, repository, dataDirectory);
  const endOf = async (segment: number): Promise<Commit | undefined> => {
    const last = await lastCommits(segments.slice(0, segment + 1), read);
    return last !== undefined && lsnToNumber(last.commits.end.lsn) >= consistent
      ? last.commits.end
      : undefined;
  };
  const isAfter = (commit: Commit | undefined, other: Commit | undefined): commit is Commit =>
    commit !== undefined && (other === undefined || lsnToNumber(commit.lsn) > lsnToNumber(other.lsn));

  // All is clean through `good`, and not through `bad`.
  let good: Commit | undefined;
  let bad: Commit | undefined;
  let clean = -1;
  let damaged = segments.length - 1;
  if (damagedBackup === undefined && live === undefined) {
    const end = await endOf(damaged);
    if (end === undefined || (await probe.after(source, end)).broken.length === 0) throw notFound();
    bad = end;
  }
  for (;;) {
    const next = nextLook(clean, damaged, probe.costs());
    if (next === undefined) break;
    const end = await endOf(next);
    if (!isAfter(end, good)) {
      clean = next;
    } else if ((await probe.after(source, end)).broken.length === 0) {
      clean = next;
      good = end;
    } else {
      bad = end;
      damaged = next;
    }
  }

  const logged = await listCommits(copy.postgres, scope, repository, dataDirectory, [
    ...segments.slice(Math.max(clean, 0), damaged + 1),
  ]);
  const left = logged.filter(
    (commit) =>
      lsnToNumber(commit.lsn) >= consistent &&
      isAfter(commit, good) &&
      (bad === undefined || !isAfter(commit, bad)),
  );
  let lastClean = -1;
  let firstBad = left.length - 1;
  for (;;) {
    const next = nextLook(lastClean, firstBad, probe.costs());
    const commit = next === undefined ? undefined : left[next];
    if (next === undefined || commit === undefined) break;
    if ((await probe.after(source, commit)).broken.length === 0) lastClean = next;
    else firstBad = next;
  }
  const commit = left[firstBad];
  const { broken } = commit === undefined ? { broken: [] } : await probe.after(source, commit);
  if (commit === undefined || broken.length === 0) {
    throw damagedBackup === undefined ? notArchived(live ?? []) : notSteady(damagedBackup.source.label);
  }
  const before = left.slice(0, firstBad);
  const lastGood = before.at(-1) ?? good;
  return {
    commit,
    broken,
    ...(lastGood === undefined ? {} : { lastGood }),
    outOfOrder: [...before, ...(good === undefined ? [] : [good])].some(({ at }) => at >= commit.at),
    segments: segments.length,
    commits: left.length,
  };

  function notSteady(label: string): PermanentError {
    return new PermanentError(
      'DamageNotSteady',
      `In backup ${label} rules are broken, and at the end of the WAL up to it all of them hold (timeline ${timeline}).`,
      {
        why: 'A rule was broken and mended again, so the first bad commit cannot be found by halving.',
        next: 'Find out what happened around that backup, then begin again with --before.',
      },
    );
  }
}

function notFound(): PermanentError {
  return new PermanentError('DamageNotFound', 'At the end of the archive every rule of the runbook holds.', {
    why: 'The damage is of a kind that no invariant sees, or it is not in the archive.',
    next: 'Say with --before until when the data was good, or add an invariant that sees the damage (verification.invariants) and begin again.',
  });
}

function notArchived(broken: readonly InvariantResult[]): PermanentError {
  return new PermanentError(
    'DamageNotArchived',
    `On the live data rules are broken (${broken.map(({ name }) => name).join(', ')}), and at the end of the archive all of them hold.`,
    {
      why: 'What has broken them is not archived yet, or it did not go through the log (a damaged file).',
      next: 'See whether archiving works and retry the step; or say with --before until when the data was good.',
    },
  );
}

/** The newest state that the archive leads to: for a server that is gone, where nothing that it wrote is bad. */
import { PermanentError } from '../../src/errors.js';
import type { OfPgbackrest } from '../../src/runbook/backups.js';
import type { PgbackrestBackup, PostgresSite } from '../../src/runbook/schema.js';
import { activitySignal } from '../context.js';
import type { MusterActivities, RecoveryPoint } from '../contract.js';
import { repositoryName } from '../pgbackrest/command.js';
import type { BackupInfo } from '../pgbackrest/info.js';
import { withStandIn } from '../pgbackrest/stand-in.js';
import { lsnToNumber } from '../pgbackrest/wal.js';
import { answering, type Candidate, type Refusal } from './candidates.js';
import { type Commit, commitReader, lastCommits, type ReadCommits } from './commits.js';
import { describePoint } from './describe.js';
import { type Holding, lookInto, pathFrom, type WalPath } from './holding.js';
import { countLosses } from './losses.js';
import { justAfter } from './moment.js';

type Input = OfPgbackrest<Parameters<MusterActivities['proposeNewest']>[0]>;

/** How far a repository leads. */
interface Reach extends Candidate {
  readonly end: Commit;
  /** Just after the newest of all commits that are replayed. */
  readonly time: string;
  /** The first segment that is missing, where the archive goes on after a gap. */
  readonly gap?: string;
}

/**
 * Proposes the last commit that any of the repositories leads to, with the backup and all the WAL up to it proven present. The
 * lost primary is not asked for anything.
 *
 * @throws what the repository that could be read says, for instance PermanentError `NoBackup`, `NoCommit`, `WrongTimeline`
 */
export async function proposeNewest({ from, backup, dataClasses }: Input): Promise<RecoveryPoint> {
  const held = await Promise.all(
    backup.repositories.map(({ number }) => lookIntoOne(from.postgres, backup, number)),
  );
  const holdings = held.filter((one): one is Holding => 'archiveId' in one);
  const [first] = holdings;
  const examined: readonly (Reach | Refusal)[] =
    first === undefined
      ? []
      : await withStandIn(from.postgres, first.systemIdentifier, (standIn) =>
          Promise.all(holdings.map((holding) => examine(from.postgres, holding, first, standIn))),
        );
  const reaching = examined.filter((one): one is Reach => 'end' in one);
  const refused = [...held, ...examined].filter((one): one is Refusal => 'error' in one);
  const furthest = reaching.reduce<Reach | undefined>(
    (best, one) => (best === undefined || isFurther(one, best) ? one : best),
    undefined,
  );
  if (furthest === undefined) throw refused[0]?.error ?? new TypeError('No repository was examined.');
  const usable = reaching.filter((one) => !isFurther(furthest, one));
  const losses = await countLosses(dataClasses, furthest.time, activitySignal());
  const { end, time } = furthest;
  const notes = [
    ...refused.map(
      (one) => `${repositoryName(backup, one.repository)} cannot be used (${one.error.message})`,
    ),
    ...reaching
      .filter((one) => !usable.includes(one))
      .map((one) => `${repositoryName(backup, one.repository)} ends at ${one.end.at} already`),
    ...usable
      .filter(({ gap }) => gap !== undefined)
      .map(
        ({ repository, gap }) =>
          `in ${repositoryName(backup, repository)} segment ${gap} is missing: what was archived after it cannot be replayed`,
      ),
  ];
  return describePoint({
    best: furthest,
    usable,
    backup,
    time,
    asked: 'newest',
    through: end,
    losses,
    notes,
  });
}

function lookIntoOne(
  postgres: PostgresSite,
  backup: PgbackrestBackup,
  repository: number,
): Promise<Holding | Refusal> {
  return answering(repository, () =>
    lookInto(postgres, backup, repository, { systemIdentifier: '', timeline: 0 }),
  );
}

function examine(
  postgres: PostgresSite,
  holding: Holding,
  { systemIdentifier: expected }: Holding,
  standIn: string,
): Promise<Reach | Refusal> {
  const { scope, repository, systemIdentifier, timeline, name } = holding;
  return answering(repository, async () => {
    if (systemIdentifier !== expected) throw anotherCluster(name, systemIdentifier, expected);
    const { path, last } = await lastLeg(holding, commitReader(postgres, scope, repository, standIn));
    const gap = path.segments[path.present.length];
    return {
      ...{ repository, systemIdentifier, timeline, backup: path.backup },
      segments: path.present.slice(0, last.segment + 1),
      end: last.commits.end,
      time: justAfter(last.commits.last),
      ...(gap === undefined ? {} : { gap }),
    };
  });
}

/**
 * The newest backup that something was committed after, with its WAL. Replay cannot stop before the end of the backup that it begins
 * with (manual: 26.3.4): where the archive ends in a backup, the one before it leads on.
 *
 * @throws PermanentError `NoCommit`, `WrongTimeline`
 */
export async function lastLeg(
  holding: Holding,
  read: ReadCommits,
): Promise<{ readonly path: WalPath; readonly last: NonNullable<Awaited<ReturnType<typeof lastCommits>>> }> {
  let { backups } = holding;
  for (;;) {
    const path = await pathFrom(holding, backups);
    const last = await lastCommits(path.present, read);
    if (last !== undefined && isAfter(path.backup, last.commits.end)) return { path, last };
    backups = backups.slice(0, backups.indexOf(path.backup));
    if (backups.length === 0) throw noCommit(holding.name, path.backup.label);
  }
}

function isAfter({ lsn }: BackupInfo, commit: Commit): boolean {
  const stop = lsn?.stop ?? undefined;
  return stop === undefined || lsnToNumber(commit.lsn) >= lsnToNumber(stop);
}

/** Positions of one timeline order as numbers. */
function isFurther(one: Reach, other: Reach): boolean {
  const ahead = lsnToNumber(one.end.lsn) - lsnToNumber(other.end.lsn);
  return one.timeline === other.timeline ? ahead > 0 : one.timeline > other.timeline;
}

function noCommit(name: string, label: string): PermanentError {
  return new PermanentError(
    'NoCommit',
    `The archived WAL after the end of backup ${label} in ${name} holds no commit, and no backup before it leads there.`,
    {
      why: 'Nothing was written since that backup, or nothing of it was archived, and it is the oldest one.',
      next: 'Look whether another copy holds newer data: muster recover backupLoss tries every one. Otherwise restore that backup by hand with pgbackrest --type=immediate.',
    },
  );
}

function anotherCluster(name: string, found: string, expected: string): PermanentError {
  return new PermanentError(
    'WrongSystemIdentifier',
    `${name} holds backups of system ${found}, the others of ${expected}.`,
    { next: 'Find out which repository is of this system and correct the other in the runbook.' },
  );
}

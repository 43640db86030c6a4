import { rm } from 'node:fs/promises';
import { PermanentError, TransientError } from '../../src/errors.js';
import { formatBytes, formatDuration } from '../../src/model/format.js';
import type { Progress } from '../../src/model/run.js';
import type { PgbackrestBackup } from '../../src/runbook/schema.js';
import type { DatabaseAt } from '../contract.js';
import { repositoryName, scopeOf } from '../pgbackrest/command.js';
import { endLeftovers } from '../pgbackrest/leftovers.js';
import { askRepositories } from '../pgbackrest/reach.js';
import {
  holdLease,
  type Lease,
  markRestored,
  type RestoredFiles,
  requireHeld,
  spoolDirectoryOf,
} from '../provision/lease.js';
import { hasLeftRecovery, serviceOf } from '../service/index.js';
import { ownedDirectory } from '../service/pg-ctl.js';
import { type Answers, restoreFiles } from './files.js';
import type { RestoreInput as AnyRestoreInput, RestoreDriver } from './index.js';
import { type PausedCopy, replayToPoint } from './replay.js';
import { writeTargetSettings } from './settings.js';
import { archiveGetCommand, archivePushCommand } from './shell.js';

type RestoreInput = AnyRestoreInput<PgbackrestBackup>;

/**
 * Physical restore with pgBackRest and replay to a time (PostgreSQL manual: 26.3; pgBackRest user guide: point-in-time
 * recovery). Safe to repeat: the lease says whose files stand there and for which point, so an attempt goes on from files,
 * from replay, or finds everything done.
 */
export const pgbackrestRestore: RestoreDriver<PgbackrestBackup> = {
  async restore(input, update) {
    const lease = await ownLease(input);
    const placed = await placeFiles(input, lease, update);
    const paused = await replayFromAnyRepository(input, placed, lease, update);
    const { files } = placed;
    return {
      repository: files.repository,
      backupLabel: files.backupLabel,
      restoredBytes: files.restoredBytes,
      filesMs: files.filesMs,
      replayMs: paused.replayMs,
      delta: files.delta,
      lsn: paused.lsn,
      // PostgreSQL's own time leaves out the record at which replay stops by its position.
      lastCommitAt: input.point.through?.at ?? paused.lastCommitAt,
      summary: summarise(input, placed, paused),
    };
  },
};

async function ownLease({ at, target, provisioned }: RestoreInput): Promise<Lease> {
  const lease = await holdLease(at, target);
  if (lease.id === provisioned.lease) return lease;
  throw new PermanentError(
    'TargetChanged',
    `${lease.dataDirectory} was provisioned again since this step was planned.`,
    { next: 'Retry the step that provisions the target, then this one.' },
  );
}

interface Placed {
  readonly files: RestoredFiles;
  readonly how: 'restored' | 'found' | 'forward';
  readonly passedOver: readonly string[];
  /** Where the repositories were asked a moment ago. */
  readonly answers?: Answers;
}

/** Brings the data directory to where replay can begin, by the shortest way. */
async function placeFiles(
  input: RestoreInput,
  lease: Lease,
  update: (progress: Progress) => void,
): Promise<Placed> {
  const { point, target } = input;
  const before = lease.restored;
  if (before !== undefined && before.time === point.time && before.timeline === point.timeline) {
    return { files: before, how: 'found', passedOver: [] };
  }
  if (before !== undefined && (await hasLeftRecovery(target.postgres, before.timeline))) {
    throw new PermanentError(
      'CopyPromoted',
      `The copy at ${target.site} has left recovery: it takes writes.`,
      {
        next: 'Find out who promoted it. It is not touched by this run.',
      },
    );
  }
  await requireHeld(lease);
  await serviceOf(target.postgres).stop('fast');
  await endLeftovers(target.postgres.service.dataDirectory);
  if (before !== undefined && isAhead(input, before)) {
    // The same history, further on: replay goes on from where it stands.
    const files = { ...before, time: point.time, restoredBytes: 0, filesMs: 0, delta: true };
    await markRestored(lease, files);
    return { files, how: 'forward', passedOver: [] };
  }
  await markRestored(lease, undefined);
  const answers = await ask(input);
  const { passedOver, ...set } = await restoreFiles(input, answers, () => requireHeld(lease), update);
  const files: RestoredFiles = { ...set, time: point.time, timeline: point.timeline };
  await markRestored(lease, files);
  return { files, how: 'restored', passedOver, answers };
}

function isAhead({ point }: RestoreInput, before: RestoredFiles): boolean {
  return (
    before.backupLabel === point.backup.label &&
    before.timeline === point.timeline &&
    comparable(point.time) > comparable(before.time)
  );
}

/** ISO 8601 UTC times order as text once they have the same number of digits. */
function comparable(iso: string): string {
  const [seconds = '', fraction = ''] = iso.replace(/Z$/, '').split('.');
  return `${seconds}.${fraction.padEnd(6, '0')}`;
}

function ask({ target, backup }: RestoreInput): Promise<Answers> {
  return askRepositories(
    scopeOf(target.postgres, backup),
    backup.repositories.map((one) => one.number),
  );
}

/**
 * WAL that one repository has damaged may be sound in another. Replay asks all of them for what is missing, but takes the
 * first copy that it gets, so each is tried by itself where that breaks.
 */
async function replayFromAnyRepository(
  input: RestoreInput,
  { files, passedOver, answers }: Placed,
  lease: Lease,
  update: (progress: Progress) => void,
): Promise<PausedCopy> {
  const usable = input.point.usableRepositories;
  try {
    return await replay(input, passedOver.length > 0 ? [files.repository] : usable, lease, update, answers);
  } catch (error) {
    if (usable.length < 2 || !isWalFault(error)) throw error;
    const last = (repository: number) => Number(repository === files.repository);
    for (const repository of [...usable].sort((a, b) => last(a) - last(b))) {
      try {
        return await replay(input, [repository], lease, update);
      } catch (again) {
        if (!isWalFault(again)) throw again;
      }
    }
    throw error;
  }
}

function isWalFault(error: unknown): boolean {
  return error instanceof PermanentError && (error.code === 'WalMissing' || error.code === 'WalDamaged');
}

/** How often the source of WAL is changed under way before the step is left to be tried again. */
const CHANGES = 3;

/**
 * Replays to the point with WAL from these repositories. Where one of them does not answer, before or under way, the others
 * are used alone: asking a dead one takes minutes for each segment.
 */
async function replay(
  input: RestoreInput,
  from: readonly number[],
  lease: Lease,
  update: (progress: Progress) => void,
  answers?: Answers,
): Promise<PausedCopy> {
  const { target, point } = input;
  const service = serviceOf(target.postgres);
  for (let change = 0; ; change++) {
    if ((await service.pid()) === undefined) {
      const newest = (change === 0 ? answers : undefined) ?? (await ask(input));
      await requireHeld(lease);
      await prepareReplay(input, sourceOf(from, newest));
    }
    await requireHeld(lease);
    try {
      return await replayToPoint(target, point, update, async () => requireAnswers(await ask(input), from));
    } catch (error) {
      const lost = error instanceof TransientError && error.code === 'RepositoryLost';
      if (!lost && !isWalFault(error)) throw error;
      // Nothing is lost with the server: replay goes on from its last restart point.
      await requireHeld(lease);
      await service.stop('immediate');
      if (!lost || change === CHANGES) throw error;
    }
  }
}

/** The one repository that WAL comes from; undefined: whichever has it. */
function sourceOf(from: readonly number[], answers: Answers): number | undefined {
  const answering = from.filter((repository) => answers.get(repository) === undefined);
  const allAnswer = [...answers.values()].every((one) => one === undefined);
  return from.length > 1 && allAnswer ? undefined : (answering[0] ?? from[0]);
}

function requireAnswers(answers: Answers, from: readonly number[]): void {
  const silent = [...answers].find(([, error]) => error !== undefined);
  const another = from.some((repository) => answers.get(repository) === undefined);
  if (silent === undefined || !another) return;
  throw new TransientError('RepositoryLost', `Repository ${silent[0]} has stopped answering.`, {
    next: 'Replay goes on with the others.',
    cause: silent[1],
  });
}

async function prepareReplay(input: RestoreInput, only: number | undefined): Promise<void> {
  const { at, target, backup, point } = input;
  await endLeftovers(target.postgres.service.dataDirectory);
  await emptySpool(input);
  await writeTargetSettings(target, {
    restoreCommand: archiveGetCommand(target.postgres, backup, {
      only,
      // One processor is replay's own.
      prefetch: { directory: spoolOf(target, only), processes: Math.max(1, backup.processes - 1) },
    }),
    archiveCommand: archivePushCommand(target.postgres, backup),
    archiveMode: at.mode === 'drill' ? 'off' : 'on',
    until: point.through ?? point,
    timeline: point.timeline,
  });
}

/** One for each source of WAL: what a bad repository gave must not be found again. */
function spoolOf(target: DatabaseAt, only: number | undefined): string {
  return `${spoolDirectoryOf(target.postgres.service.dataDirectory)}/${only === undefined ? 'any' : `repo${only}`}`;
}

/** What was fetched for an earlier attempt may be what it failed on. */
async function emptySpool({ target, point }: RestoreInput): Promise<void> {
  const { account, dataDirectory } = target.postgres.service;
  await rm(spoolDirectoryOf(dataDirectory), { recursive: true, force: true, maxRetries: 3 });
  await ownedDirectory(spoolDirectoryOf(dataDirectory), account, 0o700);
  for (const only of [undefined, ...point.usableRepositories]) {
    await ownedDirectory(`${spoolOf(target, only)}/lock`, account, 0o700);
  }
}

function summarise({ backup }: RestoreInput, { files, how, passedOver }: Placed, paused: PausedCopy): string {
  const from = `backup ${files.backupLabel} from ${repositoryName(backup, files.repository)}`;
  const replayed = `replay paused at ${paused.lsn} after ${formatDuration(paused.replayMs)}`;
  const what = {
    restored: `${formatBytes(files.restoredBytes)}${files.delta ? ' that differed' : ''}, ${from}, in ${formatDuration(files.filesMs)}`,
    found: `files of ${from} already in place`,
    forward: `moved forward on the files of ${from}`,
  }[how];
  const trouble = passedOver.length === 0 ? '' : `. Passed over: ${passedOver.join(' ')}`;
  return `${what}; ${replayed}${trouble}`;
}

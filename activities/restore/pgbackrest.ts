import { rm } from 'node:fs/promises';
import { PermanentError } from '../../src/errors.js';
import { formatBytes, formatDuration } from '../../src/model/format.js';
import type { Progress } from '../../src/model/run.js';
import type { DatabaseAt } from '../contract.js';
import { repositoryName } from '../pgbackrest/command.js';
import {
  type Lease,
  markRestored,
  type RestoredFiles,
  requireLease,
  spoolDirectoryOf,
} from '../provision/lease.js';
import { hasLeftRecovery, serviceOf } from '../service/index.js';
import { ownedDirectory } from '../service/pg-ctl.js';
import { restoreFiles } from './files.js';
import type { RestoreDriver, RestoreInput } from './index.js';
import { type PausedCopy, replayToPoint } from './replay.js';
import { writeTargetSettings } from './settings.js';
import { archiveGetCommand, archivePushCommand } from './shell.js';
import { postgresTime } from './time.js';

/**
 * Physical restore with pgBackRest and replay to a time (PostgreSQL manual: 26.3; pgBackRest user guide: point-in-time
 * recovery). Safe to repeat: the lease says whose files stand there and for which point, so an attempt goes on from files,
 * from replay, or finds everything done.
 */
export const pgbackrestRestore: RestoreDriver = {
  async restore(input, update) {
    const lease = await ownLease(input);
    const placed = await placeFiles(input, lease, update);
    const paused = await replayFromAnyRepository(input, placed.files, update);
    const { files } = placed;
    return {
      repository: files.repository,
      backupLabel: files.backupLabel,
      restoredBytes: files.restoredBytes,
      filesMs: files.filesMs,
      replayMs: paused.replayMs,
      delta: files.delta,
      lsn: paused.lsn,
      lastCommitAt: paused.lastCommitAt,
      summary: summarise(input, placed, paused),
    };
  },
};

async function ownLease({ at, target, provisioned }: RestoreInput): Promise<Lease> {
  const lease = await requireLease(at, target);
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
  await serviceOf(target.postgres).stop('fast');
  if (before !== undefined && isAhead(input, before)) {
    // The same history, further on: replay goes on from where it stands.
    const files = { ...before, time: point.time, restoredBytes: 0, filesMs: 0, delta: true };
    await markRestored(lease, undefined);
    await configure(input, undefined);
    await markRestored(lease, files);
    return { files, how: 'forward', passedOver: [] };
  }
  await markRestored(lease, undefined);
  const set = await restoreFiles(input, update);
  const { passedOver, ...rest } = set;
  await configure(input, passedOver.length > 0 ? set.repository : undefined);
  const files: RestoredFiles = { ...rest, time: point.time, timeline: point.timeline };
  await markRestored(lease, files);
  return { files, how: 'restored', passedOver };
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

async function configure(
  { at, target, backup, point }: RestoreInput,
  only: number | undefined,
): Promise<void> {
  await writeTargetSettings(target, {
    restoreCommand: archiveGetCommand(target.postgres, backup, {
      only,
      // One processor is replay's own.
      prefetch: { directory: spoolOf(target, only), processes: Math.max(1, backup.processes - 1) },
    }),
    archiveCommand: archivePushCommand(target.postgres, backup),
    archiveMode: at.mode === 'drill' ? 'off' : 'on',
    time: postgresTime(point.time),
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
  if ((await serviceOf(target.postgres).pid()) !== undefined) return;
  await rm(spoolDirectoryOf(dataDirectory), { recursive: true, force: true, maxRetries: 3 });
  await ownedDirectory(spoolDirectoryOf(dataDirectory), account, 0o700);
  for (const only of [undefined, ...point.usableRepositories]) {
    await ownedDirectory(`${spoolOf(target, only)}/lock`, account, 0o700);
  }
}

/**
 * WAL that one repository has damaged may be sound in another. Replay asks all of them for what is missing, but takes the
 * first copy that it gets, so each is tried by itself where that breaks.
 */
async function replayFromAnyRepository(
  input: RestoreInput,
  files: RestoredFiles,
  update: (progress: Progress) => void,
): Promise<PausedCopy> {
  const { target, point } = input;
  await emptySpool(input);
  try {
    return await replayToPoint(target, point, update);
  } catch (error) {
    const others = point.usableRepositories;
    if (others.length < 2 || !isWalFault(error)) throw error;
    for (const repository of [...others].sort(
      (a, b) => Number(a === files.repository) - Number(b === files.repository),
    )) {
      await serviceOf(target.postgres).stop('immediate');
      await configure(input, repository);
      try {
        return await replayToPoint(target, point, update);
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

import { readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { type MusterError, PermanentError } from '../../src/errors.js';
import type { Progress } from '../../src/model/run.js';
import type { PgbackrestBackup } from '../../src/runbook/schema.js';
import type { DatabaseAt, RecoveryPoint, StepRef } from '../contract.js';
import {
  type CommandFailure,
  type CommandOutcome,
  failureOf,
  MOVING_SECONDS,
  repositoryName,
  runPgbackrest,
  scopeOf,
} from '../pgbackrest/command.js';
import { backupsIn, readInfo } from '../pgbackrest/info.js';
import { parseRestoredFile } from '../pgbackrest/output.js';
import { nameDamage } from '../pgbackrest/verify.js';
import { tablespaceDirectoryOf } from '../provision/lease.js';
import { postgresTime } from './time.js';

/** Beyond any recovery that is still worth waiting for. */
const RESTORE_MS = 24 * 3_600_000;

export interface RestoredSet {
  readonly repository: number;
  readonly backupLabel: string;
  readonly restoredBytes: number;
  readonly filesMs: number;
  readonly delta: boolean;
  /** What failed before it worked, for the summary. */
  readonly passedOver: readonly string[];
}

export interface RestoreFilesInput {
  readonly at: StepRef;
  readonly target: DatabaseAt;
  readonly backup: PgbackrestBackup;
  readonly point: RecoveryPoint;
}

/**
 * Brings the files of a backup into the data directory, from the best repository that works. A repository that is at fault
 * is passed over for the next one.
 *
 * @param answers which repositories answer now; those that do not are passed over at once
 * @param requireHeld throws when a later attempt has taken the directory over; asked before anything in it is changed
 * @throws what the last repository failed with; TransientError when trying again may help with any of them
 */
export async function restoreFiles(
  input: RestoreFilesInput,
  answers: Answers,
  requireHeld: () => Promise<void>,
  update: (progress: Progress) => void,
): Promise<RestoredSet> {
  const { point, backup } = input;
  const order = [...new Set([point.backup.repository, ...point.usableRepositories])];
  const failures: Failure[] = [];
  for (const repository of order) {
    const silence = answers.get(repository);
    if (silence !== undefined) {
      failures.push({ repository, failure: { error: silence, repositoryFault: true, exitCode: 0 } });
      continue;
    }
    const label = await labelIn(input, repository);
    if (label === undefined) continue;
    const begun = performance.now();
    await requireHeld();
    const delta = await prepareDirectory(input.target);
    const result = await restoreFrom(input, repository, label, delta, update);
    if (!('failure' in result)) {
      return {
        repository,
        backupLabel: label,
        restoredBytes: result.bytes,
        filesMs: Math.round(performance.now() - begun),
        delta,
        passedOver: failures.map((one) => one.failure.error.message),
      };
    }
    failures.push({ repository, failure: result.failure });
    if (!result.failure.repositoryFault) break;
  }
  throw await nameFiles(input, failures, worstOf(failures, backup, point));
}

/** Repository -> why it does not answer, where it does not. */
export type Answers = ReadonlyMap<number, MusterError | undefined>;

interface Failure {
  readonly repository: number;
  readonly failure: CommandFailure;
}

/** Labels are a repository's own: another repository holds other backups of the same cluster. */
async function labelIn(input: RestoreFilesInput, repository: number): Promise<string | undefined> {
  const { backup, point, target } = input;
  if (repository === point.backup.repository) return point.backup.label;
  const info = await readInfo(scopeOf(target.postgres, backup), repository).catch(() => undefined);
  if (info === undefined) return undefined;
  const before = Date.parse(point.time) / 1000;
  return backupsIn(info, repository)
    .filter((one) => one.timestamp.stop < Math.floor(before) && timelineOf(one) <= point.timeline)
    .at(-1)?.label;
}

function timelineOf(backup: { readonly archive: { readonly start: string | null } }): number {
  return backup.archive.start === null ? 0 : Number.parseInt(backup.archive.start.slice(0, 8), 16);
}

/**
 * Whether a delta restore is possible: pgBackRest only takes a directory for a cluster that has PG_VERSION or the manifest
 * of a restore that was cut short. What else an attempt left behind is cleared.
 */
async function prepareDirectory(target: DatabaseAt): Promise<boolean> {
  const { dataDirectory } = target.postgres.service;
  const entries = await readdir(dataDirectory);
  if (entries.includes('PG_VERSION') || entries.includes('backup.manifest')) return true;
  for (const entry of entries) await rm(join(dataDirectory, entry), { recursive: true, force: true });
  await rm(tablespaceDirectoryOf(dataDirectory), { recursive: true, force: true });
  return false;
}

async function restoreFrom(
  input: RestoreFilesInput,
  repository: number,
  label: string,
  delta: boolean,
  update: (progress: Progress) => void,
): Promise<{ readonly bytes: number } | { readonly failure: CommandFailure }> {
  const { at, target, backup, point } = input;
  const { dataDirectory } = target.postgres.service;
  const scope = scopeOf(target.postgres, backup);
  const from = repositoryName(backup, repository);
  const total = point.backup.databaseBytes;
  let changed = 0;
  update({ done: 0, total, unit: 'bytes', text: `restoring files of ${label} from ${from}` });
  const outcome: CommandOutcome = await runPgbackrest(
    scope,
    [
      `--repo=${repository}`,
      `--pg1-path=${dataDirectory}`,
      `--tablespace-map-all=${tablespaceDirectoryOf(dataDirectory)}`,
      `--set=${label}`,
      ...targetOf(point),
      '--target-action=pause',
      `--target-timeline=${point.timeline}`,
      `--process-max=${backup.processes}`,
      ...(delta ? ['--delta'] : []),
      ...(at.mode === 'drill' ? ['--archive-mode=off'] : []),
      'restore',
    ],
    {
      timeoutMs: RESTORE_MS,
      console: 'detail',
      stderr: 'off',
      silenceSeconds: MOVING_SECONDS,
      onMessageLine: (line) => {
        const file = parseRestoredFile(line);
        if (file === undefined) return;
        if (!file.unchanged) changed += file.bytes;
        const done = Math.min(total, Math.round((file.percent / 100) * total));
        update({ done, total, unit: 'bytes', text: `restoring files of ${label} from ${from}` });
      },
    },
  );
  if (outcome.exitCode === 0) return { bytes: delta ? Math.min(changed, total) : total };
  const next = `Rung 1 names the damaged file. Try another backup set or repair ${from}, then retry the step.`;
  return { failure: failureOf(scope, outcome, `Restoring ${label} from ${from}`, next) };
}

/** Right after a commit's record, or right before the first commit at or after a time. */
function targetOf({ time, through }: RecoveryPoint): readonly string[] {
  return through === undefined
    ? ['--type=time', `--target=${postgresTime(time)}`, '--target-exclusive']
    : ['--type=lsn', `--target=${through.lsn}`];
}

/** pgBackRest does not name the file when it cannot decompress or decipher it: the repository is then looked through. */
async function nameFiles(
  { target, backup, point }: RestoreFilesInput,
  failures: readonly Failure[],
  error: Error,
): Promise<Error> {
  const [first] = failures;
  if (!(error instanceof PermanentError) || error.code !== 'BackupDamaged' || first === undefined)
    return error;
  if (/error restoring '|missing file '/.test(first.failure.error.message)) return error;
  const wrong = await nameDamage(scopeOf(target.postgres, backup), first.repository, point.backup.label);
  if (wrong.length === 0) return error;
  const named = wrong.slice(0, 3).map((one) => `${one.what} ${one.file}`);
  return new PermanentError(
    error.code,
    `${error.message} Damaged in ${repositoryName(backup, first.repository)}: ${named.join(', ')}${wrong.length > 3 ? ` and ${wrong.length - 3} more` : ''}.`,
    { next: error.next, cause: error, details: { ...error.details, file: wrong[0]?.file ?? '' } },
  );
}

function worstOf(failures: readonly Failure[], backup: PgbackrestBackup, point: RecoveryPoint): Error {
  const [first, ...others] = failures;
  if (first === undefined) {
    return new PermanentError('NoBackup', `No repository holds a backup from before ${point.time}.`, {
      next: 'Choose an earlier point, or check the repositories with pgbackrest info.',
    });
  }
  if (others.length === 0) return first.failure.error;
  const hopeful = failures.find((one) => one.failure.error.name === 'TransientError');
  if (hopeful !== undefined) return hopeful.failure.error;
  const all = failures.map((one) => one.failure.error.message).join(' ');
  return new PermanentError(
    first.failure.error.code,
    `None of ${failures.length} repositories could be restored from. ${all}`,
    {
      next: `Choose an older backup by naming an earlier point, or repair ${repositoryName(backup, first.repository)}, then retry the step.`,
      ...(first.failure.error.why === undefined ? {} : { why: first.failure.error.why }),
      cause: first.failure.error,
    },
  );
}

import { readCatalog } from '../../src/archive/catalog.js';
import { isFaultOfCopy } from '../../src/archive/errors.js';
import type { ArchiveManifest } from '../../src/archive/manifest.js';
import { copiesAsOf } from '../../src/archive/place.js';
import { type MusterError, messageOf, PermanentError } from '../../src/errors.js';
import { formatBytes, formatCount, formatDuration } from '../../src/model/format.js';
import type { Progress } from '../../src/model/run.js';
import type { ArchiveBackup } from '../../src/runbook/schema.js';
import { identitiesOf, type OpenCopy, withCopies } from '../archive/choice.js';
import { loadArchive, type OpenArchive } from '../archive/load.js';
import { compareWith, factsOf } from '../archive/trial.js';
import { activitySignal } from '../context.js';
import type { ArchiveRestored, MusterActivities } from '../contract.js';
import {
  CLOSED,
  holdLease,
  type Lease,
  markRestored,
  type RestoredFiles,
  requireHeld,
} from '../provision/lease.js';
import { hasLeftRecovery, serviceOf } from '../service/index.js';
import {
  type ClosedCopy,
  closeCluster,
  closedSettings,
  copyPromoted,
  prepareToClose,
  startClosed,
} from './archive-closed.js';
import { makeCluster, restoreRoles, syncToDisk, writeProductionSettings } from './archive-cluster.js';
import type { RestoreDriver } from './index.js';
import { writingBack } from './write-back.js';

type Input = Parameters<MusterActivities['restoreArchive']>[0];

/** One archive, and the copies that hold it, preferred one first. */
interface Choice {
  readonly manifest: ArchiveManifest;
  readonly copies: readonly OpenCopy[];
  readonly passedOver: readonly string[];
}

/**
 * Restores an archive into a cluster made for it on a provisioned target: streamed from the preferred copy, or from the next
 * one where that is damaged or does not answer; then written to disk, restarted with the original's settings and compared
 * with the figures that were counted when it was dumped. Safe to repeat: the lease says what stands there.
 *
 * @throws PermanentError `ArchiveDamaged`, `ArchiveIncomplete`, `ForeignArchive`, `WrongArchiveKey`, `NoArchive`,
 *   `RestoreFailed`, `ArchiveDiffers`
 */
export async function restoreArchive(
  input: Input,
  update: (progress: Progress) => void,
): Promise<ArchiveRestored> {
  return fromAnyCopy(input, update, [], restoreFrom);
}

/**
 * The same for a recovery: what was loaded is put back into recovery instead of being handed over, and stays closed until it is
 * promoted. Its figures are compared by rung 4.
 */
export const archiveRestore: RestoreDriver<ArchiveBackup> = {
  async restore(order, update) {
    const { point } = order;
    const label = point.archive?.label ?? point.backup.label;
    // What was found bad before the archive was proposed is tried last.
    const sound = point.usableRepositories;
    return fromAnyCopy(
      { ...order, backup: copiesAsOf(order.backup, point.archive?.asOf), label },
      update,
      sound,
      async (input, lease, archive, { number, passedOver, told }) => {
        const { files, copy, found } = await restoreClosed(input, lease, archive, told);
        return {
          repository: number,
          backupLabel: label,
          restoredBytes: files.restoredBytes,
          filesMs: files.filesMs,
          replayMs: 0,
          delta: false,
          lsn: copy.lsn,
          lastCommitAt: null,
          cluster: { systemIdentifier: copy.systemIdentifier, timeline: copy.timeline },
          summary: [
            found
              ? `archive ${label} loaded already`
              : `archive ${label} from ${archive.place.title}: ${formatBytes(files.restoredBytes)} loaded in ${formatDuration(files.filesMs)}`,
            `closed as system ${copy.systemIdentifier}: it refuses every write until it is promoted`,
            ...passedOver.map((one) => `passed over: ${one}`),
          ].join('; '),
        };
      },
    );
  },
};

interface From {
  /** Of the copy in the runbook's list, from 1. */
  readonly number: number;
  readonly passedOver: readonly string[];
  readonly told: (progress: Progress) => void;
}

type FromCopy<T> = (input: Input, lease: Lease, archive: OpenArchive, from: From) => Promise<T>;

async function fromAnyCopy<T>(
  input: Input,
  update: (progress: Progress) => void,
  first: readonly number[],
  restore: FromCopy<T>,
): Promise<T> {
  const { at, target } = input;
  const lease = await holdLease(at, target);
  if (lease.id !== input.provisioned.lease) {
    throw new PermanentError(
      'TargetChanged',
      `${lease.dataDirectory} was provisioned again since this step was planned.`,
      {
        next: 'Retry the step that provisions the target, then this one.',
      },
    );
  }
  return inTurn(input, first, (archive, number, passedOver) =>
    restore(input, lease, archive, { number, passedOver, told: update }),
  );
}

/**
 * Works on an archive in the first of its copies that is sound: what is found to be the copy's fault leads to the next one.
 *
 * @param label left out: the newest
 * @param first numbers of the copies that are tried before the others
 * @throws PermanentError `NoArchive`; what the last copy suffers from
 */
export async function inTurn<T>(
  wanted: Pick<Input, 'at' | 'backup' | 'label'>,
  first: readonly number[],
  work: (archive: OpenArchive, number: number, passedOver: readonly string[]) => Promise<T>,
): Promise<T> {
  const { backup } = wanted;
  const signal = activitySignal();
  const identities = await identitiesOf(backup);
  const failures: MusterError[] = [];
  return withCopies(
    backup,
    signal,
    (_copy, error) => failures.push(error),
    async (copies) => {
      const rank = ({ number }: OpenCopy) =>
        first.includes(number) ? first.indexOf(number) : first.length + number;
      const choice = await choose(
        wanted,
        [...copies].sort((one, other) => rank(one) - rank(other)),
        failures,
      );
      const passedOver = [...choice.passedOver];
      for (const [index, { place, number }] of choice.copies.entries()) {
        const archive: OpenArchive = { place, manifest: choice.manifest, identities };
        try {
          return await work(archive, number, passedOver);
        } catch (error) {
          if (!isFaultOfCopy(error) || index === choice.copies.length - 1) throw error;
          passedOver.push(messageOf(error));
        }
      }
      throw new TypeError('an archive was chosen that no place holds');
    },
  );
}

async function choose(
  { at, backup, label }: Pick<Input, 'at' | 'backup' | 'label'>,
  copies: readonly OpenCopy[],
  unopened: readonly MusterError[],
): Promise<Choice> {
  const found: { readonly copy: OpenCopy; readonly manifest: ArchiveManifest }[] = [];
  const failures: unknown[] = [...unopened];
  for (const copy of copies) {
    try {
      const isWanted = (one: { label: string; manifest?: ArchiveManifest }) =>
        one.manifest !== undefined &&
        (label === undefined ? one.manifest.content !== 'data' : one.label === label);
      const entries = await readCatalog(copy.place, at.system, backup, isWanted);
      const entry = entries.find(isWanted);
      if (entry?.manifest !== undefined) found.push({ copy, manifest: entry.manifest });
      for (const { unusable, ...other } of entries) {
        if (unusable !== undefined && (label === undefined || other.label === label)) failures.push(unusable);
      }
    } catch (error) {
      if (!isFaultOfCopy(error)) throw error;
      failures.push(error);
    }
  }
  const newest = found.map(({ manifest }) => manifest).sort((a, b) => (a.label < b.label ? 1 : -1))[0];
  const passedOver = failures.map((error) => messageOf(error));
  if (newest !== undefined) {
    const holders = found.filter(({ manifest }) => manifest.label === newest.label).map(({ copy }) => copy);
    return { manifest: newest, copies: holders, passedOver };
  }
  if (failures[0] !== undefined) throw failures[0];
  throw new PermanentError(
    'NoArchive',
    `There is no archive of ${at.system}${label === undefined ? '' : ` with the label ${label}`} in ${copies.map(({ place }) => place.title).join(', ')}.`,
    {
      next: 'Name another label, or the right places in the runbook (backups.<name>.copies), then retry the step.',
    },
  );
}

async function restoreFrom(
  input: Input,
  lease: Lease,
  archive: OpenArchive,
  { passedOver, told: update }: From,
): Promise<ArchiveRestored> {
  const { target, backup, tables } = input;
  const { manifest } = archive;
  const service = serviceOf(target.postgres);
  const mark = `${manifest.label}${tables === undefined ? '' : ` ${[...tables].sort().join(' ')}`}`;
  const begun = performance.now();
  const archived = await factsOf(archive);
  let { restored } = lease;
  if (restored?.backupLabel !== mark) {
    restored = filesOf(manifest, mark, await loadIntoNew(input, lease, archive, update, 'open'));
    await markRestored({ ...lease, logical: true }, restored);
  }
  await requireHeld(lease);
  await service.start('ready');
  const readyMs = Math.round(performance.now() - begun);
  update({
    done: storedBytes(archive),
    total: storedBytes(archive),
    unit: 'bytes',
    text: 'comparing the figures',
  });
  const differences = await compareWith(target, manifest.database.name, archived, backup, tables);
  if (differences.length > 0) {
    throw new PermanentError(
      'ArchiveDiffers',
      `${manifest.label} was restored at ${target.site}, but not to what was dumped: ${differences.slice(0, 3).join('; ')}.`,
      { next: 'Do not use this copy. Restore another archive, or another copy of this one.' },
    );
  }
  const { systemIdentifier } = await service.control();
  return {
    label: manifest.label,
    from: archive.place.title,
    snapshot: manifest.snapshot,
    systemIdentifier,
    restoredBytes: restored.restoredBytes,
    loadMs: restored.filesMs,
    readyMs,
    passedOver: [...passedOver],
    summary: `${manifest.label} from ${archive.place.title}: ${formatBytes(manifest.database.bytes)} as of ${manifest.snapshot.at} in ${formatDuration(restored.filesMs)}; ${formatCount(Object.keys(archived.rows).length)} tables have the rows that were dumped${passedOver.length === 0 ? '' : `. Passed over: ${passedOver.join(' ')}`}`,
  };
}

function filesOf({ snapshot, database }: ArchiveManifest, mark: string, filesMs: number): RestoredFiles {
  return {
    time: snapshot.at,
    timeline: 1,
    backupLabel: mark,
    repository: 1,
    restoredBytes: database.bytes,
    filesMs,
    delta: false,
  };
}

/** An attempt that finds the archive loaded and closed only starts it. */
async function restoreClosed(
  input: Input,
  lease: Lease,
  archive: OpenArchive,
  update: (progress: Progress) => void,
): Promise<{ readonly files: RestoredFiles; readonly copy: ClosedCopy; readonly found: boolean }> {
  const { target } = input;
  const mark = `${archive.manifest.label}${CLOSED}`;
  const before = lease.restored;
  if (before?.backupLabel === mark) {
    await requireHeld(lease);
    return { files: before, copy: await startClosed(target), found: true };
  }
  if (before !== undefined && (await hasLeftRecovery(target.postgres, before.timeline))) {
    throw copyPromoted(target);
  }
  const filesMs = await loadIntoNew(input, lease, archive, update, 'closed');
  await requireHeld(lease);
  const copy = await startClosed(target);
  const files = filesOf(archive.manifest, mark, filesMs);
  // Only now: a cluster that has never been in recovery would look like a promoted one.
  await markRestored({ ...lease, logical: true }, files);
  return { files, copy, found: false };
}

/**
 * @param ends `open`: with the original's settings, to be started; `closed`: the same, to be started in recovery
 * @returns milliseconds until everything was on disk
 */
async function loadIntoNew(
  { target, backup, tables }: Input,
  lease: Lease,
  archive: OpenArchive,
  update: (progress: Progress) => void,
  ends: 'open' | 'closed',
): Promise<number> {
  const { postgres } = target;
  const service = serviceOf(postgres);
  const total = storedBytes(archive);
  const begun = performance.now();
  await requireHeld(lease);
  await service.stop('immediate');
  await markRestored({ ...lease, logical: true }, undefined);
  update({ done: 0, total, unit: 'bytes', text: 'making the cluster' });
  try {
    await makeCluster(target, archive);
    await requireHeld(lease);
    await service.start('ready');
    await restoreRoles(target, archive);
    const { dataDirectory } = postgres.service;
    await writingBack(dataDirectory, () =>
      loadArchive({
        ...archive,
        postgres,
        database: 'postgres',
        how: 'create',
        jobs: backup.jobs,
        ...(tables === undefined ? {} : { tables }),
        workDirectory: `${dataDirectory}.archive`,
        signal: activitySignal(),
        update: (done, text) => update({ done: Math.min(done, total), total, unit: 'bytes', text }),
      }),
    );
    if (ends === 'closed') await prepareToClose(target, archive.manifest.database.name);
    await requireHeld(lease);
    update({ done: total, total, unit: 'bytes', text: 'writing to disk' });
    await service.stop('fast');
    await writeProductionSettings(target, archive);
    if (ends === 'closed') {
      await writeProductionSettings(target, archive, await closedSettings(target));
      await closeCluster(target);
    }
    await syncToDisk(target);
  } catch (error) {
    await endServer(service);
    throw error;
  }
  return Math.round(performance.now() - begun);
}

/** Nothing of a load that failed may be taken for a copy, also where the step was cancelled. */
async function endServer(service: ReturnType<typeof serviceOf>): Promise<void> {
  const pid = await service.pid().catch(() => undefined);
  if (pid === undefined) return;
  try {
    // Immediate shutdown (manual: 19.5).
    process.kill(pid, 'SIGQUIT');
  } catch {
    // It has ended by itself.
  }
}

function storedBytes(archive: OpenArchive): number {
  return archive.manifest.parts.reduce((sum, part) => sum + part.plainBytes, 0);
}

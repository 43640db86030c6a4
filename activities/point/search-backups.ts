/** The backups that a search may begin at, and the newest of them in which every rule holds. */
import { type MusterError, PermanentError } from '../../src/errors.js';
import { formatCount } from '../../src/model/format.js';
import type { PgbackrestBackup, PostgresSite } from '../../src/runbook/schema.js';
import { activitySignal } from '../context.js';
import type { InvariantResult } from '../contract.js';
import {
  listSegments,
  newestSegmentOf,
  readHistory,
  segmentsAlong,
  type TimelineSwitch,
} from '../pgbackrest/archive.js';
import type { BackupInfo } from '../pgbackrest/info.js';
import type { Source } from '../private/copy.js';
import { answering, type Refusal } from './candidates.js';
import { type Cluster, type Holding, lookInto } from './holding.js';
import { momentOf } from './moment.js';
import type { Look, Probe } from './probe.js';

/** A backup that leads to the timeline that is searched. */
export interface Base {
  readonly source: Source;
  readonly info: BackupInfo;
  readonly holding: Holding;
  /** Of the timeline that is searched. */
  readonly history: readonly TimelineSwitch[];
  /** Its newest segment in the archive. */
  readonly last: string;
}

export interface Bases {
  /** Oldest first. */
  readonly bases: readonly Base[];
  readonly refused: readonly Refusal[];
}

/**
 * The backups of the first repository that can be read, and those of the others that reach further back.
 *
 * @throws what the first repository says when none can be read
 */
export async function listBases(
  postgres: PostgresSite,
  backup: PgbackrestBackup,
  sought: Cluster,
): Promise<Bases> {
  const found = await Promise.all(
    backup.repositories.map(({ number }) =>
      answering(number, async () => basesIn(await lookInto(postgres, backup, number, sought))),
    ),
  );
  const refused = found.filter((one): one is Refusal => 'error' in one);
  const readable = found.filter((one): one is readonly Base[] => !('error' in one) && one.length > 0);
  const [first, ...others] = readable;
  const oldest = first?.[0];
  if (first === undefined || oldest === undefined) throw refused[0]?.error ?? noBackup(backup);
  const older = others
    .flat()
    .filter(
      ({ info, source }) =>
        info.timestamp.stop < oldest.info.timestamp.start &&
        source.systemIdentifier === oldest.source.systemIdentifier,
    );
  const bases = [...older, ...first].sort((a, b) => a.info.timestamp.stop - b.info.timestamp.stop);
  return { bases, refused };
}

async function basesIn(holding: Holding): Promise<readonly Base[]> {
  const { scope, repository, archiveId, backups, timeline, systemIdentifier, newest } = holding;
  const history = await readHistory(scope, repository, archiveId, timeline);
  if (history === undefined) return [];
  const last = newest.startsWith(prefixOf(timeline))
    ? newest
    : await newestSegmentOf(scope, repository, archiveId, timeline);
  if (last === undefined) return [];
  return backups.flatMap((info) => {
    const walStart = info.archive.start;
    if (walStart === null || segmentsAlong(walStart, last, history) === undefined) return [];
    const { label, type } = info;
    const databaseBytes = info.info.size;
    const source = { repository, label, type, databaseBytes, walStart, systemIdentifier, timeline };
    return [{ source, info, holding, history, last }];
  });
}

function prefixOf(timeline: number): string {
  return timeline.toString(16).toUpperCase().padStart(8, '0');
}

/** From a backup's start to the end of the archive, or to the first segment that is missing. */
export async function segmentsFrom({ source, holding, history, last }: Base): Promise<readonly string[]> {
  const { scope, repository, archiveId } = holding;
  const along = segmentsAlong(source.walStart, last, history) ?? [];
  const { segments: listed } = await listSegments(scope, repository, archiveId, along);
  const gap = along.findIndex((segment) => !listed.has(segment));
  return gap < 0 ? along : along.slice(0, gap);
}

export interface CleanBase {
  readonly base: Base;
  readonly look: Look;
  /** The backup after it, which is damaged; undefined: it is the newest. */
  readonly damaged?: Base;
  readonly unusable: readonly MusterError[];
}

/**
 * The newest backup first, since most damage is noticed before the next one is made; else by halving.
 *
 * @throws PermanentError `NoCleanBackup` naming what is broken in the oldest; what the restore says where none can be restored
 */
export async function newestCleanBase(all: readonly Base[], probe: Probe): Promise<CleanBase> {
  const bases = [...all];
  const unusable: MusterError[] = [];
  let clean: { readonly index: number; readonly look: Look } | undefined;
  let damaged = bases.length;
  let broken: readonly InvariantResult[] = [];
  for (let index = bases.length - 1; damaged - (clean?.index ?? -1) > 1; ) {
    const base = bases[index];
    if (base === undefined) break;
    const look = await lookAt(base, probe);
    if ('error' in look) {
      unusable.push(look.error);
      bases.splice(index, 1);
      damaged -= 1;
    } else if (look.broken.length === 0) {
      clean = { index, look };
    } else {
      damaged = index;
      broken = look.broken;
    }
    index = Math.floor(((clean?.index ?? -1) + damaged) / 2);
  }
  const base = clean === undefined ? undefined : bases[clean.index];
  if (clean !== undefined && base !== undefined) {
    const after = bases[damaged];
    return { base, look: clean.look, unusable, ...(after === undefined ? {} : { damaged: after }) };
  }
  const [oldest] = bases;
  if (oldest === undefined) throw unusable[0] ?? new TypeError('There was no backup to begin at.');
  throw noneClean(oldest, bases.length, broken);
}

async function lookAt(base: Base, probe: Probe): Promise<Look | { readonly error: MusterError }> {
  try {
    return await probe.backup(base.source);
  } catch (error) {
    activitySignal().throwIfAborted();
    // One bad backup must not hide a good one.
    if (error instanceof PermanentError && /^(Backup|Wal|Replay|Restore|NoCluster)/.test(error.code)) {
      return { error };
    }
    throw error;
  }
}

function noneClean({ info }: Base, count: number, broken: readonly InvariantResult[]): PermanentError {
  const rules = broken.map(
    ({ name, violations, samples }) =>
      `${name} (${formatCount(violations)} rows${samples[0] === undefined ? '' : `, for instance ${samples[0]}`})`,
  );
  return new PermanentError(
    'NoCleanBackup',
    `Already in the oldest of ${formatCount(count)} backups, ${info.label} of ${momentOf(info.timestamp.stop)}, rules are broken: ${rules.join('; ')}.`,
    {
      why: 'The damage is older than every backup that can be read, or the rule never held.',
      next: 'Look for an older copy (off site, archive). If the rule is wrong, correct it in the runbook (verification.invariants) and begin again; if the damage may stay, begin again with --before.',
      details: { backup: info.label, rules: broken.map(({ name }) => name).join(', ') },
    },
  );
}

function noBackup(backup: PgbackrestBackup): MusterError {
  return new PermanentError('NoBackup', `No repository of stanza ${backup.stanza} holds a usable backup.`, {
    next: 'Look for copies elsewhere (other sites, archives, the damaged server itself).',
  });
}

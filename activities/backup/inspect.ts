/** What became of a backup in each of its places, and what its owner wants to be told of. */
import { statfs } from 'node:fs/promises';
import { type CatalogEntry, readCatalog } from '../../src/archive/catalog.js';
import type { ArchiveManifest } from '../../src/archive/manifest.js';
import { withPlace } from '../../src/archive/place.js';
import { MusterError, messageOf } from '../../src/errors.js';
import type { BackupFinding, PlaceSeen } from '../../src/model/backup-run.js';
import { formatBytes, formatCount, formatDuration } from '../../src/model/format.js';
import { byDriver, type OfArchive, type OfPgbackrest } from '../../src/runbook/backups.js';
import type { ArchiveCopy } from '../../src/runbook/schema.js';
import { momentOfLabel } from '../archive/choice.js';
import { activitySignal } from '../context.js';
import type { MusterActivities } from '../contract.js';
import { repositoryName, scopeOf } from '../pgbackrest/command.js';
import { type BackupInfo, backupsIn, readInfo } from '../pgbackrest/info.js';
import { canVerifyOneSet, runVerify } from '../pgbackrest/verify.js';
import type { BackupInspected } from './contract.js';

type Input = Parameters<MusterActivities['inspectBackup']>[0];
type Finding = Omit<BackupFinding, 'backup'>;

interface Seen {
  readonly place: PlaceSeen;
  readonly findings: readonly Finding[];
}

/** Owners are warned when a backup is so much smaller or larger than the one of its kind before it. */
const UNUSUAL_SHARE = 0.2;
/** When it takes so many times as long as the one before, and not only seconds. */
const SLOWER_TIMES = 2;
const SLOW_FROM_MS = 5 * 60_000;
/** Share of a volume in use from which its owner is warned. */
const FULL_SHARE = 0.8;
const VERIFY_MS = 12 * 3_600_000;

export const inspectBackup: MusterActivities['inspectBackup'] = byDriver({
  pgbackrest: inspectRepositories,
  archive: inspectCopies,
});

async function inspectCopies({ at, backup, labels }: OfArchive<Input>): Promise<BackupInspected> {
  const [label = null] = labels;
  const seen: Seen[] = [];
  for (const copy of backup.copies) seen.push(await seeCopy(at.system, backup, copy, label));
  return together(seen);
}

async function seeCopy(
  system: string,
  backup: OfArchive<Input>['backup'],
  copy: ArchiveCopy,
  label: string | null,
): Promise<Seen> {
  const signal = activitySignal();
  const { title } = copy;
  try {
    const entries = await withPlace(copy, signal, (place) => {
      let usable = 0;
      return readCatalog(place, system, backup, ({ manifest }) => {
        if (manifest?.content === backup.content) usable += 1;
        return usable === 2;
      });
    });
    const mine = label === null ? undefined : entries.find((entry) => entry.label === label);
    const usable = entries.filter(({ manifest }) => manifest?.content === backup.content);
    return {
      place: placeOf(title, mine, usable[0]),
      findings: [
        ...missing(title, label, mine),
        ...stale(title, usable[0], backup.takenEvery),
        ...unusual(title, usable),
        ...(await full(copy)),
      ],
    };
  } catch (error) {
    signal.throwIfAborted();
    if (!(error instanceof MusterError)) throw error;
    return unreadable(title, error);
  }
}

function placeOf(title: string, mine: CatalogEntry | undefined, newest: CatalogEntry | undefined): PlaceSeen {
  if (mine?.manifest !== undefined) {
    const { parts } = mine.manifest;
    const says = `${mine.label}, ${formatBytes(mine.bytes)} in ${formatCount(parts.length)} parts, signed by ${mine.signer ?? 'nobody'}`;
    return { title, sound: true, says };
  }
  const newestSays = newest === undefined ? 'holds no archive that can be used' : `newest: ${newest.label}`;
  return { title, sound: false, says: newestSays };
}

function missing(title: string, label: string | null, mine: CatalogEntry | undefined): Finding[] {
  if (label === null || mine?.manifest !== undefined) return [];
  const why = mine === undefined ? 'is not there' : `cannot be used: ${messageOf(mine.unusable)}`;
  return [
    {
      severity: 'critical',
      what: `${label} in ${title} ${why}`,
      next: 'See what the place says, then take the backup again: only what is missing is written.',
    },
  ];
}

/** What should have been made by now was not. */
function stale(title: string, newest: CatalogEntry | undefined, takenEvery: number | undefined): Finding[] {
  const next = 'Take one now, and see why the schedule did not.';
  if (newest === undefined) {
    return [{ severity: 'critical', what: `${title} holds no archive that can be used.`, next }];
  }
  const ageMs = Date.now() - Date.parse(momentOfLabel(newest.label));
  if (takenEvery === undefined || ageMs <= takenEvery) return [];
  const what = `The newest archive in ${title} is ${formatDuration(ageMs)} old; one is to be made every ${formatDuration(takenEvery)}.`;
  return [{ severity: 'critical', what, next }];
}

function unusual(title: string, [newest, before]: readonly CatalogEntry[]): Finding[] {
  if (newest?.manifest === undefined || before?.manifest === undefined) return [];
  const [is, was] = [sizeOf(newest.manifest), sizeOf(before.manifest)];
  const [tookMs, didMs] = [durationOf(newest.manifest), durationOf(before.manifest)];
  return [
    ...(Math.abs(is - was) <= was * UNUSUAL_SHARE ? [] : [size(title, newest.label, is, before.label, was)]),
    ...(tookMs < SLOW_FROM_MS || tookMs <= didMs * SLOWER_TIMES
      ? []
      : [
          {
            severity: 'warning' as const,
            what: `${newest.label} took ${formatDuration(tookMs)}, ${before.label} took ${formatDuration(didMs)}.`,
            next: 'See what holds the dump up: the server, its disk, or the way to the copies.',
          },
        ]),
  ];
}

function size(title: string, label: string, is: number, before: string, was: number): Finding {
  return {
    severity: 'warning',
    what: `${label} in ${title} has ${formatBytes(is)}, ${before} had ${formatBytes(was)}: more than 20 % off.`,
    next: 'See whether the data has grown or shrunk so much since; keep the older one until that is known.',
  };
}

function sizeOf({ parts }: ArchiveManifest): number {
  return parts.reduce((sum, part) => sum + part.bytes, 0);
}

function durationOf({ startedAt, finishedAt }: ArchiveManifest): number {
  return Date.parse(finishedAt) - Date.parse(startedAt);
}

async function full(copy: ArchiveCopy): Promise<Finding[]> {
  if (copy.driver !== 'folder') return [];
  const { blocks, bfree, bavail } = await statfs(copy.path);
  // As df(1) has it: of what is not kept back for others.
  const used = (blocks - bfree) / (blocks - bfree + bavail);
  if (!(used > FULL_SHARE)) return [];
  return [
    {
      severity: 'warning',
      what: `${copy.title} is ${Math.round(used * 100)} % full.`,
      next: 'Make room, or let what has expired go, before a backup does not fit any more.',
    },
  ];
}

async function inspectRepositories({
  source,
  backup,
  labels,
}: OfPgbackrest<Input>): Promise<BackupInspected> {
  const signal = activitySignal();
  const scope = scopeOf(source.postgres, backup);
  const one = await canVerifyOneSet();
  const seen: Seen[] = [];
  for (const [index, { number }] of backup.repositories.entries()) {
    const title = repositoryName(backup, number);
    const label = labels[index] ?? null;
    try {
      const backups = backupsIn(await readInfo(scope, number), number);
      const made = backups.find((each) => each.label === label);
      if (label === null || made === undefined) {
        seen.push({
          place: { title, sound: false, says: `newest: ${backups.at(-1)?.label ?? 'none'}` },
          findings: label === null ? [] : missing(title, label, undefined),
        });
        continue;
      }
      const { report } = await runVerify(scope, number, one ? label : undefined, VERIFY_MS);
      const set = report.backups[label];
      const sound = set?.status === 'valid' && set.total > 0 && set.valid === set.total;
      seen.push({
        place: {
          title,
          sound,
          says: `${label} (${made.type}), ${formatBytes(made.info.repository.delta ?? made.info.size)}; ${set?.valid ?? 0} of ${set?.total ?? 0} files as their checksums say`,
        },
        findings: [
          ...(sound
            ? []
            : [
                {
                  severity: 'critical' as const,
                  what: `${label} in ${title} is ${set?.status ?? 'unknown to verify'}.`,
                  next: 'Take another backup, and find out what is wrong with the repository.',
                },
              ]),
          ...unusualSet(title, made, backups),
        ],
      });
    } catch (error) {
      signal.throwIfAborted();
      if (!(error instanceof MusterError)) throw error;
      seen.push(unreadable(title, error));
    }
  }
  return together(seen);
}

/** Against the one before it of the same kind: an increment is as large as what has changed. */
function unusualSet(title: string, made: BackupInfo, backups: readonly BackupInfo[]): Finding[] {
  const before = backups
    .filter((each) => each.type === made.type && each.timestamp.stop < made.timestamp.stop)
    .at(-1);
  if (made.type !== 'full' || before === undefined) return [];
  const [is, was] = [made, before].map(({ info }) => info.repository.delta ?? info.size);
  if (is === undefined || was === undefined || Math.abs(is - was) <= was * UNUSUAL_SHARE) return [];
  return [size(title, made.label, is, before.label, was)];
}

function unreadable(title: string, error: MusterError): Seen {
  return {
    place: { title, sound: false, says: messageOf(error) },
    findings: [{ severity: 'critical', what: `${title}: ${messageOf(error)}`, next: error.next }],
  };
}

function together(seen: readonly Seen[]): BackupInspected {
  const places = seen.map(({ place }) => place);
  return {
    places,
    findings: seen.flatMap(({ findings }) => findings),
    summary: places
      .map(({ title, sound, says }) => `${title}: ${sound ? '' : 'NOT SOUND, '}${says}`)
      .join('; '),
  };
}

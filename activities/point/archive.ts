/** The recovery point where dumps are all there is: the moment of the newest archive that can be used. */
import { folderOf } from '../../src/archive/catalog.js';
import { formatBytes, formatDuration } from '../../src/model/format.js';
import { withClient } from '../../src/postgres.js';
import type { OfArchive } from '../../src/runbook/backups.js';
import { type ChosenArchive, chooseArchive, titleOf } from '../archive/choice.js';
import { activitySignal } from '../context.js';
import type { DatabaseAt, MusterActivities, RecoveryPoint, ReplacedPrimary } from '../contract.js';
import { adminOf, serviceOf } from '../service/index.js';
import { countLosses, type Losses, lossesInWords } from './losses.js';
import { currentMoment, toMoment } from './moment.js';

type Before = OfArchive<Parameters<MusterActivities['proposePoint']>[0]>;
type Newest = OfArchive<Parameters<MusterActivities['proposeNewest']>[0]>;

/** One that is there answers at once. */
const ANSWER_MS = 3_000;

/** @throws what `chooseArchive` throws */
export async function proposeArchiveBefore({
  at,
  damaged,
  backup,
  before,
  dataClasses,
}: Before): Promise<RecoveryPoint> {
  const chosen = await chooseArchive(at.system, backup, activitySignal(), toMoment(before));
  const replaced = identityOf(damaged, chosen.newest);
  return describeArchive(chosen, replaced, before, { backup, dataClasses });
}

/** @throws what `chooseArchive` throws */
export async function proposeNewestArchive({
  at,
  backup,
  dataClasses,
  lost,
}: Newest): Promise<RecoveryPoint> {
  const chosen = await chooseArchive(at.system, backup, activitySignal());
  return describeArchive(chosen, identityOf(lost, chosen.newest), 'newest', { backup, dataClasses });
}

/**
 * A chosen archive as a recovery point, with what going there loses.
 *
 * @param replaced the primary that the copy takes the place of
 * @param asked what was asked for
 * @param from.asOf the moment that copies are read as of; left out: now
 * @param from.notes what is to be said besides, a sentence each
 */
export async function describeArchive(
  chosen: ChosenArchive,
  replaced: Promise<Pick<ReplacedPrimary, 'systemIdentifier' | 'timeline'>>,
  asked: string,
  {
    backup,
    dataClasses,
    asOf,
    notes = [],
  }: Pick<Newest, 'backup' | 'dataClasses'> & {
    readonly asOf?: string;
    readonly notes?: readonly string[];
  },
): Promise<RecoveryPoint> {
  const time = toMoment(chosen.manifest.snapshot.at);
  const [identity, losses] = await Promise.all([replaced, countLosses(dataClasses, time, activitySignal())]);
  return archivePoint(chosen, {
    asked,
    backup,
    identity,
    losses,
    notes,
    ...(asOf === undefined ? {} : { asOf }),
  });
}

/** The point that an archive leads to. @param known `identity`: the primary that is replaced */
export function archivePoint(
  { manifest, signer, copies, checked, passedOver }: Omit<ChosenArchive, 'newest'>,
  {
    asked,
    backup,
    identity,
    losses,
    asOf,
    notes = [],
  }: Pick<Newest, 'backup'> & {
    readonly asked: string;
    /** The moment that copies are read as of; left out: now. */
    readonly asOf?: string;
    /** What is to be said besides, a sentence each. */
    readonly notes?: readonly string[];
    readonly identity: Pick<ReplacedPrimary, 'systemIdentifier' | 'timeline'>;
    readonly losses: Losses;
  },
): RecoveryPoint {
  const time = toMoment(manifest.snapshot.at);
  const bytes = manifest.parts.reduce((sum, part) => sum + part.bytes, 0);
  const [first = 1] = copies;
  const ageMs = Math.max(0, Date.parse(currentMoment()) - Date.parse(time));
  const copy = titleOf(backup, first);
  return {
    time,
    asked,
    ...identity,
    backup: {
      label: manifest.label,
      repository: first,
      type: 'full',
      stoppedAt: toMoment(manifest.finishedAt),
      databaseBytes: manifest.database.bytes,
      walStart: '',
    },
    usableRepositories: copies,
    walSegments: 0,
    walEnd: '',
    archive: {
      ...{ label: manifest.label, copy, bytes, ageMs, signer, checked, passedOver },
      ...(asOf === undefined ? {} : { asOf }),
    },
    loses: losses.loses,
    summary: [
      `${time}: archive ${folderOf(manifest.system, manifest.label)} in ${copy}, ${formatBytes(bytes)} of ${formatBytes(manifest.database.bytes)}, ${formatDuration(ageMs)} old, signed by ${signer}; ${checked}`,
      ...lossesInWords(losses),
      ...notes,
      ...passedOver.map((one) => `passed over ${one}`),
    ].join('; '),
  };
}

/**
 * The primary that is replaced, as it is itself: running, or by its control file. Where neither can be read, the newest archive
 * tells whose it was; the fence finds out if that has changed since.
 */
export async function identityOf(
  replaced: DatabaseAt | undefined,
  { database }: ChosenArchive['newest'],
): Promise<Pick<ReplacedPrimary, 'systemIdentifier' | 'timeline'>> {
  const told = { systemIdentifier: database.systemIdentifier, timeline: database.timeline ?? 1 };
  if (replaced === undefined) return told;
  const live = await askPrimary(replaced).catch(() => undefined);
  if (live !== undefined) return live;
  const control = await serviceOf(replaced.postgres)
    .control()
    .catch(() => undefined);
  return control === undefined
    ? told
    : { systemIdentifier: control.systemIdentifier, timeline: control.timeline };
}

function askPrimary({ postgres }: DatabaseAt) {
  return withClient(
    adminOf(postgres),
    { statementTimeoutMs: ANSWER_MS, connectTimeoutMs: ANSWER_MS, applicationName: 'muster-point' },
    async (client) => {
      const { rows } = await client.query<{ system: string; timeline: number }>(
        `select (select system_identifier::text from pg_control_system()) as system,
           case when pg_is_in_recovery() then (select timeline_id from pg_control_checkpoint())
                else ('x' || left(pg_walfile_name(pg_current_wal_lsn()), 8))::bit(32)::integer end as timeline`,
      );
      const [row] = rows;
      return row === undefined ? undefined : { systemIdentifier: row.system, timeline: row.timeline };
    },
  );
}

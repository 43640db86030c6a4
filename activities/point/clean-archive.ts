/**
 * A recovery point for a system that somebody was in and that is backed up by archives. Its copies are read as they were before the
 * intruder: what they deleted, overwrote or dated back since does not count. Archives are then loaded in isolation, newest first, until
 * one holds no sign of them; the newest without one is proposed.
 */
import { folderOf, MANIFEST } from '../../src/archive/catalog.js';
import { copiesAsOf, withPlace } from '../../src/archive/place.js';
import { MusterError, PermanentError } from '../../src/errors.js';
import { formatCount } from '../../src/model/format.js';
import type { OfArchive } from '../../src/runbook/backups.js';
import type { ArchiveBackup } from '../../src/runbook/schema.js';
import { type ChosenArchive, chooseArchive } from '../archive/choice.js';
import { activitySignal } from '../context.js';
import type { DatabaseAt, MusterActivities, RecoveryPoint } from '../contract.js';
import type { CleanRules } from '../intrusion/contract.js';
import { listed, lookAt } from '../intrusion/look.js';
import { describeArchive } from './archive.js';
import { lookThroughArchives } from './archive-look.js';
import { toMoment } from './moment.js';
import { askAll } from './probe.js';

type Input = OfArchive<Parameters<MusterActivities['proposeClean']>[0]>;

/**
 * @throws PermanentError `NoCleanArchive` naming what was found in those that were looked into; what `chooseArchive` throws where none
 *   can be used
 */
export async function proposeCleanArchive(input: Input): Promise<RecoveryPoint> {
  const { at, from, replaced, before, dataClasses, clean } = input;
  const asOf = toMoment(before);
  const backup = copiesAsOf(input.backup, asOf);
  const { found, wrong } = await lookThroughArchives({
    ...{ at, target: from, backup, before: asOf },
    look: (place) => wrongIn(place, clean),
  });
  if (found === undefined) throw noneClean(at.system, asOf, wrong, await firstFault(at.system, backup, asOf));
  const rules = `${formatCount(clean.invariants.length)} rules hold`;
  const lock = await lockOf(backup, found);
  const unclean = [...wrong].map(([label, said]) => `${label}: ${said}`);
  return describeArchive(
    {
      ...found,
      checked: `${found.checked}; loaded in isolation: no sign of the intruder, ${rules}; ${lock}`,
      passedOver: [...new Set([...found.passedOver, ...unclean])],
    },
    Promise.resolve(replaced),
    before,
    { backup: input.backup, dataClasses, asOf },
  );
}

async function wrongIn(place: DatabaseAt, { baseline, tables, invariants }: CleanRules): Promise<string> {
  const { signs } = await lookAt(place, baseline, tables);
  if (signs.length > 0) return listed(signs);
  const broken = await askAll(place, invariants);
  return broken.length === 0 ? '' : `breaks ${broken.map(({ name }) => name).join(', ')}`;
}

async function lockOf(backup: ArchiveBackup, { manifest, copies }: ChosenArchive): Promise<string> {
  const copy = backup.copies[(copies[0] ?? 1) - 1];
  if (copy === undefined) return 'NOT LOCKED';
  const file = `${folderOf(manifest.system, manifest.label)}${MANIFEST}`;
  const lock = await withPlace(copy, activitySignal(), async (place) => place.lockOf?.(file));
  return lock === undefined ? 'NOT LOCKED: its versions can be deleted' : `locked ${lock}`;
}

/** Why no archive could even be looked into. */
async function firstFault(
  system: string,
  backup: ArchiveBackup,
  asOf: string,
): Promise<MusterError | undefined> {
  return chooseArchive(system, backup, activitySignal(), asOf).then(
    () => undefined,
    (error: unknown) => (error instanceof MusterError ? error : undefined),
  );
}

function noneClean(
  system: string,
  asOf: string,
  wrong: ReadonlyMap<string, string>,
  fault: MusterError | undefined,
): MusterError {
  if (wrong.size === 0 && fault !== undefined) return fault;
  const seen = [...wrong].map(([label, said]) => `${label}: ${said}`);
  return new PermanentError(
    'NoCleanArchive',
    `No archive of ${system} from before ${asOf} is without a sign of the intruder.`,
    {
      why: `${seen.join('. ')}.`,
      next: 'If something of this belongs there, add it to the baseline of the runbook (scenarios.breach.baseline) and begin again. Else look for older copies elsewhere (other sites, cold storage).',
      details: { looked: wrong.size },
      ...(fault === undefined ? {} : { cause: fault }),
    },
  );
}

/**
 * A recovery point for a system that somebody was in: read with the configuration of the clean site from copies that the intruder
 * could not change. Of the breached primary only its newest WAL is wanted, while it lives.
 */
import { PermanentError } from '../../src/errors.js';
import type { OfPgbackrest } from '../../src/runbook/backups.js';
import { activitySignal } from '../context.js';
import type { MusterActivities, RecoveryPoint } from '../contract.js';
import { repositoryName } from '../pgbackrest/command.js';
import { withStandIn } from '../pgbackrest/stand-in.js';
import { type Candidate, examineRepository, type Refusal } from './candidates.js';
import { describePoint } from './describe.js';
import { archiveNewest } from './live.js';
import { countLosses } from './losses.js';
import { toMoment } from './moment.js';

type Input = OfPgbackrest<Parameters<MusterActivities['proposeClean']>[0]>;

/** @throws PermanentError what the first repository says where none leads to the moment */
export async function proposeCleanInWal({
  at,
  damaged,
  from,
  replaced,
  backup,
  before,
  dataClasses,
}: Input): Promise<RecoveryPoint> {
  const signal = activitySignal();
  const moment = toMoment(before);
  // An intruder may have broken the archiving: what is archived already has to do then.
  const primary = at.mode === 'real' ? await archiveNewest(damaged, signal) : undefined;
  const { systemIdentifier, timeline } = replaced;
  const sought = { moment, systemIdentifier, timeline };
  const [examined, losses] = await Promise.all([
    withStandIn(from.postgres, systemIdentifier, (standIn) =>
      Promise.all(
        backup.repositories.map(({ number }) =>
          examineRepository(from.postgres, backup, number, sought, standIn),
        ),
      ),
    ),
    countLosses(dataClasses, moment, signal),
  ]);
  const usable = examined.filter((one): one is Candidate => 'segments' in one);
  const refused = examined.filter((one): one is Refusal => 'error' in one);
  const [best] = usable;
  if (best === undefined) throw noneLeadsThere(refused);
  const notes = [
    ...refused.map(
      (one) => `${repositoryName(backup, one.repository)} does not lead there (${one.error.message})`,
    ),
    ...(primary === undefined ? ['the primary could not be asked for its newest WAL'] : []),
  ];
  return describePoint({ best, usable, backup, time: moment, asked: before, losses, notes });
}

/** A sign that is older than every backup may be none: something that belongs there and that the baseline does not know. */
function noneLeadsThere([first]: readonly Refusal[]): Error {
  if (first === undefined) return new TypeError('No repository was examined.');
  const { error } = first;
  if (error.code !== 'PointBeforeBackups') return error;
  return new PermanentError(error.code, error.message, {
    next: `${error.next} Where the earliest sign is none of the intruder's: abort, add it to the baseline of the runbook, and begin again, with --before for another moment.`,
    details: error.details,
    cause: error,
  });
}

/** The recovery point: the newest state that can be proven to be reachable and is from before the damage. */

import { type MusterError, PermanentError, TransientError } from '../../src/errors.js';
import { activitySignal } from '../context.js';
import type { MusterActivities } from '../contract.js';
import { repositoryName } from '../pgbackrest/command.js';
import { type Candidate, examineRepository, type Refusal } from './candidates.js';
import { describePoint } from './describe.js';
import { archiveNewest } from './live.js';
import { countLosses } from './losses.js';
import { currentMoment, toMoment } from './moment.js';
import { proposeNewest } from './newest.js';

export { type Coverage, coverage } from './coverage.js';
export { toMoment } from './moment.js';

/** A gigabyte of WAL more or less to replay does not outweigh the order in which the runbook names the copies. */
const EQUAL_SEGMENTS = 64;

export function pointActivities(): Pick<MusterActivities, 'proposePoint' | 'proposeNewest'> {
  return {
    proposeNewest,

    async proposePoint({ at, damaged, backup, before, dataClasses }) {
      const signal = activitySignal();
      const moment = toMoment(before);
      requirePast(moment);
      // A drill takes what is archived: it has the primary write nothing.
      const primary = at.mode === 'real' ? await archiveNewest(damaged, signal) : undefined;
      const { systemIdentifier = '', timeline = 0 } = primary ?? {};
      const sought = { moment, systemIdentifier, timeline };
      const [examined, losses] = await Promise.all([
        Promise.all(
          backup.repositories.map(({ number }) =>
            examineRepository(damaged.postgres, backup, number, sought),
          ),
        ),
        countLosses(dataClasses, moment, signal),
      ]);
      const usable = examined.filter((one): one is Candidate => 'segments' in one);
      const refused = examined.filter((one): one is Refusal => 'error' in one);
      const [best] = bestFirst(usable);
      if (best === undefined) throw noneUsable(refused);
      const notes = [
        ...refused.map(
          (one) => `${repositoryName(backup, one.repository)} does not lead there (${one.error.message})`,
        ),
        ...(primary === undefined ? ['the primary could not be asked for its newest WAL'] : []),
      ];
      return describePoint({
        best,
        usable: bestFirst(usable),
        backup,
        time: moment,
        asked: before,
        losses,
        notes,
      });
    },
  };
}

/** @throws PermanentError `PointInFuture` */
function requirePast(moment: string): void {
  const now = currentMoment();
  if (moment <= now) return;
  throw new PermanentError('PointInFuture', `${moment} has not come yet: it is ${now}.`, {
    next: 'Choose a moment before the damage. Is the zone right? Times without Z are taken with the zone they name.',
  });
}

function bestFirst(usable: readonly Candidate[]): readonly Candidate[] {
  const least = Math.min(...usable.map(({ segments }) => segments.length));
  const far = ({ segments }: Candidate) => (segments.length - least <= EQUAL_SEGMENTS ? 0 : segments.length);
  return [...usable].sort((one, other) => far(one) - far(other));
}

/** What to tell when no repository leads to the point: a person's mistake before a fault that may pass. */
function noneUsable(refused: readonly Refusal[]): MusterError {
  const errors = refused.map(({ error }) => error);
  const furthest = (code: string, detail: 'oldest' | 'newest') => {
    const found = errors.filter((error) => error.code === code);
    const sorted = found.sort((one, other) =>
      String(one.details[detail]).localeCompare(String(other.details[detail])),
    );
    return detail === 'oldest' ? sorted[0] : sorted.at(-1);
  };
  const transient = errors.find((error) => error instanceof TransientError);
  const chosen =
    transient ??
    furthest('PointNotArchived', 'newest') ??
    furthest('WalMissing', 'newest') ??
    furthest('PointBeforeBackups', 'oldest') ??
    errors[0];
  if (chosen === undefined) throw new TypeError('No repository was examined.');
  const others = errors.filter((error) => error !== chosen).map(({ message }) => message);
  if (others.length === 0) return chosen;
  const { code, message, next, details, why = '' } = chosen;
  const kind = chosen instanceof TransientError ? TransientError : PermanentError;
  return new kind(code, message, {
    next,
    details,
    why: [why, ...others].join(' ').trim(),
    cause: chosen.cause,
  });
}

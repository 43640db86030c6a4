/** A moment made into a recovery point: which repositories lead there, and what going there loses. */
import { type MusterError, PermanentError, TransientError } from '../../src/errors.js';
import type { DataClass, PgbackrestBackup } from '../../src/runbook/schema.js';
import { activitySignal } from '../context.js';
import type { DatabaseAt, RecoveryPoint } from '../contract.js';
import { repositoryName } from '../pgbackrest/command.js';
import { type Candidate, examineRepository, type Refusal } from './candidates.js';
import { describePoint } from './describe.js';
import type { LivePrimary } from './live.js';
import { countLosses } from './losses.js';

/** A gigabyte of WAL more or less to replay does not outweigh the order in which the runbook names the copies. */
const EQUAL_SEGMENTS = 64;

/** @throws PermanentError of the repository that leads furthest, for instance `PointNotArchived`, `WalMissing` */
export async function pointAt({
  damaged,
  backup,
  moment,
  asked,
  through,
  primary,
  dataClasses,
  notes: said = [],
}: {
  readonly damaged: DatabaseAt;
  readonly backup: PgbackrestBackup;
  readonly moment: string;
  readonly asked: string;
  /** The last commit that is restored, where the moment alone would not say it exactly. */
  readonly through?: RecoveryPoint['through'];
  /** undefined: it could not be asked for its newest WAL. */
  readonly primary: LivePrimary | undefined;
  readonly dataClasses: Readonly<Record<string, DataClass>>;
  readonly notes?: readonly string[];
}): Promise<RecoveryPoint> {
  const { systemIdentifier = '', timeline = 0 } = primary ?? {};
  const sought = { moment, systemIdentifier, timeline };
  const [examined, losses] = await Promise.all([
    Promise.all(
      backup.repositories.map(({ number }) => examineRepository(damaged.postgres, backup, number, sought)),
    ),
    countLosses(dataClasses, moment, activitySignal()),
  ]);
  const usable = bestFirst(examined.filter((one): one is Candidate => 'segments' in one));
  const refused = examined.filter((one): one is Refusal => 'error' in one);
  const [best] = usable;
  if (best === undefined) throw noneUsable(refused);
  const notes = [
    ...said,
    ...refused.map(
      (one) => `${repositoryName(backup, one.repository)} does not lead there (${one.error.message})`,
    ),
    ...(primary === undefined ? ['the primary could not be asked for its newest WAL'] : []),
  ];
  return describePoint({
    best,
    usable,
    backup,
    time: moment,
    asked,
    ...(through === undefined ? {} : { through }),
    losses,
    notes,
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

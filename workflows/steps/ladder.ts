/** The ladder of verification (docs/verification.md): what has not climbed it is never promoted. */
import type {
  RecoveryPoint,
  RepositoryResult,
  RestoreResult,
  RungResult,
} from '../../activities/contract.js';
import { verifyCommands } from '../../activities/verify/commands.js';
import type { StepHandle } from '../engine/plan.js';
import type { PlanBuilder } from '../engine/plan-builder.js';
import { type DatabaseRecovery, minutes, type Place } from './parts.js';

type Verified = Pick<
  DatabaseRecovery,
  'target' | 'targetAt' | 'backup' | 'verification' | 'dataClasses' | 'application'
>;

/** Rungs 5 to 8: what the copy holds. */
export type ContentsRungs = Readonly<
  Record<'structure' | 'dump' | 'invariants' | 'trial', StepHandle<RungResult>>
>;

export interface Rungs extends ContentsRungs {
  readonly repository: StepHandle<RepositoryResult>;
  readonly pointReached: StepHandle<RungResult>;
  readonly files: StepHandle<RungResult>;
}

export interface Restored {
  readonly place: StepHandle<Place>;
  readonly point: StepHandle<RecoveryPoint>;
  readonly restored: StepHandle<RestoreResult>;
}

/** All rungs over a copy that was restored from a backup; independent ones at once. */
export function climbLadder<Params>(
  plan: PlanBuilder<Params>,
  { place, point, restored }: Restored,
  parts: Verified,
): Rungs {
  const { target, targetAt, backup } = parts;

  const repository = plan.step({
    name: 'verify-repository',
    title:
      backup.driver === 'archive'
        ? 'Rung 1: the archive in its copy, byte for byte'
        : 'Rung 1: backup and WAL in the repository',
    kind: 'verification',
    effect: 'none',
    budgetMs: 30 * minutes,
    needs: { place, point },
    commands: verifyCommands({ rung: 1, target, backup }),
    do: ({ at, long }, { place, point }) =>
      long.verifyRepository({ at, target: targetAt(place), backup, point }),
  });

  const pointReached = plan.step({
    name: 'verify-point',
    title:
      backup.driver === 'archive'
        ? 'Rung 4: what was dumped is what was loaded'
        : 'Rung 4: the point reached is the one asked for',
    kind: 'verification',
    effect: 'sandbox',
    budgetMs: 5 * minutes,
    needs: { place, point, restored },
    commands: verifyCommands({ rung: 4, target, backup }),
    // Counting every row again may take hours; comparing a position does not.
    do: ({ at, quick, long }, { place, point, restored }) =>
      backup.driver === 'archive'
        ? long.verifyPoint({ at, target: targetAt(place), backup, point, restored })
        : quick.verifyPoint({ at, target: targetAt(place), point, restored }),
  });

  const files = plan.step({
    name: 'verify-files',
    title: 'Rungs 2 and 3: control data and page checksums',
    kind: 'verification',
    effect: 'sandbox',
    budgetMs: 20 * minutes,
    needs: { place, point, restored },
    after: [pointReached],
    commands: [
      ...verifyCommands({ rung: 2, target, backup }),
      ...verifyCommands({ rung: 3, target, backup }),
    ],
    do: ({ at, long }, { place, point, restored }) =>
      long.verifyFiles({ at, target: targetAt(place), point, restored }),
  });

  return { repository, pointReached, files, ...verifyContents(plan, { place, point, files }, parts) };
}

/** The rungs that look at what a copy holds, wherever it comes from. */
export function verifyContents<Params>(
  plan: PlanBuilder<Params>,
  {
    place,
    point,
    files,
  }: Pick<Restored, 'place'> & {
    readonly point: StepHandle<Pick<RecoveryPoint, 'time'>>;
    /** What the copy stands still since. */
    readonly files: StepHandle<unknown>;
  },
  { target, targetAt, backup, verification, dataClasses, application }: Verified,
): ContentsRungs {
  const structure = plan.step({
    name: 'verify-structure',
    title: 'Rung 5: tables and indexes agree',
    kind: 'verification',
    effect: 'sandbox',
    budgetMs: 30 * minutes,
    needs: { place },
    after: [files],
    commands: verifyCommands({ rung: 5, target, backup }),
    do: ({ at, long }, { place }) =>
      long.verifyStructure({ at, target: targetAt(place), jobs: verification.jobs }),
  });

  const dump = plan.step({
    name: 'verify-dump',
    title: 'Rung 6: every row can be read',
    kind: 'verification',
    effect: 'sandbox',
    budgetMs: 30 * minutes,
    needs: { place },
    after: [files],
    commands: verifyCommands({ rung: 6, target, backup }),
    do: ({ at, long }, { place }) =>
      long.verifyDump({ at, target: targetAt(place), jobs: verification.jobs }),
  });

  const invariants = plan.step({
    name: 'verify-invariants',
    title: 'Rung 7: the data obeys the rules of its owner',
    kind: 'verification',
    effect: 'sandbox',
    budgetMs: 20 * minutes,
    needs: { place, point },
    after: [files],
    commands: verifyCommands({ rung: 7, target, backup }),
    do: ({ at, long }, { place, point }) =>
      long.verifyInvariants({
        at,
        target: targetAt(place),
        invariants: verification.invariants,
        dataClasses,
        point,
      }),
  });

  const trial = plan.step({
    name: 'verify-application',
    title: 'Rung 8: the application works on the copy',
    kind: 'verification',
    effect: 'sandbox',
    budgetMs: 10 * minutes,
    needs: { place },
    after: [files],
    commands: verifyCommands({ rung: 8, target, backup }),
    do: ({ at, long }, { place }) => long.verifyApplication({ at, target: targetAt(place), application }),
  });

  return { structure, dump, invariants, trial };
}

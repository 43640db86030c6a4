/** One copy after the other is brought up in isolation, until one climbs every rung. */
import { chmod, chown, mkdir, rm } from 'node:fs/promises';
import { MusterError, messageOf, PermanentError } from '../../src/errors.js';
import { formatCount, formatDuration } from '../../src/model/format.js';
import type { Progress } from '../../src/model/run.js';
import { accountIds } from '../../src/process.js';
import { activitySignal, keepResumePoint, resumePoint } from '../context.js';
import type {
  CopiesActivities,
  CopyFound,
  RecoveryPoint,
  RestoreResult,
  RungCheck,
  SurveyedCopy,
  TriedCopy,
} from '../contract.js';
import { endLeftovers } from '../pgbackrest/leftovers.js';
import {
  holdLease,
  type Lease,
  markRestored,
  requireHeld,
  spoolDirectoryOf,
  tablespaceDirectoryOf,
} from '../provision/lease.js';
import { restoreActivities } from '../restore/index.js';
import { hasLeftRecovery, serviceOf } from '../service/index.js';
import { countMissing } from '../standby/missing.js';
import { onStandby } from '../standby/state.js';
import { verifyActivities } from '../verify/index.js';
import { archiveAt } from './archives.js';
import { listDamage, PagesDamaged } from './damage.js';
import { isolate } from './isolate.js';

type Input = Parameters<CopiesActivities['tryCopies']>[0];
type Update = (progress: Progress) => void;

/** Where a copy stands that was brought up. */
interface Standing {
  readonly point: Pick<RecoveryPoint, 'systemIdentifier' | 'timeline' | 'time'>;
  readonly lsn: string;
  readonly cluster?: RestoreResult['cluster'];
  readonly lastCommitAt: string | null;
  readonly checks: readonly RungCheck[];
}

export async function tryCopies(input: Input, update: Update): Promise<CopyFound> {
  const { survey, first } = input;
  await holdLease(input.at, input.target);
  const known = failedBefore();
  const tried: TriedCopy[] = [];
  const order = [...survey.copies].sort(
    (one, other) => Number(other.id === first) - Number(one.id === first),
  );
  let found: CopyFound | undefined;
  for (const copy of order) {
    const before = known.find(({ id }) => id === copy.id);
    if (copy.unusable !== null || found !== undefined) {
      const says = copy.unusable ?? 'another one is at least as good';
      tried.push({ id: copy.id, outcome: 'not tried', says, tookMs: 0, damage: [] });
    } else if (before !== undefined) {
      tried.push(before);
    } else {
      const begun = performance.now();
      const tookMs = () => Math.round(performance.now() - begun);
      try {
        found = await tryOne(input, copy, update);
        tried.push({ id: copy.id, outcome: 'usable', says: found.summary, tookMs: tookMs(), damage: [] });
      } catch (error) {
        activitySignal().throwIfAborted();
        // Damage shows in ways that nobody has a name for: only what is wrong with the step ends it.
        if (error instanceof MusterError && BELONGS_TO_THE_STEP.includes(error.code)) throw error;
        const damage = await damageOf(input, error);
        tried.push({ id: copy.id, outcome: 'failed', says: messageOf(error), tookMs: tookMs(), damage });
        const failed = tried.filter(({ outcome }) => outcome === 'failed');
        const text = `${copy.title} has failed, ${formatCount(failed.length)} tried`;
        update({ done: failed.length, unit: 'resources', text });
        keepResumePoint({ failed }, { done: failed.length, unit: 'resources', text });
      }
    }
  }
  if (found !== undefined) return { ...found, tried };
  throw noneUsable(survey.copies, tried);
}

/** What is wrong with the step and not with the copy. */
const BELONGS_TO_THE_STEP: readonly string[] = [
  ...[
    'AttemptOvertaken',
    'TargetLeased',
    'TargetNotProvisioned',
    'RunAdopted',
    'LeaseUnreadable',
    'CopyPromoted',
  ],
];

function failedBefore(): readonly TriedCopy[] {
  const kept = resumePoint() as { readonly failed?: readonly TriedCopy[] } | undefined;
  return kept?.failed ?? [];
}

async function tryOne(input: Input, copy: SurveyedCopy, update: Update): Promise<CopyFound> {
  const begun = performance.now();
  const standing = await STANDS[copy.kind](input, copy, update);
  const contents = await climb(input, standing);
  const { loses, lossUnknown } = await onStandby(input.target, (client) =>
    countMissing(client, input.dataClasses, standing.point.time),
  );
  const lost = Object.entries(loses).map(
    ([name, { records }]) => `${formatCount(records)} acknowledged ${name} are not in it`,
  );
  return {
    id: copy.id,
    kind: copy.kind,
    title: copy.title,
    ...standing.point,
    lsn: standing.lsn,
    ...(standing.cluster === undefined ? {} : { cluster: standing.cluster }),
    lastCommitAt: standing.lastCommitAt,
    loses,
    lossUnknown,
    checks: [...standing.checks, ...contents],
    tried: [],
    summary: [
      `${copy.title} climbed every rung in ${formatDuration(performance.now() - begun)}`,
      `newest commit ${standing.lastCommitAt ?? 'unknown'}`,
      ...lost,
    ].join('; '),
  };
}

type Bring = (input: Input, copy: SurveyedCopy, update: Update) => Promise<Standing>;

/** How each kind of copy is brought up. */
const STANDS: Readonly<Record<SurveyedCopy['kind'], Bring>> = {
  backup: restored,
  standby: isolated,
  damaged: isolated,
  archive: loaded,
};

async function restored(
  { at, target, backup, provisioned }: Input,
  { point, sound = [], title }: SurveyedCopy,
): Promise<Standing> {
  if (point === undefined) throw new TypeError(`${title} was surveyed without a point`);
  // What an earlier copy has left is no part of this one.
  await empty({ at, target });
  const result = await restoreActivities().restoreDatabase({ at, target, provisioned, backup, point });
  const verify = verifyActivities();
  const reached = await verify.verifyPoint({ at, target, point, restored: result });
  const files = await verify.verifyFiles({ at, target, point, restored: result });
  return {
    point,
    lsn: result.lsn,
    lastCommitAt: result.lastCommitAt,
    checks: [...sound, ...reached.checks, ...files.checks],
  };
}

/** Read whole first, which takes less than loading it: most that is wrong with an archive shows there. */
async function loaded(
  { at, target, archives, provisioned }: Input,
  { point, from, title }: SurveyedCopy,
): Promise<Standing> {
  const whole = archives[from?.backup ?? ''];
  if (point === undefined || from === undefined || whole === undefined)
    throw new TypeError(`${title} was surveyed without a place`);
  const backup = archiveAt(whole, from);
  const verify = verifyActivities();
  const sound = await verify.verifyRepository({ at, target, backup, point });
  // What an earlier copy has left is no part of this one.
  await empty({ at, target });
  const result = await restoreActivities().restoreDatabase({ at, target, provisioned, backup, point });
  const reached = await verify.verifyPoint({ at, target, backup, point, restored: result });
  const files = await verify.verifyFiles({ at, target, point, restored: result });
  return {
    point,
    lsn: result.lsn,
    cluster: result.cluster,
    lastCommitAt: null,
    checks: [...sound.checks, ...reached.checks, ...files.checks],
  };
}

async function isolated(input: Input, { kind }: SurveyedCopy, update: Update): Promise<Standing> {
  const { at, target, backup, standby, damaged } = input;
  const source = kind === 'standby' ? standby : damaged;
  if ((kind !== 'standby' && kind !== 'damaged') || source === null)
    throw new TypeError(`a copy of kind ${kind}`);
  const lease = await empty({ at, target });
  const { facts, lsn, checks } = await isolate({ kind, source, target, backup, lease, update });
  const { systemIdentifier, timeline, time, lastCommitAt } = facts;
  return {
    point: { systemIdentifier, timeline, time },
    lsn,
    // Without an archive of WAL it takes over as a loaded archive does.
    ...(backup.driver === 'archive' ? { cluster: { systemIdentifier, timeline } } : {}),
    lastCommitAt,
    checks,
  };
}

/** Rungs 5 to 8. All are waited for, so that nothing still reads when the next copy takes the place. */
async function climb(input: Input, { point }: Standing): Promise<readonly RungCheck[]> {
  const { at, target, jobs, invariants, dataClasses, application } = input;
  const verify = verifyActivities();
  const rungs = await Promise.allSettled([
    verify.verifyStructure({ at, target, jobs }),
    verify.verifyDump({ at, target, jobs }),
    verify.verifyInvariants({ at, target, invariants, dataClasses, point }),
    verify.verifyApplication({ at, target, application }),
  ]);
  return rungs.flatMap((rung) => {
    if (rung.status === 'rejected') throw rung.reason;
    return rung.value.checks;
  });
}

/** Empties the place that the run was given. What was promoted, by whomever, is left alone. */
async function empty({ at, target }: Pick<Input, 'at' | 'target'>): Promise<Lease> {
  const { dataDirectory, account } = target.postgres.service;
  const service = serviceOf(target.postgres);
  const { logical, ...lease } = await holdLease(at, target);
  // While an archive is loaded its server is in no recovery: it was not promoted.
  const loading = logical === true && lease.restored === undefined;
  if (
    !loading &&
    (await service.pid()) !== undefined &&
    (await hasLeftRecovery(target.postgres, Number.POSITIVE_INFINITY))
  ) {
    throw new PermanentError(
      'CopyPromoted',
      `The copy at ${target.site} has left recovery: it takes writes.`,
      {
        next: 'Find out who promoted it. It is not touched by this run.',
      },
    );
  }
  const fresh = await markRestored(lease, undefined);
  await service.stop('immediate');
  await endLeftovers(dataDirectory);
  await requireHeld(fresh);
  for (const folder of [
    dataDirectory,
    tablespaceDirectoryOf(dataDirectory),
    spoolDirectoryOf(dataDirectory),
    `${dataDirectory}.archive`,
  ]) {
    await rm(folder, { recursive: true, force: true, maxRetries: 3 });
  }
  await mkdir(dataDirectory, { mode: 0o700 });
  const ids = accountIds(account);
  if (ids.switch) await chown(dataDirectory, ids.uid, ids.gid);
  await chmod(dataDirectory, 0o700);
  return fresh;
}

/** Told where it can be told; that it cannot is no reason to stop. */
async function damageOf({ target, dataClasses }: Input, error: unknown): Promise<readonly string[]> {
  if (!(error instanceof PagesDamaged)) return [];
  try {
    await serviceOf(target.postgres).start('ready');
    return await listDamage(target, error.report, dataClasses);
  } catch {
    activitySignal().throwIfAborted();
    return error.report.named.map(({ file, block }) => `block ${block} of ${file}`);
  }
}

function noneUsable(copies: readonly SurveyedCopy[], tried: readonly TriedCopy[]): PermanentError {
  const why = tried.map(({ id, says, damage }) => {
    const title = copies.find((copy) => copy.id === id)?.title ?? id;
    return `${title}: ${says}${damage.length === 0 ? '' : ` (${damage.join('; ')})`}`;
  });
  return new PermanentError('NoCopyUsable', `No copy of the database climbed every rung. ${why.join(' ')}`, {
    why: 'What has not been verified is never promoted.',
    next: 'Nothing was changed: every original is as it was. Look for further copies (disks, drills, other accounts); what is damaged row by row can be saved by hand from the copy that lost least.',
  });
}

/** Every backup of a repository: whether its files are whole, and how far sound WAL leads on from it. */
import { MusterError, messageOf, PermanentError } from '../../src/errors.js';
import { formatCount } from '../../src/model/format.js';
import type { OfPgbackrest } from '../../src/runbook/backups.js';
import { activitySignal } from '../context.js';
import type { CopiesActivities, RungCheck, SurveyedCopy } from '../contract.js';
import { pgbackrestVersion, repositoryName } from '../pgbackrest/command.js';
import type { BackupInfo } from '../pgbackrest/info.js';
import { withStandIn } from '../pgbackrest/stand-in.js';
import { runVerify, verifyPatienceMs } from '../pgbackrest/verify.js';
import type { VerifyReport, WrongFile } from '../pgbackrest/verify-report.js';
import { commitReader, lastCommits } from '../point/commits.js';
import { describePoint } from '../point/describe.js';
import { type Holding, lookInto, pathFrom } from '../point/holding.js';
import { countLosses } from '../point/losses.js';
import { justAfter } from '../point/moment.js';
import { answering, unread } from './answer.js';
import { shortFiles } from './sizes.js';

type Input = OfPgbackrest<Parameters<CopiesActivities['surveyCopies']>[0]>;

export async function surveyRepository(input: Input, repository: number): Promise<readonly SurveyedCopy[]> {
  const { target, backup } = input;
  const name = repositoryName(backup, repository);
  const head = { id: `repository-${repository}`, kind: 'backup' as const, title: `the backups in ${name}` };
  try {
    const holding = await lookInto(target.postgres, backup, repository, {
      systemIdentifier: '',
      timeline: 0,
    });
    const short = await shortIn(holding);
    const found = await verifyAll(holding, short);
    return await withStandIn(target.postgres, holding.systemIdentifier, async (standIn) => {
      const copies: SurveyedCopy[] = [];
      for (const one of [...holding.backups].reverse()) {
        const id = {
          id: `repository-${repository}/${one.label}`,
          kind: 'backup' as const,
          title: `backup ${one.label} in ${name}`,
        };
        copies.push(...(await answering(id, () => surveyBackup(input, holding, found, one, standIn))));
      }
      return copies;
    });
  } catch (error) {
    if (!(error instanceof MusterError)) throw error;
    return [unread(head, messageOf(error))];
  }
}

interface Found {
  /** undefined: pgBackRest did not come to the end of it, or would not have. */
  readonly report: VerifyReport | undefined;
  readonly wrong: readonly WrongFile[];
  readonly short: Short;
  readonly tookMs: number;
}

/** By label; a manifest that cannot be read is an answer too. */
type Short = Readonly<Record<string, readonly string[]>>;

async function shortIn({ scope, repository, backups }: Holding): Promise<Short> {
  const found: Record<string, readonly string[]> = {};
  for (const { label } of backups) {
    try {
      found[label] = (await shortFiles(scope, repository, label)).map(({ says }) => says);
    } catch (error) {
      activitySignal().throwIfAborted();
      if (!(error instanceof MusterError)) throw error;
      found[label] = [messageOf(error)];
    }
  }
  return found;
}

/** Reads every file of the repository: this is the day on which nothing of it is believed. */
async function verifyAll({ scope, repository, backups }: Holding, short: Short): Promise<Found> {
  const begun = performance.now();
  if (Object.values(short).some((files) => files.length > 0)) {
    return { report: undefined, wrong: [], short, tookMs: 0 };
  }
  const bytes = backups.reduce((sum, { info }) => sum + (info.repository.delta ?? info.size), 0);
  const tookMs = () => Math.round(performance.now() - begun);
  try {
    return {
      ...(await runVerify(scope, repository, undefined, verifyPatienceMs(bytes))),
      short,
      tookMs: tookMs(),
    };
  } catch (error) {
    activitySignal().throwIfAborted();
    if (!(error instanceof MusterError)) throw error;
    // Its backups are tried all the same: a restore compares every file with its checksum.
    return { report: undefined, wrong: [], short, tookMs: tookMs() };
  }
}

async function surveyBackup(
  { target, backup, dataClasses }: Input,
  holding: Holding,
  { report, wrong, short, tookMs }: Found,
  one: BackupInfo,
  standIn: string,
): Promise<Omit<SurveyedCopy, 'id' | 'kind' | 'title'>> {
  const { scope, repository, systemIdentifier, timeline, name } = holding;
  const chain = [...new Set([...(one.reference ?? []), one.label])];
  requireLong(name, chain, short);
  if (report !== undefined) requireWhole(name, chain, report, wrong);
  const path = await pathFrom(holding, [one]);
  const bad = new Set(
    wrong.flatMap(({ file }) => /([0-9A-F]{24})/.exec(file.split('/').at(-1) ?? '')?.[1] ?? []),
  );
  const firstBad = path.present.findIndex((segment) => bad.has(segment));
  const sound = firstBad < 0 ? path.present : path.present.slice(0, firstBad);
  const last = await lastCommits(sound, commitReader(target.postgres, scope, repository, standIn));
  if (last === undefined || (one.archive.stop !== null && (sound.at(-1) ?? '') < one.archive.stop)) {
    throw new PermanentError(
      'WalDamaged',
      `The WAL that backup ${one.label} in ${name} needs is damaged or missing${path.segments[sound.length] === undefined ? '' : ` from ${path.segments[sound.length]} on`}.`,
      { next: 'Use another copy.' },
    );
  }
  const segments = sound.slice(0, last.segment + 1);
  const time = justAfter(last.commits.last);
  const losses = await countLosses(dataClasses, time, activitySignal());
  const best = { repository, systemIdentifier, timeline, backup: one, segments };
  const stopsAt = path.segments[sound.length];
  const ends =
    stopsAt === undefined
      ? []
      : [`segment ${stopsAt} is ${firstBad < 0 ? 'missing' : 'damaged'}: nothing after it is replayed`];
  const point = describePoint({
    ...{
      best,
      usable: [best],
      backup,
      time,
      asked: 'newest',
      through: last.commits.end,
      losses,
      notes: ends,
    },
  });
  const files = chain.reduce((sum, label) => sum + (report?.backups[label]?.valid ?? 0), 0);
  const whole =
    report === undefined
      ? `${chain.join(' and ')} as long as the manifest says, NOT READ (verify does not come to its end here): the restore compares every file with its checksum`
      : `${chain.join(' and ')} whole, ${formatCount(files)} files compared with their checksums`;
  const check: RungCheck = {
    rung: 1,
    title: `backup set and WAL, ${name}`,
    passed: true,
    tool: 'pgbackrest',
    toolVersion: await pgbackrestVersion(),
    durationMs: tookMs,
    detail: `repository ${repository}: ${whole}; ${formatCount(segments.length)} WAL segments ${segments[0]} to ${segments.at(-1)} ${report === undefined ? '' : 'sound and '}without a gap`,
  };
  return {
    newestAt: time,
    unusable: null,
    says: [check.detail, ...ends].join('; '),
    loses: losses.loses,
    lossUnknown: losses.unknown,
    point,
    sound: [check],
  };
}

/** @throws PermanentError `BackupDamaged` */
function requireLong(name: string, chain: readonly string[], short: Short): void {
  for (const label of chain) {
    const files = short[label] ?? [];
    if (files.length === 0) continue;
    const more = files.length > 3 ? ` and ${files.length - 3} more` : '';
    throw new PermanentError(
      'BackupDamaged',
      `Backup ${label} in ${name} is incomplete: ${files.slice(0, 3).join('; ')}${more}.`,
      { next: 'Use another copy.' },
    );
  }
}

/** @throws PermanentError `BackupDamaged` */
function requireWhole(
  name: string,
  chain: readonly string[],
  report: VerifyReport,
  wrong: readonly WrongFile[],
): void {
  for (const label of chain) {
    const set = report.backups[label];
    if (report.remarks.length === 0 && set?.status === 'valid' && set.total > 0 && set.valid === set.total)
      continue;
    const files = wrong.filter(({ file }) => file.startsWith(`${label}/`));
    const named = files.slice(0, 3).map(({ what, file }) => `${what} ${file}`);
    const more = files.length > 3 ? ` and ${files.length - 3} more` : '';
    throw new PermanentError(
      'BackupDamaged',
      `Backup ${label} in ${name} is ${set?.status ?? 'not verified'}${set === undefined ? '' : `, ${set.total - set.valid} of ${set.total} files are wrong`}${[...report.remarks, ...named].map((text) => `; ${text}`).join('')}${more}.`,
      { next: 'Use another copy.' },
    );
  }
}

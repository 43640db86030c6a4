/** What approvers are shown, made from the outputs of steps. The same facts go into the evidence. */
import type {
  Assessment,
  CleanArchiveSearch,
  CleanPointSearch,
  CopiesSurvey,
  CopyFound,
  FenceProof,
  InvariantResult,
  PointArchive,
  PrimaryFound,
  RecoveryPoint,
  RungCheck,
  SalvageFound,
  StandbyBuilt,
  StandbyCaughtUp,
  StandbyState,
  TablesTaken,
} from '../../activities/contract.js';
import { formatBytes, formatCount, formatDuration } from '../../src/model/format.js';
import type { Fact } from '../../src/model/run.js';
import type { DataClass } from '../../src/runbook/schema.js';

export function showAssessment(assessment: Assessment): Fact[] {
  const broken = assessment.invariants.filter((result) => result.violations > 0);
  return [
    { label: 'damage', value: assessment.summary },
    ...broken.map((result) => ({ label: `broken: ${result.name}`, value: describeBroken(result) })),
  ];
}

function describeBroken(result: InvariantResult): string {
  const samples = result.samples.slice(0, 2).join('; ');
  return `${formatCount(result.violations)} rows${samples === '' ? '' : `, for instance ${samples}`}`;
}

export function showPoint(point: RecoveryPoint, dataClasses: Readonly<Record<string, DataClass>>): Fact[] {
  return [
    { label: 'recovery point', value: point.time },
    ...Object.entries(point.loses).map(([name, loss]) => ({
      label: `loses ${name}`,
      value: `${formatCount(loss.records)} acknowledged over ${formatDuration(loss.windowMs)} (RPO ${formatDuration(dataClasses[name]?.rpo ?? 0)})`,
    })),
    ...(point.search === undefined ? [] : showSearch(point.search)),
    ...(point.archiveSearch === undefined ? [] : showArchiveSearch(point.archiveSearch)),
    ...(point.archive === undefined ? showBackup(point) : showArchive(point.archive)),
  ];
}

function showBackup(point: RecoveryPoint): Fact[] {
  return [
    {
      label: 'backup',
      value: `${point.backup.label} (${point.backup.type}) and ${formatCount(point.walSegments)} WAL segments, repositories ${point.usableRepositories.join(', ')}`,
    },
  ];
}

/** Why the point is the newest good one: nobody has said it, so whoever approves has to see it. */
function showSearch(search: CleanPointSearch): Fact[] {
  const { firstBad, broken, base, candidates, restores, looks } = search;
  return [
    {
      label: 'first bad commit',
      value: `transaction ${firstBad.xid} of ${firstBad.at}, at ${firstBad.lsn}; the last good one is of ${search.lastGood?.at ?? `before backup ${base}`}`,
    },
    ...broken.map((result) => ({ label: `breaks ${result.name}`, value: describeBroken(result) })),
    {
      label: 'searched',
      value: `${formatCount(candidates.backups)} backups, ${formatCount(candidates.segments)} segments of WAL, ${formatCount(candidates.commits)} commits: ${formatCount(restores)} restores, all rules asked at ${formatCount(looks)} states, ${formatDuration(search.durationMs)}. Assumed: ${search.assumes}`,
    },
  ];
}

/** The same of archives: between two of them nobody can say when the damage came, and all that was written since is lost. */
function showArchiveSearch(search: CleanArchiveSearch): Fact[] {
  const { clean, damaged, broken, liveAsked, candidates, restores } = search;
  const since =
    damaged === null
      ? `no newer archive can be used; ${liveAsked ? 'the live data is damaged' : 'THE LIVE DATA COULD NOT BE ASKED'}`
      : `the next one, ${damaged.label}, is damaged`;
  return [
    { label: 'newest clean archive', value: `${clean.label} of ${clean.at}; ${since}` },
    ...broken.map((result) => ({ label: `breaks ${result.name}`, value: describeBroken(result) })),
    {
      label: 'searched',
      value: `${formatCount(candidates)} archives: ${formatCount(restores)} restores, ${formatDuration(search.durationMs)}. Assumed: ${search.assumes}`,
    },
  ];
}

/** Which copy it is, how old, by whom and how large; and what would have been nearer and cannot be used. */
function showArchive({ label, copy, bytes, ageMs, signer, checked, passedOver }: PointArchive): Fact[] {
  return [
    {
      label: 'archive',
      value: `${label} in ${copy}, ${formatBytes(bytes)}, ${formatDuration(ageMs)} old, signed by ${signer}`,
    },
    { label: 'archive checked', value: checked },
    ...passedOver.map((value) => ({ label: 'PASSED OVER', value })),
  ];
}

/** What people approve to be replaced. */
export function showTables({ tables }: TablesTaken): Fact[] {
  return tables.flatMap(({ table, changed, missing, added, same, samples, rows }) => [
    {
      label: table,
      value: `${formatCount(changed)} rows go back, ${formatCount(missing)} come back; ${formatCount(added)} that were added since stay, ${formatCount(same)} are the same`,
    },
    ...(samples.length === 0 ? [] : [{ label: 'for instance', value: samples.join(', ') }]),
    { label: 'every row', value: `${rows.file}, SHA-256 ${rows.sha256}` },
  ]);
}

/** What people approve to be entered, and what is left out. */
export function showSalvage(found: SalvageFound): Fact[] {
  return [
    { label: 'new primary', value: found.site },
    {
      label: 'written after',
      value: `${found.time}, the first commit that the new primary does not have; up to ${found.through.at}, the last one archived`,
    },
    ...found.tables.flatMap(({ table, rows, present, sound, refused }) => [
      {
        label: table,
        value: `${formatCount(sound)} of ${formatCount(rows)} rows are sound and will be entered; ${formatCount(present)} are there already`,
      },
      ...Object.entries(refused).map(([why, count]) => ({
        label: `not ${table}`,
        value: `${formatCount(count)} rows: ${why}`,
      })),
    ]),
    ...found.samples.slice(0, 3).map((sample) => ({ label: 'for instance', value: sample })),
    { label: 'every row', value: `${found.list.file}, SHA-256 ${found.list.sha256}` },
  ];
}

/** A standby before anything is done to it. */
export function showStandby(standby: StandbyState, dataClasses: Readonly<Record<string, DataClass>>): Fact[] {
  const heard = standby.heardAt === null ? '' : `, last heard at ${standby.heardAt}`;
  return [
    {
      label: 'primary',
      value: standby.primaryAnswers
        ? 'ANSWERS: it is not lost. Approving fences it all the same'
        : `does not answer Muster${heard}`,
    },
    {
      label: 'standby',
      value: `${standby.site}, timeline ${standby.timeline}, at ${standby.replayedLsn}; newest commit ${standby.lastCommitAt ?? 'unknown'}`,
    },
    {
      label: 'lag',
      value:
        standby.lagBytes === 0
          ? 'none: it has all that is known of the primary'
          : `${formatBytes(standby.lagBytes)} behind ${standby.knownLsn}, which the ${standby.knownFrom} knows; what is archived of it is replayed before the promotion`,
    },
    ...showLoss(standby, dataClasses),
  ];
}

/** A standby at the end of all that there is. */
export function showStandbyEnd(
  caughtUp: StandbyCaughtUp,
  dataClasses: Readonly<Record<string, DataClass>>,
): Fact[] {
  return [
    { label: 'standby', value: caughtUp.summary },
    { label: 'archive', value: `ends with ${caughtUp.newestArchived ?? 'nothing'}, all of it replayed` },
    ...showLoss(caughtUp, dataClasses),
  ];
}

/** Every copy with what became of it, and what the chosen one loses. */
export function showCopies(
  { survey, found }: { readonly survey: CopiesSurvey; readonly found: CopyFound },
  dataClasses: Readonly<Record<string, DataClass>>,
): Fact[] {
  return [
    { label: 'chosen copy', value: `${found.title}: ${found.summary}` },
    ...showLoss(found, dataClasses),
    ...found.tried.flatMap(({ id, outcome, says, damage }): Fact[] => {
      const copy = survey.copies.find((one) => one.id === id);
      const lost = Object.entries(copy?.loses ?? {}).map(
        ([name, { records }]) => `${formatCount(records)} ${name}`,
      );
      const leads =
        copy?.newestAt == null
          ? ''
          : `leads to ${copy.newestAt}${lost.length === 0 ? '' : `, loses ${lost.join(', ')}`}; `;
      return [
        {
          label: `copy ${id}`,
          value: `${outcome === 'usable' ? 'CHOSEN' : outcome === 'failed' ? 'FAILED' : 'not tried'}: ${leads}${says}`,
        },
        ...damage.map((value) => ({ label: `damaged in ${id}`, value })),
      ];
    }),
  ];
}

/** Before a planned switchover: where the system runs, and how close the standby at home is. */
export function showHomecoming({
  primary,
  built,
  standby,
}: {
  readonly primary: PrimaryFound;
  readonly built: StandbyBuilt;
  readonly standby: StandbyState;
}): Fact[] {
  return [
    { label: 'primary', value: primary.summary },
    { label: 'standby', value: built.summary },
    {
      label: 'lag',
      value:
        standby.lagBytes === 0
          ? `none: ${standby.site} has all that ${primary.site} has written`
          : `${formatBytes(standby.lagBytes)} behind ${standby.knownLsn}; the switchover waits for them`,
    },
    {
      label: 'what is lost',
      value: `nothing: ${standby.site} ends with the very last record of ${primary.site}, or ${primary.site} opens again`,
    },
  ];
}

/** The same where the last state is dumped and loaded at home. */
export function showDumpedHomecoming({
  primary,
  home,
}: {
  readonly primary: PrimaryFound;
  readonly home: string;
}): Fact[] {
  return [
    { label: 'primary', value: primary.summary },
    {
      label: 'without writes',
      value: `while ${formatBytes(primary.databaseBytes)} are dumped at ${primary.site}, loaded at ${home}, compared and verified: budgets and past runs say how long`,
    },
    {
      label: 'what is lost',
      value: `nothing: ${home} holds every row that was counted when ${primary.site} took no writes any more, or it is not promoted`,
    },
  ];
}

/** Of what was acknowledged, by data class. */
export function showLoss(
  { loses, lossUnknown }: Pick<StandbyState, 'loses' | 'lossUnknown'>,
  dataClasses: Readonly<Record<string, DataClass>>,
): Fact[] {
  return [
    ...Object.entries(loses).map(([name, { records, windowMs }]) => ({
      label: `loses ${name}`,
      value:
        records === 0
          ? 'none that was acknowledged'
          : `${formatCount(records)} acknowledged over ${formatDuration(windowMs)} (RPO ${formatDuration(dataClasses[name]?.rpo ?? 0)})`,
    })),
    ...lossUnknown.map((name) => ({
      label: `loses ${name}`,
      value: 'NOT KNOWN: the record of what was acknowledged cannot be read',
    })),
  ];
}

export function showFence({ refusedWrite, without }: FenceProof): Fact[] {
  return [
    {
      label: refusedWrite === null ? 'FENCE NOT PROVEN' : 'fence',
      value:
        refusedWrite === null
          ? `${without?.by.join(' and ')} went on without proof: ${without?.reason} (${without?.tried})`
          : `a write as ${refusedWrite.as} was refused at ${refusedWrite.at}: ${refusedWrite.answer}`,
    },
  ];
}

/** One line a rung: what an approver reads in a minute. The report keeps every check by itself. */
export function showChecks(checks: readonly RungCheck[]): Fact[] {
  const rungs = [...new Set(checks.map((check) => check.rung))].sort((one, other) => one - other);
  return rungs.map((rung) => {
    const of = checks.filter((check) => check.rung === rung);
    const failed = of.filter((check) => !check.passed);
    const slowest = Math.max(...of.map((check) => check.durationMs));
    const [first] = of;
    const what =
      of.length === 1
        ? `${first?.title}: ${first?.detail}`
        : `${of.length} checks: ${of.map((check) => check.title).join('; ')}`;
    return {
      label: `rung ${rung} ${failed.length === 0 ? 'passed' : 'FAILED'}`,
      value: `${what} (${first?.tool}, ${formatDuration(slowest)})`,
    };
  });
}

/** The report's figures as the page shows them: text and percentages, nothing left to decide for the template. */
import { type DecisionChoice, WHOLE_RUN } from '../../model/decision.js';
import { formatCount, formatDuration, formatTimeOfDay } from '../../model/format.js';
import type { Deviation, Objective, ReportDocument } from '../document.js';
import { commandFacts, exceptionFacts, moment, proofText } from './command-facts.js';
import { verdictOf } from './verdict.js';

/** How many identifiers of a data class the page lists; the JSON has more. */
export const LISTED_ON_PAGE = 500;
/** Lists up to this length are open from the start. */
const SHORT_LIST = 60;

const WORDS: Readonly<Record<DecisionChoice, string>> = {
  approve: 'Approved',
  deny: 'Denied',
  withdraw: 'Word taken back',
  override: 'Overridden',
  retry: 'Tried again',
  skip: 'Skipped',
  hold: 'Held',
  resume: 'Resumed',
  'hand-over': 'Command handed over',
  abort: 'Aborted',
};

const TONES: Readonly<Record<DecisionChoice, 'kept' | 'missed' | 'strong'>> = {
  approve: 'kept',
  deny: 'missed',
  withdraw: 'strong',
  override: 'missed',
  retry: 'strong',
  skip: 'missed',
  hold: 'strong',
  resume: 'strong',
  'hand-over': 'strong',
  abort: 'missed',
};

const DEVIATIONS: Readonly<Record<Deviation['kind'], string>> = {
  failed: 'Failed.',
  repeated: 'Repeated:',
  'over-budget': 'Over budget:',
  denied: 'Decision:',
  changed: 'Changed:',
  skipped: 'Skipped:',
  undone: 'Undone:',
  'not-reached': 'Not reached:',
  warning: 'Warning:',
  held: 'Held:',
  'handed-over': 'Command:',
  withdrawn: 'Word taken back:',
  overridden: 'Overridden:',
  'taken-over': 'Taken over:',
  plan: 'Another plan:',
};

export function pageFacts(report: ReportDocument) {
  return {
    verdict: verdictOf(report),
    facts: factsOf(report),
    clock: clockOf(report),
    components: report.rto.filter(({ of }) => of === 'component').map(componentRow),
    data: report.rpo.map((row) => ({
      name: row.dataClass,
      target: formatDuration(row.targetMs),
      measured:
        row.actualMs === undefined ? 'not known' : row.actualMs === 0 ? 'none' : formatDuration(row.actualMs),
      met: row.met,
      word: row.met ? 'met' : row.actualMs === undefined ? 'not measured' : 'missed',
      percent: percentOf(row.actualMs ?? 0, row.targetMs),
      lost: row.lostRecords === undefined ? 'not known' : formatCount(row.lostRecords),
    })),
    lost: report.lost.map(lostRow),
    exceptions: report.exceptions.map(exceptionFacts),
    command: commandFacts(report),
    decisions: report.approvals.map((approval) => ({
      ...approval,
      on: approval.on === WHOLE_RUN ? 'the run' : approval.on,
      title: approval.on === WHOLE_RUN ? 'The whole run' : approval.title,
      proof: proofText(approval),
      from: [approval.origin?.address, approval.origin?.agent]
        .filter((part) => part !== undefined)
        .join(', '),
      word: WORDS[approval.choice],
      tone: TONES[approval.choice],
      // Whoever overrides does so with another right.
      roles: ['approve', 'deny'].includes(approval.choice) ? approval.roles.join(' or ') : '',
      time: formatTimeOfDay(approval.at),
      moment: moment(approval.at),
    })),
    anyFailure: report.steps.some(({ failure }) => failure !== undefined),
    waitedInWork: report.steps.some(({ kind, waitingMs }) => kind !== 'gate' && waitingMs > 0),
    verification: verificationOf(report),
    deviations: report.deviations.map(({ kind, step, at, text }) => ({
      kind: DEVIATIONS[kind],
      step: step ?? '',
      time: at === undefined ? '' : formatTimeOfDay(at),
      text,
    })),
    steps: report.steps.map((step) => ({
      name: step.name,
      ...stateOf(step),
      critical: report.criticalPath.includes(step.name),
      began: step.startedAt === undefined ? '' : formatTimeOfDay(step.startedAt),
      worked: step.workingMs > 0 ? formatDuration(step.workingMs) : '',
      waited: step.waitingMs > 0 ? formatDuration(step.waitingMs) : '',
      budget: formatDuration(step.budgetMs),
      over: step.overBudgetMs !== undefined,
      outcome: step.summary ?? step.title,
    })),
    scope: scopeOf(report),
  };
}

function factsOf(report: ReportDocument) {
  const { clock } = report;
  const fact = (label: string, iso: string | undefined, detail?: string) => ({
    label,
    value: iso === undefined ? 'not reached' : formatTimeOfDay(iso),
    detail: iso === undefined ? detail : `${iso.slice(0, 10)}${detail === undefined ? '' : `, ${detail}`}`,
  });
  return [
    fact('Detected', clock.detectedAt),
    fact('Run started', clock.startedAt, `after ${formatDuration(clock.beforeStartMs)}`),
    fact('Service back', clock.serviceRestoredAt),
    fact('Report written', report.writtenAt),
  ];
}

function clockOf(report: ReportDocument) {
  const { beforeStartMs, workingMs, waitingMs, detectedAt } = report.clock;
  const rto = report.rto[0] as Objective;
  const total = beforeStartMs + workingMs + waitingMs;
  const full = Math.max(rto.targetMs, rto.actualMs ?? total);
  const part = (kind: string, label: string, amountMs: number) => ({
    kind,
    label,
    amount: formatDuration(amountMs),
    percent: percentOf(amountMs, full),
  });
  const deadline = new Date(Date.parse(detectedAt) + rto.targetMs).toISOString();
  const overrun = full > rto.targetMs;
  return {
    name: rto.name,
    met: rto.met,
    measured: rto.actualMs === undefined ? undefined : formatDuration(rto.actualMs),
    target: formatDuration(rto.targetMs),
    parts: [
      part('before', 'before the run', beforeStartMs),
      part('work', 'working', workingMs),
      part('people', 'waiting for people', waitingMs),
    ],
    targetPercent: overrun ? percentOf(rto.targetMs, full) : undefined,
    from: formatTimeOfDay(detectedAt),
    until: overrun ? `target ${formatTimeOfDay(deadline)}, marked` : `target ${formatTimeOfDay(deadline)}`,
    told: `${formatDuration(rto.actualMs ?? total)} of ${formatDuration(rto.targetMs)}`,
  };
}

function componentRow(row: Objective) {
  return {
    name: row.name,
    target: formatDuration(row.targetMs),
    measured: row.actualMs === undefined ? undefined : formatDuration(row.actualMs),
    met: row.met,
    word: row.met ? 'met' : row.actualMs === undefined ? 'not met' : 'missed',
    percent: row.actualMs === undefined ? 0 : percentOf(row.actualMs, row.targetMs),
  };
}

function lostRow({ dataClass, records, complete, listed }: ReportDocument['lost'][number]) {
  const shown = listed.slice(0, LISTED_ON_PAGE);
  const first = listed[0]?.at;
  const last = listed.at(-1)?.at;
  return {
    dataClass,
    records: `${formatCount(records)} ${records === 1 ? 'record' : 'records'}`,
    from:
      first === undefined || last === undefined
        ? 'counted'
        : first === last
          ? `written at ${formatTimeOfDay(first)}`
          : `written from ${formatTimeOfDay(first)} to ${formatTimeOfDay(last)}`,
    open: shown.length <= SHORT_LIST,
    said: listSaid(shown.length, listed.length, records, complete),
    listed: shown.map(({ id, at }) => ({ id, time: at === undefined ? undefined : at.slice(11, 23) })),
  };
}

function listSaid(shown: number, listed: number, records: number, complete: boolean): string | undefined {
  if (listed === 0) return 'Counted, not listed: nothing outside the database names them one by one.';
  if (complete)
    return shown === records ? undefined : `The first ${formatCount(shown)}; report.json lists all.`;
  return `The first ${formatCount(shown)}; report.json lists ${formatCount(listed)} of ${formatCount(records)}.`;
}

/** Checks of the copy, and checks of what took its place. */
function verificationOf(report: ReportDocument) {
  const began = new Map(report.steps.map((step) => [step.name, step.startedAt ?? '']));
  const turn = report.pointOfNoReturnAt;
  const after = (step: string) => turn !== undefined && (began.get(step) ?? '') > turn;
  const group = (title: string, later: boolean) => ({
    title,
    checks: report.verification
      .filter((check) => after(check.step) === later)
      .map((check) => ({
        ...check,
        // What the packager adds stays in the JSON.
        version: check.toolVersion.replace(/ \(.*$/, ''),
        took: formatDuration(check.durationMs),
      })),
  });
  return [group('Of the copy, before it was promoted', false), group('After the promotion', true)].filter(
    ({ checks }) => checks.length > 0,
  );
}

/** Nothing is said of a step that was done; the one that writes this report is still under way. */
function stateOf({ status }: ReportDocument['steps'][number]) {
  if (status === 'done') return { status: '', tone: '' };
  return status === 'running'
    ? { status: 'under way:', tone: 'soft' }
    : { status: `${status}:`, tone: 'missed' };
}

function scopeOf(report: ReportDocument) {
  const list = (label: string, values: readonly string[]) =>
    values.length === 0 ? [] : [{ label, value: values.join(', ') }];
  return [
    { label: 'Scenario', value: `${report.title} (${report.scenario}, ${report.mode})` },
    ...list('Components', report.scope.components),
    ...list('Data classes', report.scope.dataClasses),
    ...report.assumptions.map((value) => ({ label: 'Assumed', value })),
    ...report.expectedResults.map((value) => ({ label: 'Expected', value })),
    ...report.participants.map(({ name, part }) => ({
      label: 'Took part',
      value: `${name}: ${part.join(', ')}`,
    })),
  ];
}

/** Of a whole, as a percentage between 0 and 100 with one decimal. */
function percentOf(part: number, whole: number): number {
  if (whole <= 0) return 0;
  return Math.round(Math.min(1, Math.max(0, part / whole)) * 1_000) / 10;
}

/** Reports and verdicts about them, for a terminal. */
import type { ReportDocument } from '../../evidence/document.js';
import { verdictOf } from '../../evidence/html/verdict.js';
import type { ReportVerdict } from '../../evidence/verify.js';
import type { Colors } from '../output.js';
import { pad, plain, wrap } from './line.js';
import { clock, count, span, utc } from './units.js';

export function renderReport(
  report: ReportDocument,
  page: string | undefined,
  colors: Colors,
  width: number,
): string {
  const verdict = verdictOf(report);
  const mark = verdict.good ? colors.green : colors.red;
  const { detectedAt, serviceRestoredAt, workingMs, waitingMs, beforeStartMs } = report.clock;
  const back = serviceRestoredAt === undefined ? 'not back' : `back ${utc(serviceRestoredAt)}`;
  const lines = [
    `${colors.bold(plain(report.systemTitle))}  ${report.scenario}  ${report.mode}  ${colors.dim(plain(report.id))}`,
    `${colors.bold(mark(verdict.headline))}`,
    ...wrap(plain(verdict.sentence), width),
    ...exceptionLines(report, colors, width),
    '',
    `detected ${detectedAt.slice(0, 10)} ${utc(detectedAt)}   ${back}   written ${utc(report.writtenAt)}`,
    `before the run ${clock(beforeStartMs)}   working ${clock(workingMs)}   waiting for people ${clock(waitingMs)}`,
    '',
    ...rtoLines(report, colors),
    ...rpoLines(report, colors),
    ...decisionLines(report, width),
    ...deviationLines(report, colors),
    '',
    page === undefined
      ? colors.dim(`its files: muster report ${plain(report.id)} --out FOLDER`)
      : `report   ${page}`,
  ];
  return lines.join('\n');
}

/** What was out of the ordinary: told before any figure. Reports of older versions do not say. */
function exceptionLines(
  { exceptions = [] }: Partial<ReportDocument>,
  colors: Colors,
  width: number,
): string[] {
  if (exceptions.length === 0) return [];
  return [
    '',
    ...exceptions.flatMap(({ kind, on, at, text }) => {
      const whole = plain(`${kind.toUpperCase()}  ${on} at ${utc(at)}: ${text}`);
      const [first = '', ...rest] = wrap(whole, width - 2);
      const paint = kind === 'unproven' ? colors.yellow : colors.red;
      return [paint(kind.toUpperCase()) + first.slice(kind.length), ...rest.map((line) => `  ${line}`)];
    }),
  ];
}

function rtoLines(report: ReportDocument, colors: Colors): string[] {
  return report.rto
    .filter(({ of }) => of === 'component')
    .map(({ name, targetMs, actualMs, met }) => {
      const measured = actualMs === undefined ? 'not back' : span(actualMs);
      return `RTO  ${pad(plain(name), 18)} ${pad(measured, 12, 'right')} of ${pad(span(targetMs), 9)} ${told(met, colors)}`;
    });
}

function rpoLines(report: ReportDocument, colors: Colors): string[] {
  return report.rpo.map(({ dataClass, targetMs, actualMs, met, lostRecords }) => {
    const measured = actualMs === undefined ? 'not known' : actualMs === 0 ? 'none' : span(actualMs);
    const lost = lostRecords === undefined || lostRecords === 0 ? '' : `  ${count(lostRecords)} lost`;
    const state = actualMs === undefined ? colors.yellow('not measured') : told(met, colors);
    return `RPO  ${pad(plain(dataClass), 18)} ${pad(measured, 12, 'right')} of ${pad(span(targetMs), 9)} ${state}${lost}`;
  });
}

function told(met: boolean, colors: Colors): string {
  return met ? colors.green('met') : colors.red('missed');
}

function decisionLines(report: ReportDocument, width: number): string[] {
  if (report.approvals.length === 0) return [];
  return [
    '',
    ...report.approvals.flatMap(({ choice, step, on = step, by, at, reason }) =>
      wrap(plain(`${utc(at)}  ${choice} ${on} by ${by}${reason === undefined ? '' : `: ${reason}`}`), width),
    ),
  ];
}

function deviationLines(report: ReportDocument, colors: Colors): string[] {
  const { length } = report.deviations;
  if (length === 0) return [];
  return [
    '',
    colors.yellow(`${length} ${length === 1 ? 'deviation' : 'deviations'} from the plan: see the report`),
  ];
}

export function renderReportVerdict(verdict: ReportVerdict, colors: Colors, width: number): string {
  const { report, key } = verdict;
  return [
    verdict.ok
      ? colors.bold(colors.green('as it was signed'))
      : colors.bold(colors.red('NOT AS IT WAS SIGNED')),
    ...(report === undefined
      ? []
      : [plain(`report of ${report.id}: ${report.system}, ${report.scenario}, ${report.status}`)]),
    '',
    ...verdict.files.map(
      ({ intact, text }) => `${intact ? colors.green('ok ') : colors.red('BAD')}  ${plain(text)}`,
    ),
    ...verdict.problems.map((text) => `${colors.red('BAD')}  ${plain(text)}`),
    '',
    `key   ${key.fingerprint}${key.from === 'given' ? '  (the one you gave)' : ''}`,
    ...verdict.cautions.flatMap((text) => ['', ...wrap(text, width)]),
  ].join('\n');
}

/** What was seen of a system, and what may be begun. Pure. */
import type { Diagnosis, Proposal } from '../diagnosing.js';
import {
  bad,
  best,
  dim,
  good,
  type Line,
  lineWidth,
  type Piece,
  pad,
  paintLine,
  plain,
  strong,
  warn,
  wrap,
} from './line.js';
import { span, utc } from './units.js';

const VERDICTS = { fine: good('ok  '), wrong: bad('BAD '), unknown: warn('?   ') } as const;

export function renderDiagnosis(
  { system, at, findings, proposals, cannotTell, sound }: Diagnosis,
  { width, color }: { readonly width: number; readonly color: boolean },
): string {
  const seen = findings.flatMap(({ subject, verdict, saw }) =>
    headed([' ', VERDICTS[verdict], ' '], plain(`${subject}: ${saw}`), 6, width),
  );
  const ready = proposals.some(({ standing }) => standing === 'ready');
  const lines: Line[] = [
    [strong(system), '  ', `seen from here at ${utc(at)}; nothing was changed`],
    ...seen,
    [],
    ...(proposals.length === 0
      ? [
          [
            sound ? best('NOTHING IS WRONG') : warn('NOTHING TO PROPOSE'),
            sound ? ' of what was looked at' : ': no kind of disaster explains what was seen',
          ] satisfies Line,
        ]
      : [
          [
            strong('PROPOSED'),
            ready ? '  the commander decides; nothing was begun' : '  nothing of it can be begun here',
          ] satisfies Line,
        ]),
    ...proposals.flatMap((one) => proposalLines(one, width)),
    [],
    [strong('CANNOT BE TOLD')],
    ...cannotTell.flatMap((what) => headed(['  - '], plain(what), 4, width)),
  ];
  // Everything is wrapped already but the commands, which are copied: those are never cut.
  return lines.map((line) => paintLine(line, Math.max(width, lineWidth(line)), color)).join('\n');
}

function proposalLines(proposal: Proposal, width: number): Line[] {
  const { scenario, certainty, because, loses, standing, plan, command } = proposal;
  const name: Piece = certainty === 'likely' ? strong(scenario) : dim(scenario);
  const rows: [string, string][] = [
    ['because', because],
    ['loses', loses],
    ...(standing === 'not-built'
      ? [['standing', 'this version of Muster cannot do it'] as [string, string]]
      : []),
    ...(standing === 'not-in-runbook'
      ? [['standing', `the runbook has no section scenarios.${scenario}`] as [string, string]]
      : []),
    ...(plan === undefined ? [] : [['takes', takes(plan)] as [string, string]]),
  ];
  return [
    [' ', name, `  ${certainty}`],
    ...rows.flatMap(([head, text]) => headed(['   ', dim(pad(head, 9)), ' '], plain(text), 13, width)),
    // Not wrapped: it is copied.
    ...(command === undefined ? [] : [['   ', dim(pad('begin', 9)), ' ', command] satisfies Line]),
  ];
}

function takes({ pastMs, budgetMs, rtoMs, component, gates }: NonNullable<Proposal['plan']>): string {
  const usual = pastMs === undefined ? '' : `${span(pastMs)} as past runs took it, `;
  return `${usual}${span(budgetMs)} by its budgets, and people's time at the gates ${gates.join(' and ')}; ${component} RTO ${span(rtoMs)}`;
}

function headed(head: Line, text: string, indent: number, width: number): Line[] {
  return wrap(text, Math.max(20, width - indent)).map(
    (line, index): Line => (index === 0 ? [...head, line] : [' '.repeat(indent), line]),
  );
}

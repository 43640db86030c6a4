/**
 * A plan as a runbook on paper: for the day on which Muster itself is gone, followed by hand by somebody who is tired. Only
 * what is in the plan and the runbook is printed; secrets are references there.
 */
import { formatDuration } from '../../model/format.js';
import type { PlanDocument, PrintedCommand, StepDocument } from '../../model/plan.js';
import type { Runbook } from '../../runbook/schema.js';
import { writeDuration } from '../../runbook/write-duration.js';
import type { PlanVerdict } from '../plan-verdict.js';
import { printedGate } from './plan-markdown-gate.js';
import { BLANK, opening } from './plan-markdown-opening.js';
import { waitsFor } from './plan-order.js';

export interface PrintedPlan {
  readonly document: PlanDocument;
  readonly hash: string;
  readonly verdict: PlanVerdict;
  readonly runbook: Runbook;
}

/** A step's name -> `7 (restore)`. */
type Refer = (name: string) => string;

export function renderPlanMarkdown(plan: PrintedPlan): string {
  const { document } = plan;
  const numbers = new Map(document.steps.map((step, index) => [step.name, index + 1]));
  const refer: Refer = (name) => `${numbers.get(name)} (${name})`;
  const lines = [
    ...opening(plan),
    ...overview(plan, numbers),
    ...document.steps.flatMap((step) => [
      `## ${numbers.get(step.name)}. ${step.title}`,
      '',
      ...(step.gate === undefined ? work(step, document, refer) : printedGate(step, step.gate, plan, refer)),
    ]),
    ...turningBack(document, refer),
  ];
  return `${lines.join('\n').trimEnd()}\n`;
}

function overview({ document, verdict }: PrintedPlan, numbers: ReadonlyMap<string, number>): string[] {
  const critical = new Set(verdict.path.steps);
  return [
    '## The steps at a glance',
    '',
    'Steps in bold decide how long the whole takes.',
    '',
    '| | step | after | earliest | budget | begun | done |',
    '|---|---|---|---|---|---|---|',
    ...document.steps.map((step) => {
      const name = critical.has(step.name) ? `**${step.name}**` : step.name;
      const after = waitsFor(document, step.name).map((need) => numbers.get(need));
      const startMs = verdict.path.startMs[step.name] ?? 0;
      return [
        `| ${numbers.get(step.name)} | ${name} | ${after.join(', ') || 'at once'}`,
        `${startMs === 0 ? 'at once' : `+${formatDuration(startMs)}`}`,
        `${step.gate === undefined ? writeDuration(step.budgetMs) : 'people'} | ☐ | ☐ |`,
      ].join(' | ');
    }),
    '',
  ];
}

const touched = {
  none: 'nothing: it only looks',
  sandbox: 'only what this recovery made itself',
  production: '**production**',
} as const;

const reasons: Readonly<Partial<Record<StepDocument['kind'], string>>> = {
  fence:
    'two servers that both take writes are worse than none; only a refused write proves that the old one is out',
  verification: 'what has not been verified is never promoted',
  promotion: 'from here on the recovered copy takes the writes',
  cutover: 'the applications follow the record to the recovered copy',
};

function work(step: StepDocument, document: PlanDocument, refer: Refer): string[] {
  const after = waitsFor(document, step.name).map(refer);
  return [
    ...(step.pointOfNoReturn
      ? ['**POINT OF NO RETURN. After this step there is no way back to the old primary.**', '']
      : []),
    `- step \`${step.name}\`, budget ${writeDuration(step.budgetMs)}`,
    `- touches ${touched[step.effect]}`,
    `- after ${after.length === 0 ? 'nothing: begin at once' : after.join(', ')}`,
    `- why: ${reason(step, document, refer)}`,
    ...(step.undo === undefined ? [] : [`- to undo it: ${step.undo}`]),
    '',
    `☐ begun at ${BLANK} by ${BLANK}`,
    '',
    ...step.commands.flatMap((printed, index) => command(printed, step.commands[index - 1])),
    `☐ done at ${BLANK} by ${BLANK}, seen: ${BLANK}${BLANK}`,
    '',
  ];
}

function reason(step: StepDocument, document: PlanDocument, refer: Refer): string {
  if (step.name === document.serviceRestoredBy)
    return 'it proves that the service is back; the clock stops here';
  const known = reasons[step.kind];
  if (known !== undefined) return known;
  const waiting = document.steps.filter(({ name }) => waitsFor(document, name).includes(step.name));
  return waiting.length === 0
    ? 'it closes the recovery'
    : `${waiting.map(({ name }) => refer(name)).join(', ')} cannot begin without it`;
}

/** Where it is typed is said once for commands that follow each other in the same place. */
function command(
  { where, command: text, note }: PrintedCommand,
  before: PrintedCommand | undefined,
): string[] {
  return [
    ...(before?.where === where ? [] : [`${where.charAt(0).toUpperCase()}${where.slice(1)}:`, '']),
    ...fenced(text),
    '',
    ...(note === undefined ? [] : [`> ${note.split('\n').join('\n> ')}`, '']),
  ];
}

/** The fence is longer than any run of backticks inside. */
function fenced(text: string): string[] {
  const longest = Math.max(2, ...[...text.matchAll(/`+/g)].map(([run]) => run.length));
  const fence = '`'.repeat(longest + 1);
  return [`${fence}sh`, text, fence];
}

function turningBack(document: PlanDocument, refer: Refer): string[] {
  const undoable = document.steps.filter((step) => step.undo !== undefined).reverse();
  const last = document.steps.find((step) => step.pointOfNoReturn);
  return [
    '## Turning back',
    '',
    ...(last === undefined
      ? []
      : [`**Only before ${refer(last.name)} has begun. After that, undo nothing.**`, '']),
    'Undo what was begun, newest first:',
    '',
    ...undoable.map((step) => `- ☐ ${refer(step.name)}: ${step.undo}. At ${BLANK} by ${BLANK}`),
    '',
  ];
}

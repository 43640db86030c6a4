/** `muster plan` for a terminal: every step with its budget, what it waits for and what decides the total. */
import { formatClock, formatDuration } from '../../model/format.js';
import type { GateDocument, PlanDocument, StepDocument } from '../../model/plan.js';
import { writeDuration } from '../../runbook/write-duration.js';
import type { Colors } from '../output.js';
import type { PlanVerdict, RtoVerdict } from '../plan-verdict.js';
import { pad } from './line.js';
import { waitsFor } from './plan-order.js';
import { wrapText } from './wrap-text.js';

export interface ShownPlan {
  readonly document: PlanDocument;
  readonly hash: string;
  readonly verdict: PlanVerdict;
}

const NAME = 22;
const START = 8;
const BUDGET = 9;
const INDENT = ' '.repeat(5);

export function renderPlan({ document, hash, verdict }: ShownPlan, colors: Colors, width: number): string {
  const critical = new Set(verdict.path.steps);
  const head = [
    `${colors.bold(`${document.system}  ${document.scenario}`)}  ${document.title}`,
    colors.dim(`plan ${hash}`),
  ];
  const columns = colors.dim(
    `   ${pad('step', NAME)}${pad('begins', START, 'right')}${pad('budget', BUDGET, 'right')}   touches`,
  );
  const steps = document.steps.map((step) =>
    renderStep(
      step,
      waitsFor(document, step.name),
      verdict.path.startMs[step.name] ?? 0,
      critical.has(step.name),
      colors,
      width,
    ),
  );
  const foot = [...renderTotals(verdict, colors), ...renderPath(document, verdict, width)];
  return [...head, '', columns, ...steps, '', ...foot].join('\n');
}

function renderStep(
  step: StepDocument,
  waiting: readonly string[],
  startMs: number,
  critical: boolean,
  colors: Colors,
  width: number,
): string {
  const isGate = step.gate !== undefined;
  const name = pad(step.name, NAME);
  const budget = isGate ? 'people' : writeDuration(step.budgetMs);
  const first = [
    critical ? colors.bold(' * ') : '   ',
    isGate ? colors.yellow(name) : critical ? colors.bold(name) : name,
    pad(formatClock(startMs), START, 'right'),
    pad(budget, BUDGET, 'right'),
    '   ',
    isGate ? colors.yellow('gate') : touches(step, colors),
  ].join('');
  const below = [step.title, ...remarks(step, waiting)].flatMap((text) =>
    wrapText(text, width - INDENT.length).map((line) => `${INDENT}${colors.dim(line)}`),
  );
  const noReturn = step.pointOfNoReturn ? [`${INDENT}${colors.bold(colors.red('point of no return'))}`] : [];
  return [first, ...below, ...noReturn].join('\n');
}

function touches(step: StepDocument, colors: Colors): string {
  if (step.effect === 'production') return colors.red('production');
  return step.effect === 'sandbox' ? 'its own copy' : 'nothing';
}

function remarks({ gate, undo }: StepDocument, waiting: readonly string[]): string[] {
  return [
    ...(waiting.length === 0 ? [] : [`after ${waiting.join(', ')}`]),
    ...(gate === undefined
      ? []
      : [
          `decided by ${gate.roles.join(' or ')}; after ${writeDuration(gate.expiresMs)} ${afterExpiry(gate)}`,
        ]),
    ...(gate === undefined || gate.changes.length === 0 ? [] : [`may change: ${gate.changes.join(', ')}`]),
    ...(undo === undefined ? [] : [`undo: ${undo}`]),
  ];
}

function afterExpiry(gate: GateDocument): string {
  switch (gate.atExpiry) {
    case 'remind':
      return 'reminds again';
    case 'escalate':
      return `${gate.escalateTo.join(' or ')} may decide as well`;
    case 'deny':
      return 'counts as denied';
    case 'proceed':
      return 'goes on by itself';
  }
}

function renderTotals(verdict: PlanVerdict, colors: Colors): string[] {
  const label = Math.max(...verdict.components.map(({ component }) => component.length)) + 2;
  return [
    ...verdict.components.map((component) => renderComponent(component, label, colors)),
    `People's time is not counted. With every gate open until it expires: ${formatDuration(verdict.slowestMs)}.`,
  ];
}

function renderComponent(verdict: RtoVerdict, label: number, colors: Colors): string {
  const { component, rtoMs, totalMs, fits } = verdict;
  const spare = formatDuration(Math.abs(rtoMs - totalMs));
  const words = fits ? colors.green(`${spare} to spare`) : colors.bold(colors.red(`${spare} too long`));
  return `${pad(component, label)}back after ${formatDuration(totalMs)} at the latest, RTO ${writeDuration(rtoMs)}: ${words}`;
}

function renderPath(document: PlanDocument, verdict: PlanVerdict, width: number): string[] {
  const gates = new Set(document.steps.filter((step) => step.kind === 'gate').map((step) => step.name));
  const names = verdict.path.steps.filter((name) => !gates.has(name));
  return wrapText(`* critical path: ${names.join(', ')}`, width);
}

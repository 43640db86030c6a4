/** Steps as aligned rows, and which of them are shown where there is no room for all. */
import type { Forecast } from '../../../workflows/engine/forecast.js';
import type { RunView, StepView } from '../../model/run.js';
import type { StepActivity } from '../../temporal/progress.js';
import { bad, busy, dim, good, type Line, type Piece, pad, plain, strong, warn, widthOf } from './line.js';
import { workLine } from './progress.js';
import { timelineOf } from './timeline.js';
import { clock, utc } from './units.js';
import { whoDecides } from './who-decides.js';

export interface StepTable {
  readonly view: RunView;
  readonly activity: Readonly<Record<string, StepActivity>>;
  readonly forecast: Forecast;
  /** What the view is seen at: work under way is taken to have gone on since `view.asOf`. */
  readonly now: number;
  readonly width: number;
}

/** Rows from this width on have a drawn timeline. */
const TIMELINE_FROM = 118;
const TIMELINE_WIDTH = 30;

/** Gates are called as people call them in commands. */
export function stepName(step: Pick<StepView, 'name' | 'gate'>): string {
  return step.gate === undefined ? step.name : `gate: ${step.gate.gate}`;
}

const over = (step: StepView) =>
  step.status === 'done' || step.status === 'skipped' || step.status === 'undone';
const ended = (view: RunView) => view.endedAt !== undefined;

type Phase = 'over' | 'now' | 'next' | 'later';

function phaseOf(step: StepView, view: RunView): Phase {
  if (over(step)) return 'over';
  if (step.status !== 'pending') return 'now';
  if (ended(view) || view.status === 'undoing') return 'later';
  const needs = view.steps.filter((other) => step.needs.includes(other.name) && !over(other));
  return needs.every((other) => other.status !== 'pending') ? 'next' : 'later';
}

/**
 * The table in at most `rows` lines. What works or waits is always there; steps that have not begun, then the oldest of
 * those that are over, then those that come next are summed up in one line when there are too many.
 */
export function stepLines(table: StepTable, rows: number): Line[] {
  const { view } = table;
  const columns = columnsOf(table);
  const { past, shown, ahead } = fold(view, rows);
  return [
    ...(past.length === 0
      ? []
      : [summaryLine(past.every((step) => step.status === 'done') ? 'done' : 'over', past, columns)]),
    ...shown.map((step) => stepLine(step, table, columns)),
    ...(ahead.length === 0 ? [] : [summaryLine(ended(view) ? 'not begun' : 'then', ahead, columns)]),
  ].slice(0, Math.max(1, rows));
}

interface Fold {
  /** Summed up before the rows, and after them. */
  readonly past: readonly StepView[];
  readonly shown: readonly StepView[];
  readonly ahead: readonly StepView[];
}

/** The least folding with which the table fits; the most where none does. */
function fold(view: RunView, rows: number): Fold {
  const of = (phase: Phase) => view.steps.filter((step) => phaseOf(step, view) === phase);
  const [past, next, later] = [of('over'), of('next'), of('later')];
  const oldestFirst = [...past].sort((a, b) => (a.endedAt ?? '').localeCompare(b.endedAt ?? ''));
  const coming = view.steps.filter((step) => next.includes(step) || later.includes(step));
  const without = (folded: readonly StepView[], ahead: readonly StepView[], asked = false): Fold => ({
    past: past.filter((step) => folded.includes(step)),
    shown: view.steps.filter(
      (step) => !folded.includes(step) && !ahead.includes(step) && !(asked && isAsked(step, view)),
    ),
    ahead,
  });
  const choices = [
    without([], []),
    ...later.slice(1).map((_, index) => without([], later.slice(later.length - index - 2))),
    // What waits for a person is told above the table with all that belongs to it.
    without([], later, true),
    ...past.map((_, index) => without(oldestFirst.slice(0, index + 1), later, true)),
    without(past, coming, true),
  ];
  const linesOf = (choice: Fold) =>
    choice.shown.length + (choice.past.length > 0 ? 1 : 0) + (choice.ahead.length > 0 ? 1 : 0);
  return choices.find((choice) => linesOf(choice) <= rows) ?? (choices.at(-1) as Fold);
}

function isAsked(step: StepView, view: RunView): boolean {
  return view.openDecisions.some((open) => open.step === step.name);
}

/** Rows that must be there for the table to be of use: what works, and two lines that sum up the rest. */
export function fewestRows(view: RunView): number {
  const working = view.steps.filter((step) => phaseOf(step, view) === 'now' && !isAsked(step, view));
  return working.length + 2;
}

interface Columns {
  readonly name: number;
  readonly elapsed: number;
  readonly budget: number;
  readonly timeline: number;
  readonly text: number;
}

function columnsOf({ view, width, now }: StepTable): Columns {
  const name = Math.min(
    width < 100 ? 20 : 28,
    Math.max(0, ...view.steps.map((step) => widthOf(stepName(step)))),
  );
  const elapsed = Math.max(5, ...view.steps.map((step) => clock(timeOf(step, view, now)).length));
  const budget = Math.max(4, ...view.steps.map((step) => clock(step.budgetMs).length));
  const timeline = width >= TIMELINE_FROM ? TIMELINE_WIDTH : 0;
  const used = 1 + 4 + 2 + name + 2 + elapsed + 4 + budget + 2 + (timeline === 0 ? 0 : timeline + 2);
  return { name, elapsed, budget, timeline, text: Math.max(0, width - used) };
}

function timeOf(step: StepView, view: RunView, now: number): number {
  const live = ended(view) ? 0 : Math.max(0, now - Date.parse(view.asOf));
  if (step.kind === 'gate') return step.waitingMs + (step.status === 'waiting' ? live : 0);
  return step.workingMs + (step.status === 'running' ? live : 0);
}

function stepLine(step: StepView, table: StepTable, columns: Columns): Line {
  const { view, now } = table;
  const phase = phaseOf(step, view);
  const timeMs = timeOf(step, view, now);
  const begun = step.begun > 0 || step.startedAt !== undefined;
  const elapsed = pad(begun ? clock(timeMs) : '', columns.elapsed, 'right');
  const budget =
    step.kind === 'gate' ? pad('', columns.budget + 4) : ` of ${pad(clock(step.budgetMs), columns.budget)}`;
  const late = step.kind !== 'gate' && timeMs > step.budgetMs;
  const tight = step.kind !== 'gate' && timeMs > step.budgetMs * 0.8 && phase === 'now';
  const faint = phase === 'later' || (phase === 'over' && step.status !== 'done');
  const tone = (text: string): Piece | string => (faint ? dim(text) : text);
  return [
    ' ',
    statusWord(step, phase, view),
    '  ',
    phase === 'now' ? strong(pad(stepName(step), columns.name)) : tone(pad(stepName(step), columns.name)),
    '  ',
    late ? bad(elapsed) : tight ? warn(elapsed) : tone(elapsed),
    dim(budget),
    '  ',
    ...(columns.timeline === 0 ? [] : [...timelineOf(step, table, columns.timeline), '  ']),
    ...stepText(step, table, columns.text, late && phase === 'now' ? timeMs - step.budgetMs : 0),
  ];
}

function statusWord(step: StepView, phase: Phase, view: RunView): Piece {
  const word = (text: string) => pad(text, 4);
  if (step.failure !== undefined && step.status === 'waiting') return bad(word('FAIL'));
  switch (step.status) {
    case 'done':
      return good(word('done'));
    case 'running':
      return ended(view) ? dim(word('stop')) : busy(word('run'));
    case 'waiting':
      return warn(word('WAIT'));
    case 'skipped':
      return dim(word('skip'));
    case 'undone':
      return dim(word('undo'));
    case 'pending':
      return phase === 'next' ? { text: word('next'), style: 'plain' } : dim(word('-'));
  }
}

function stepText(step: StepView, table: StepTable, width: number, overMs: number): Line {
  const { view, activity } = table;
  if (step.status === 'pending') return [dim(afterText(step, view))];
  if (step.status === 'waiting') return [waitText(step, view, table.now)];
  // What it had done is no longer so.
  if (step.status === 'undone')
    return [dim(step.summary === undefined ? 'undone' : `undone: ${plain(step.summary)}`)];
  if (step.status !== 'running') return [plain(step.summary ?? '')];
  if (ended(view)) return [dim('stopped when the run ended')];
  const { progress, attempt = 1, lastFailure } = activity[step.name] ?? {};
  return workLine({ title: step.title, progress, attempt, lastFailure, overMs }, width);
}

function waitText(step: StepView, view: RunView, now: number): Piece | string {
  if (step.failure !== undefined) return bad(plain(step.failure.message));
  const open = view.openDecisions.find((decision) => decision.step === step.name);
  const who = open === undefined ? (step.gate?.roles.join(' or ') ?? 'a person') : whoDecides(open, step);
  const expiry = open?.expiresAt === undefined ? '' : `, ${expiryText(step, open.expiresAt, now)}`;
  return `${plain(who)}${expiry}`;
}

const atExpiry = {
  remind: ['reminds at', 'reminded at'],
  escalate: ['escalates at', 'escalated at'],
  deny: ['counts as denied at', 'counted as denied at'],
  proceed: ['goes on by itself at', 'went on by itself at'],
} as const;

/** `reminds at 03:19:08 UTC` */
export function expiryText(step: Pick<StepView, 'gate'>, expiresAt: string, now: number): string {
  const [coming, gone] = atExpiry[step.gate?.atExpiry ?? 'remind'];
  return `${Date.parse(expiresAt) > now ? coming : gone} ${utc(expiresAt, now)}`;
}

function afterText(step: StepView, view: RunView): string {
  if (ended(view) || view.status === 'undoing') return 'not begun';
  const open = view.steps.filter((other) => step.needs.includes(other.name) && !over(other));
  // What another of them waits for in any case goes without saying.
  const last = open.filter((one) => !open.some((other) => other.needs.includes(one.name)));
  return open.length === 0 ? 'begins now' : `after ${last.map(stepName).join(', ')}`;
}

function summaryLine(word: string, steps: readonly StepView[], columns: Columns): Line {
  const lead = ` ${pad(word, Math.max(4, word.length))}  `;
  const number = `${steps.length} ${steps.length === 1 ? 'step' : 'steps'}: `;
  const names = steps.map(stepName);
  const room = 1 + 4 + 2 + columns.name + 2 + columns.elapsed + 4 + columns.budget + 2 + columns.text;
  const width = room + (columns.timeline === 0 ? 0 : columns.timeline + 2) - widthOf(lead) - widthOf(number);
  return [dim(lead), dim(number + namesThatFit(names, width))];
}

function namesThatFit(names: readonly string[], width: number): string {
  for (let shown = names.length; shown > 0; shown -= 1) {
    const more = names.length - shown;
    const text = names.slice(0, shown).join(', ') + (more === 0 ? '' : ` and ${more} more`);
    if (widthOf(text) <= width || shown === 1) return text;
  }
  return '';
}

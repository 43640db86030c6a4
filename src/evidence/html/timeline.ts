/** Where everything of the timeline stands, in SVG units. Pure geometry: the template draws it. */
import type { DecisionChoice } from '../../model/decision.js';
import { formatDuration } from '../../model/format.js';
import type { ReportDocument, ReportStep } from '../document.js';
import { type Axis, axisOf, round, tickLabel, ticksOf } from './timeline-axis.js';

export interface TimelineShape {
  /** `wide` beside each other; `narrow`, for a telephone, above each other. */
  readonly name: 'wide' | 'narrow';
  readonly width: number;
  readonly chartLeft: number;
  readonly chartRight: number;
  readonly rowHeight: number;
  /** From a row's top to the middle of its bar. */
  readonly barMiddle: number;
  readonly ticks: number;
  readonly fontSize: number;
}

export const WIDE: TimelineShape = {
  name: 'wide',
  width: 1080,
  chartLeft: 200,
  chartRight: 880,
  rowHeight: 27,
  barMiddle: 13.5,
  ticks: 7,
  fontSize: 12.5,
};

export const NARROW: TimelineShape = {
  name: 'narrow',
  width: 360,
  chartLeft: 2,
  chartRight: 358,
  rowHeight: 42,
  barMiddle: 28,
  ticks: 4,
  fontSize: 12.5,
};

const BAR = 12;
const LANE = 18;
/** Widest usual letter of the fonts named in the style, as a share of the font size. */
const LETTER = 0.62;

export interface Box {
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
}

export interface TimelineRow {
  readonly name: string;
  /** The name, shortened where there is no room for it. */
  readonly label: string;
  readonly top: number;
  readonly middle: number;
  readonly critical: boolean;
  readonly failed: boolean;
  readonly gate: boolean;
  /** From begin to end; absent for a step that never began. */
  readonly bar?: Box;
  readonly working?: Box;
  readonly waiting?: Box;
  /** Where the budget ends, when that lies inside the picture. */
  readonly budgetX?: number;
  readonly marks: readonly {
    readonly x: number;
    readonly kind: DecisionChoice | 'failed';
  }[];
  readonly figure: string;
  /** Why there is no bar. */
  readonly note?: string;
  readonly overBudget: boolean;
  readonly told: string;
}

export interface TimelineEvent {
  readonly x: number;
  readonly top: number;
  readonly label: string;
  readonly labelX: number;
  readonly anchor: 'start' | 'end';
  readonly kind: 'plain' | 'no-return' | 'back' | 'deadline';
}

export interface Timeline {
  readonly shape: TimelineShape;
  readonly height: number;
  readonly rowsTop: number;
  readonly rowsBottom: number;
  readonly ticks: readonly { readonly x: number; readonly label: string }[];
  readonly events: readonly TimelineEvent[];
  readonly rows: readonly TimelineRow[];
  /** Paths from each step of the critical path to the next. */
  readonly links: readonly string[];
  readonly alternative: string;
}

export function layTimeline(report: ReportDocument, shape: TimelineShape): Timeline {
  const axis = axisOf(report, shape);
  const events = layEvents(report, shape, axis);
  const rowsTop = Math.max(0, ...events.map(({ top }) => top)) + LANE + 4;
  const rows = inOrder(report.steps).map((step, position) =>
    layRow(report, step, rowsTop + position * shape.rowHeight, shape, axis),
  );
  const rowsBottom = rowsTop + rows.length * shape.rowHeight;
  return {
    shape,
    height: rowsBottom + 26,
    rowsTop,
    rowsBottom,
    ticks: ticksOf(axis, shape.ticks).map((time) => ({ x: axis.x(time), label: tickLabel(time, axis) })),
    events,
    rows,
    links: linksOf(report.criticalPath, rows),
    alternative: describe(report),
  };
}

function layEvents(report: ReportDocument, shape: TimelineShape, axis: Axis): TimelineEvent[] {
  const { detectedAt, startedAt, serviceRestoredAt } = report.clock;
  const deadline = new Date(Date.parse(detectedAt) + (report.rto[0]?.targetMs ?? 0)).toISOString();
  const known: readonly (readonly [string | undefined, string, TimelineEvent['kind']])[] = [
    [detectedAt, 'detected', 'plain'],
    [startedAt, 'run started', 'plain'],
    [report.pointOfNoReturnAt, 'point of no return', 'no-return'],
    [serviceRestoredAt, 'service back', 'back'],
    [deadline, 'RTO', 'deadline'],
  ];
  const lanes: number[] = [];
  return known
    .flatMap(([at, label, kind]) =>
      at !== undefined && axis.within(Date.parse(at)) ? [{ time: Date.parse(at), label, kind }] : [],
    )
    .sort((one, other) => one.time - other.time)
    .map(({ time, label, kind }) => {
      const x = axis.x(time);
      const length = label.length * shape.fontSize * LETTER + 8;
      const anchor = x + length > shape.chartRight ? 'end' : 'start';
      const left = anchor === 'start' ? x : x - length;
      let lane = lanes.findIndex((end) => end <= left);
      if (lane === -1) lane = lanes.length;
      lanes[lane] = left + length;
      return { x, top: lane * LANE, label, labelX: anchor === 'start' ? x + 4 : x - 4, anchor, kind };
    });
}

/** As they began; those that never did stand at the end, in the plan's order. */
function inOrder(steps: readonly ReportStep[]): ReportStep[] {
  return [...steps].sort((one, other) => begun(one) - begun(other));
}

function begun(step: ReportStep): number {
  return step.startedAt === undefined ? Number.MAX_SAFE_INTEGER : Date.parse(step.startedAt);
}

function layRow(
  report: ReportDocument,
  step: ReportStep,
  top: number,
  shape: TimelineShape,
  axis: Axis,
): TimelineRow {
  const middle = top + shape.barMiddle;
  const common = {
    name: step.name,
    label: shorten(step.name, shape.name === 'wide' ? 27 : 26),
    top,
    middle,
    critical: report.criticalPath.includes(step.name),
    failed: step.failure !== undefined,
    gate: step.kind === 'gate',
    overBudget: step.overBudgetMs !== undefined,
    figure: figureOf(step),
    told: tell(step),
  };
  if (step.startedAt === undefined) {
    return { ...common, marks: [], note: step.status === 'skipped' ? 'skipped' : 'not begun' };
  }
  const from = Date.parse(step.startedAt);
  const to = step.endedAt === undefined ? axis.to : Date.parse(step.endedAt);
  const box = (start: number, end: number): Box => ({
    x: axis.x(start),
    y: middle - BAR / 2,
    width: Math.max(2, round(axis.x(end) - axis.x(start))),
    height: BAR,
  });
  const workedUntil = Math.min(to, from + step.workingMs);
  const budgetEnd = from + step.budgetMs;
  return {
    ...common,
    bar: box(from, to),
    ...(step.workingMs > 0 || step.waitingMs === 0 ? { working: box(from, workedUntil) } : {}),
    ...(step.waitingMs > 0 ? { waiting: box(workedUntil, Math.min(to, workedUntil + step.waitingMs)) } : {}),
    ...(axis.within(budgetEnd) && budgetEnd < axis.to ? { budgetX: axis.x(budgetEnd) } : {}),
    marks: [
      ...report.approvals
        .filter((approval) => approval.step === step.name)
        .map(({ at, choice }) => ({ x: axis.x(Date.parse(at)), kind: choice })),
      ...(step.failure === undefined
        ? []
        : [{ x: axis.x(Date.parse(step.failure.at)), kind: 'failed' as const }]),
    ],
  };
}

function shorten(text: string, letters: number): string {
  return text.length <= letters ? text : `${text.slice(0, letters - 1)}…`;
}

function figureOf(step: ReportStep): string {
  const used = step.kind === 'gate' ? step.waitingMs : step.workingMs;
  if (step.startedAt === undefined) return '';
  if (step.status === 'running') return 'under way';
  return `${formatDuration(used)} of ${formatDuration(step.budgetMs)}`;
}

function tell(step: ReportStep): string {
  if (step.startedAt === undefined)
    return `${step.name}: ${step.status === 'skipped' ? 'skipped' : 'not begun'}`;
  const people = step.waitingMs > 0 ? `, ${formatDuration(step.waitingMs)} waiting for people` : '';
  return `${step.name}, ${step.status}: from ${step.startedAt}, ${formatDuration(step.workingMs)} working${people}, budget ${formatDuration(step.budgetMs)}`;
}

function linksOf(path: readonly string[], rows: readonly TimelineRow[]): string[] {
  return path.slice(1).flatMap((name, position) => {
    const from = rows.find((row) => row.name === path[position]);
    const to = rows.find((row) => row.name === name);
    if (from?.bar === undefined || to?.bar === undefined || to.middle <= from.middle) return [];
    const end = from.bar.x + from.bar.width;
    const corner = Math.max(end, to.bar.x + 1);
    return [`M${end} ${from.middle}H${corner}V${to.bar.y}`];
  });
}

function describe(report: ReportDocument): string {
  const begunSteps = report.steps.filter((step) => step.startedAt !== undefined).length;
  const path = report.criticalPath.join(', ');
  return `${begunSteps} of ${report.steps.length} steps were begun. The time was decided by ${path}.`;
}

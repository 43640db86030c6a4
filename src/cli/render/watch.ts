/** The screen of `muster watch`: clock and verdict, what waits for whom, the steps, what can be done now. */
import type { Forecast } from '../../../workflows/engine/forecast.js';
import type { Outputs } from '../../evidence/outputs.js';
import type { OpenDecision, RunView } from '../../model/run.js';
import type { StepActivity } from '../../temporal/progress.js';
import { type Consequences, possibleLines } from './actions.js';
import { decisionLines } from './decisions.js';
import { bad, type Line, paintLine, plain, warn } from './line.js';
import { type Length, standingLines } from './standing.js';
import { fewestRows, stepLines } from './step-lines.js';
import { span, utc } from './units.js';
import { clockLine, componentLines, outcomeLines, titleLine, verdictLines } from './verdict.js';

export interface WatchState {
  readonly view: RunView;
  readonly activity: Readonly<Record<string, StepActivity>>;
  readonly forecast: Forecast;
  /** What every step put out; known once the run has ended. */
  readonly outputs?: Outputs | undefined;
  /** Set while nobody answers: what was seen last is shown, marked as old. */
  readonly silence?: { readonly what: string; readonly sinceMs: number } | undefined;
}

export interface ScreenSize {
  readonly width: number;
  /** Lines there are; as many as it takes when left out. */
  readonly height?: number;
  readonly color: boolean;
  /** Milliseconds since 1970. */
  readonly now: number;
}

/** One screen, at most `width` columns wide and `height` lines high. Pure. */
export function renderWatch(state: WatchState, size: ScreenSize): string[] {
  const lines = compose(state, size);
  return lines.map((line) => paintLine(line, size.width, size.color));
}

/** How the run stands, without its steps and what waits. Pure. */
export function renderHead(state: WatchState, size: Omit<ScreenSize, 'height'>): string[] {
  return headLines(state, size, full).map((line) => paintLine(line, size.width, size.color));
}

/** How much is shown of what surrounds the steps. */
interface Detail {
  /** Facts of each open decision. */
  readonly facts: number;
  /** Of a failure: what went wrong, and as many again of what to do. */
  readonly failureLines: number;
  readonly warnings: number;
  /** The other components' objectives. */
  readonly components: boolean;
  /** Of hold, overrides and the like. */
  readonly standing: Length;
  readonly consequences: Consequences;
  /** Blank lines between the parts. */
  readonly air: boolean;
}

const ALL = Number.POSITIVE_INFINITY;
const full: Detail = {
  facts: ALL,
  failureLines: ALL,
  warnings: 3,
  components: true,
  standing: 'full',
  consequences: 'full',
  air: true,
};
const tight: Detail = {
  facts: ALL,
  failureLines: 3,
  warnings: 0,
  components: false,
  standing: 'short',
  consequences: 'beside',
  air: false,
};

/** From all there is to what cannot be left out: what an approver must know goes last, fact by fact. */
function detailsFor(view: RunView): readonly Detail[] {
  const most = Math.max(0, ...view.openDecisions.map((open) => open.facts.length));
  return [
    full,
    { ...full, warnings: 1 },
    { ...full, warnings: 1, failureLines: 3 },
    { ...full, warnings: 1, failureLines: 3, consequences: 'below' },
    { ...full, warnings: 1, failureLines: 3, consequences: 'main' },
    { ...full, warnings: 1, failureLines: 3, consequences: 'main', components: false },
    { ...tight, warnings: 1, air: true },
    tight,
    ...Array.from({ length: most }, (_, fewer) => ({ ...tight, facts: most - 1 - fewer })),
  ];
}

function compose(state: WatchState, size: ScreenSize): Line[] {
  const { view } = state;
  const { height } = size;
  if (height === undefined) {
    const frame = frameOf(state, size, full);
    return [...frame.before, ...stepLines(tableOf(state, size), view.steps.length), ...frame.after];
  }
  const details = detailsFor(view);
  for (const detail of details) {
    const frame = frameOf(state, size, detail);
    const rows = height - frame.before.length - frame.after.length;
    if (rows < fewestRows(view) && detail !== details.at(-1)) continue;
    const steps = rows > 0 ? stepLines(tableOf(state, size), rows) : [];
    return [...frame.before, ...steps, ...frame.after].slice(0, height);
  }
  return [];
}

function tableOf({ view, activity, forecast, silence }: WatchState, { width, now }: ScreenSize) {
  // What was seen last stands still while nobody answers; only the run's clock goes on.
  return { view, activity, forecast, width, now: silence === undefined ? now : now - silence.sinceMs };
}

function headLines(
  { view, forecast, outputs = {}, silence }: WatchState,
  size: ScreenSize,
  detail: Detail,
): Line[] {
  const { width, now } = size;
  return [
    titleLine(view, width, now),
    ...(silence === undefined ? [] : [silenceLine(silence, now)]),
    ...verdictLines(view, forecast, width, now),
    clockLine(view, width, now),
    ...standingLines(view, width, now, detail.standing),
    ...(detail.components ? componentLines(view, forecast, now) : []),
    ...outcomeLines(view, outputs, width),
  ];
}

function frameOf(state: WatchState, size: ScreenSize, detail: Detail): { before: Line[]; after: Line[] } {
  const { view } = state;
  const { width, now } = size;
  const blank: Line[] = detail.air ? [[]] : [];
  const head = headLines(state, size, detail);
  const decisions = failuresFirst(view).flatMap((open) => [
    ...blank,
    ...decisionLines(open, view, { width, now, ...detail, long: 'cut' }),
  ]);
  const warnings = detail.warnings === 0 ? [] : view.warnings.slice(-detail.warnings);
  const remarks = warnings.map(
    ({ at, text }): Line => [' ', warn('note'), `  ${utc(at, now)}  ${plain(text)}`],
  );
  const possible = possibleLines(view, width, detail.consequences);
  return {
    before: [...head, ...decisions, ...blank],
    after: [
      ...(remarks.length > 0 ? [...blank, ...remarks] : []),
      ...(possible.length > 0 ? [...blank, ...possible] : []),
    ],
  };
}

function failuresFirst(view: RunView): readonly OpenDecision[] {
  const failed = (open: OpenDecision) => open.gate === undefined;
  return [...view.openDecisions.filter(failed), ...view.openDecisions.filter((open) => !failed(open))];
}

function silenceLine(silence: { readonly what: string; readonly sinceMs: number }, now: number): Line {
  const seconds = Math.floor(silence.sinceMs / 1000) * 1000;
  return [
    bad(`NO ANSWER for ${span(seconds)}`),
    `  this is from ${utc(now - silence.sinceMs, now)}; ${plain(silence.what)}`,
  ];
}

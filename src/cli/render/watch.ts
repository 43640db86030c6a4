/** The screen of `muster watch`: clock and verdict, what waits for whom, the steps, what can be done now. */
import type { Forecast } from '../../../workflows/engine/forecast.js';
import type { RunView } from '../../model/run.js';
import type { StepActivity } from '../../temporal/progress.js';
import { decisionLines, possibleLines } from './decisions.js';
import { bad, dim, type Line, paintLine, plain, warn } from './line.js';
import { fewestRows, stepLines } from './step-lines.js';
import { span, utc } from './units.js';
import { clockLine, componentLines, outcomeLines, titleLine, verdictLine } from './verdict.js';

export interface WatchState {
  readonly view: RunView;
  readonly activity: Readonly<Record<string, StepActivity>>;
  readonly forecast: Forecast;
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

interface Detail {
  readonly facts: number;
  readonly warnings: number;
  readonly air: boolean;
}

/** From all there is to what cannot be left out. */
const details: readonly Detail[] = [
  { facts: 12, warnings: 3, air: true },
  { facts: 6, warnings: 2, air: true },
  { facts: 4, warnings: 1, air: true },
  { facts: 3, warnings: 1, air: false },
  { facts: 0, warnings: 0, air: false },
];

function compose(state: WatchState, size: ScreenSize): Line[] {
  const { view } = state;
  const { height } = size;
  const enough = Math.min(view.steps.length, Math.max(fewestRows(view), 6));
  for (const detail of details) {
    const frame = frameOf(state, size, detail);
    const taken = frame.before.length + frame.after.length;
    const rows = height === undefined ? view.steps.length + 2 : height - taken;
    if (rows < enough && detail !== details.at(-1)) continue;
    const steps = rows > 0 ? stepLines(tableOf(state, size), rows) : [];
    const lines = [...frame.before, ...steps, ...frame.after];
    return height === undefined ? lines : lines.slice(0, height);
  }
  return [];
}

function tableOf({ view, activity, forecast, silence }: WatchState, { width, now }: ScreenSize) {
  // What was seen last stands still while nobody answers; only the run's clock goes on.
  return { view, activity, forecast, width, now: silence === undefined ? now : now - silence.sinceMs };
}

function frameOf(state: WatchState, size: ScreenSize, detail: Detail): { before: Line[]; after: Line[] } {
  const { view, forecast, silence } = state;
  const { width, now } = size;
  const blank: Line[] = detail.air ? [[]] : [];
  const head: Line[] = [
    titleLine(view, width, now),
    verdictLine(view, forecast, now),
    ...outcomeLines(view, width),
    clockLine(view, now),
    ...componentLines(view, forecast, now),
  ];
  if (silence !== undefined) head.splice(1, 0, silenceLine(silence, now));
  const decisions = view.openDecisions.flatMap((open) => [
    ...blank,
    ...decisionLines(open, view, { width, now, facts: detail.facts }),
  ]);
  const warnings = view.warnings.slice(-detail.warnings || view.warnings.length);
  const remarks: Line[] =
    detail.warnings === 0
      ? []
      : warnings.map(({ at, text }) => [' ', warn('note'), `  ${utc(at, now)}  ${plain(text)}`]);
  const possible = possibleLines(view, width);
  return {
    before: [...head, ...decisions, ...blank],
    after: [
      ...(remarks.length > 0 ? [...blank, ...remarks] : []),
      ...(possible.length > 0 ? [...blank, ...possible] : []),
    ],
  };
}

function silenceLine(silence: { readonly what: string; readonly sinceMs: number }, now: number): Line {
  return [
    bad(`NO ANSWER for ${span(Math.floor(silence.sinceMs / 1000) * 1000)}`),
    `  ${plain(silence.what)}; what follows is from ${utc(now - silence.sinceMs, now)}`,
    dim(''),
  ];
}

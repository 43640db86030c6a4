/** Past runs, for a terminal. */
import type { RunView } from '../../model/run.js';
import type { StepDevelopment, StepTime } from '../development.js';
import type { Colors } from '../output.js';
import { pad, plain } from './line.js';
import { clock, span } from './units.js';

export function renderHistory(
  views: readonly RunView[],
  steps: readonly StepDevelopment[],
  colors: Colors,
  width: number,
): string {
  if (views.length === 0) return 'No run has ended yet.';
  return [...runLines(views, colors, width), ...stepLines(steps, colors, width)].join('\n');
}

/** A line a run, each column as wide as it must be; people's time only where there is room for it. */
function runLines(views: readonly RunView[], colors: Colors, width: number): string[] {
  const rows = views.map(cellsOf);
  const widths = (rows[0] ?? []).map((_, column) => widest(rows.map((row) => row[column] ?? '')));
  const whole = widths.reduce((sum, each) => sum + each + 2, -2);
  const columns = whole <= width ? widths.length : widths.length - 1;
  return rows.map((row, index) => {
    const { status, clock: time } = views[index] as RunView;
    const state = status === 'recovered' ? colors.green : colors.red;
    const met = time.actualMs !== undefined && time.actualMs <= time.targetMs ? colors.green : colors.red;
    const paints = [plainly, plainly, plainly, plainly, state, plainly, plainly, met, colors.dim];
    return row
      .slice(0, columns)
      .map((text, column) =>
        (paints[column] ?? plainly)(pad(text, widths[column] ?? 0, column === 5 ? 'right' : 'left')),
      )
      .join('  ')
      .trimEnd();
  });
}

const plainly = (text: string) => text;

function cellsOf(view: RunView): string[] {
  const { actualMs, targetMs, waitingMs } = view.clock;
  return [
    view.clock.startedAt.slice(0, 16).replace('T', ' '),
    plain(view.system),
    plain(view.scenario),
    view.mode,
    view.status,
    actualMs === undefined ? 'not back' : clock(actualMs),
    `of ${span(targetMs)}`,
    actualMs === undefined ? '' : actualMs <= targetMs ? 'met' : 'missed',
    waitingMs > 0 ? `people ${clock(waitingMs)}` : '',
  ];
}

/** Columns of a run's time, with the space before it. */
const RUN_WIDTH = 10;

/**
 * A line a step: median and 90th percentile, then run by run with the newest at the right, and a small picture of all; as
 * many runs as there is room for.
 */
function stepLines(steps: readonly StepDevelopment[], colors: Colors, width: number): string[] {
  const lines: string[] = [];
  for (const scenario of new Set(steps.map((each) => each.scenario))) {
    const own = steps.filter((each) => each.scenario === scenario);
    lines.push('', ...scenarioLines(scenario, own, colors, width));
  }
  return lines;
}

function scenarioLines(
  scenario: string,
  steps: readonly StepDevelopment[],
  colors: Colors,
  width: number,
): string[] {
  const runs = runsOf(steps);
  const names = Math.min(28, widest(['step', ...steps.map(({ step }) => step)]));
  const fixed = 2 + names + 2 * RUN_WIDTH;
  const most = Math.max(1, Math.floor((width - fixed - 2) / RUN_WIDTH));
  // A picture of all is worth a column as soon as they do not fit.
  const pictured = runs.length > 1;
  const pictureWidth = pictured ? Math.min(runs.length, RUN_WIDTH * 2) : 0;
  const columns = Math.max(1, Math.min(runs.length, most - Math.ceil((pictureWidth + 2) / RUN_WIDTH)));
  const shown = runs.slice(-columns);
  const cell = (text: string) => pad(text, RUN_WIDTH, 'right');
  const header = [
    `  ${pad('step', names)}`,
    cell('median'),
    cell('90 %'),
    ...shown.map(({ startedAt }) => cell(startedAt.slice(5, 10))),
  ].join('');
  const left = runs.length - shown.length;
  return [
    colors.bold(
      `${plain(scenario)}  time of each step in ${runs.length} ${runs.length === 1 ? 'run' : 'runs'}`,
    ) + (left > 0 ? colors.dim(`, the newest ${shown.length} as figures; --json has all`) : ''),
    colors.dim(header),
    ...steps.map((each) => {
      const timeIn = (runId: string) => each.times.find((time) => time.runId === runId)?.ms;
      const values = each.times.slice(-pictureWidth).map(({ ms }) => ms);
      return [
        `  ${pad(plain(each.step), names)}`,
        cell(short(each.medianMs)),
        cell(short(each.p90Ms)),
        ...shown.map(({ runId }) => cell(shortOrNone(timeIn(runId)))),
        pictured ? `  ${colors.dim(bars(values))}` : '',
      ]
        .join('')
        .trimEnd();
    }),
    ...(steps.some(({ of }) => of === 'people') ? [colors.dim('  gates: the time that people took')] : []),
  ];
}

/** Every run that some step was done in, oldest first. */
function runsOf(steps: readonly StepDevelopment[]): readonly StepTime[] {
  const runs = new Map(steps.flatMap(({ times }) => times.map((time) => [time.runId, time] as const)));
  return [...runs.values()].sort((one, other) => one.startedAt.localeCompare(other.startedAt));
}

function shortOrNone(ms: number | undefined): string {
  return ms === undefined ? '-' : short(ms);
}

const LEVELS = '▁▂▃▄▅▆▇█';

/** Heights from nothing to the longest; a single run has no development to show. */
function bars(values: readonly number[]): string {
  const most = Math.max(...values);
  if (values.length < 2 || most <= 0) return '';
  return values.map((value) => LEVELS[Math.round((value / most) * (LEVELS.length - 1))]).join('');
}

function short(durationMs: number): string {
  return durationMs < 10_000 ? `${(durationMs / 1_000).toFixed(1)} s` : clock(durationMs);
}

function widest(texts: readonly string[]): number {
  return Math.max(0, ...texts.map((text) => plain(text).length));
}

/** Past runs, for a terminal. */
import type { RunView } from '../../model/run.js';
import type { StepDevelopment } from '../development.js';
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
  return [...runLines(views, colors), ...stepLines(steps, colors, width)].join('\n');
}

function runLines(views: readonly RunView[], colors: Colors): string[] {
  const systems = widest(views.map(({ system }) => system));
  const scenarios = widest(views.map(({ scenario }) => scenario));
  return views.map((view) => {
    const { actualMs, targetMs, waitingMs } = view.clock;
    const state = view.status === 'recovered' ? colors.green : colors.red;
    const measured = actualMs === undefined ? 'not back' : clock(actualMs);
    const verdict =
      actualMs === undefined ? '' : actualMs <= targetMs ? colors.green('met') : colors.red('missed');
    return [
      view.clock.startedAt.slice(0, 16).replace('T', ' '),
      pad(plain(view.system), systems),
      pad(plain(view.scenario), scenarios),
      pad(view.mode, 5),
      state(pad(view.status, 9)),
      pad(measured, 9, 'right'),
      `of ${pad(span(targetMs), 6)}`,
      pad(verdict === '' ? '' : verdict, 6),
      waitingMs > 0 ? colors.dim(`people ${clock(waitingMs)}`) : '',
    ]
      .join('  ')
      .trimEnd();
  });
}

/** One line a step: the last time, the median, and a small picture of how it developed, oldest first. */
function stepLines(steps: readonly StepDevelopment[], colors: Colors, width: number): string[] {
  if (steps.length === 0) return [];
  const names = widest(steps.map(({ step }) => step));
  const lines: string[] = [];
  let scenario = '';
  for (const each of steps) {
    if (each.scenario !== scenario) {
      scenario = each.scenario;
      lines.push('', colors.bold(`${plain(scenario)}  time of each step, oldest run to newest`));
    }
    const last = each.workingMs.at(-1) ?? 0;
    const shown = each.workingMs.slice(-Math.max(4, width - names - 34));
    lines.push(
      `  ${pad(plain(each.step), names)}  last ${pad(short(last), 8, 'right')}  median ${pad(short(each.medianMs), 8, 'right')}  ${colors.dim(bars(shown))}`.trimEnd(),
    );
  }
  return lines;
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

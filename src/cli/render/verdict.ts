/** The clock and the verdict: the first thing a commander reads. */
import type { ComponentForecast, Forecast } from '../../../workflows/engine/forecast.js';
import type { Outputs } from '../../evidence/outputs.js';
import type { RunView, StepView } from '../../model/run.js';
import {
  bad,
  best,
  busy,
  dim,
  good,
  type Line,
  lineWidth,
  type Piece,
  plain,
  strong,
  warn,
  widthOf,
  wrap,
} from './line.js';
import { lossLines, lossSteps } from './standing.js';
import { clock, span, utc } from './units.js';

export const ENDED: ReadonlySet<RunView['status']> = new Set(['recovered', 'aborted', 'failed']);

/** How long the clock has run; stands still once the service was validated or the run is over. */
export function elapsedMs(view: RunView, now: number): number {
  const end = view.endedAt === undefined ? now : Date.parse(view.endedAt);
  return view.clock.actualMs ?? Math.max(0, end - Date.parse(view.clock.detectedAt));
}

/** How the run stands against its objectives: one line, or two where one is not enough. */
export function verdictLines(view: RunView, forecast: Forecast, width: number, now: number): Line[] {
  const { actualMs, targetMs } = view.clock;
  if (actualMs !== undefined) return [backLine(view, actualMs, targetMs)];
  if (ENDED.has(view.status)) {
    const word = view.status.toUpperCase();
    return [[view.status === 'recovered' ? best(word) : bad(word), `  after ${clock(elapsedMs(view, now))}`]];
  }
  if (view.status === 'undoing') return [[warn('UNDOING'), '  what this run changed, newest first']];
  const { word, why } = outlook(view, forecast, now);
  const back = expectation(forecast, now);
  if (why === '') return [[word, `  ${back}`]];
  const together: Line = [word, `  ${why}; ${back}`];
  return lineWidth(together) <= width ? [together] : [[word, `  ${why}`], [`  ${back}`]];
}

function backLine(view: RunView, actualMs: number, targetMs: number): Line {
  const word =
    view.status === 'recovered'
      ? best('RECOVERED')
      : ENDED.has(view.status)
        ? bad(view.status.toUpperCase())
        : best('SERVICE BACK');
  const met = actualMs <= targetMs;
  return [
    word,
    `  service back after ${clock(actualMs)}, `,
    met
      ? good(`RTO met, ${span(targetMs - actualMs)} to spare`)
      : bad(`RTO missed by ${span(actualMs - targetMs)}`),
  ];
}

interface Outlook {
  readonly word: Piece;
  readonly why: string;
}

interface Objective {
  readonly name: string;
  readonly targetMs: number;
  readonly ahead: ComponentForecast | undefined;
}

// The run's own RTO decides; that of another component where only that one is in danger.
function outlook(view: RunView, forecast: Forecast, now: number): Outlook {
  const sinceDetection = now - Date.parse(view.clock.detectedAt);
  const objectives: Objective[] = [
    { name: `${view.component} RTO`, targetMs: view.clock.targetMs, ahead: forecast },
    ...view.components
      .filter((component) => component.actualMs === undefined && component.name !== view.component)
      .map(({ name, targetMs }) => ({ name: `${name} RTO`, targetMs, ahead: forecast.components[name] })),
  ];
  const first = (missOf: (objective: Objective) => number | undefined) => {
    const found = objectives.find((objective) => (missOf(objective) ?? 0) > 0);
    return found === undefined ? undefined : { name: found.name, by: span(missOf(found) ?? 0) };
  };
  const blame = forecast.because === undefined ? '' : `, because of ${forecast.because}`;

  const missed = first(({ targetMs }) => sinceDetection - targetMs);
  if (missed !== undefined)
    return { word: bad(`${missed.name} MISSED`), why: `by ${missed.by} so far${blame}` };
  const will = first(({ ahead }) => ahead?.breachMs);
  if (will !== undefined) {
    // Budgets bound what is to come, they do not foretell it.
    const bounded = forecast.byBudget.reduce(
      (sum, name) => sum + (forecast.remaining[name]?.medianMs ?? 0),
      0,
    );
    const foretold = first(({ ahead }) => (ahead?.breachMs ?? 0) - bounded) !== undefined;
    const word = foretold ? bad(`WILL MISS ${will.name}`) : warn(`MAY MISS ${will.name}`);
    return { word, why: `by ${will.by}${blame}` };
  }
  const may = first(({ ahead }) => ahead?.worstBreachMs);
  if (may !== undefined) return { word: warn(`MAY MISS ${may.name}`), why: `by ${may.by} at worst${blame}` };
  return { word: best('ON COURSE'), why: '' };
}

/** `back about 03:11 UTC, worst 03:14 UTC`; `back by 03:55 UTC if budgets hold`. */
function expectation(forecast: Forecast, now: number): string {
  const { medianDoneAt, worstDoneAt } = forecast;
  const people = forecast.uncountedPeople.length === 0 ? '' : ", plus people's time";
  if (forecast.byBudget.length > 0) return `back by ${moment(medianDoneAt, now)} if budgets hold${people}`;
  const worst = worstDoneAt - medianDoneAt < 1_000 ? '' : `, worst ${moment(worstDoneAt, now)}`;
  return `back about ${moment(medianDoneAt, now)}${worst}${people}`;
}

/** A time to come; to the minute where it is so far off that seconds would only flicker. */
function moment(time: number, now: number): string {
  if (time - now < 10 * 60_000) return utc(time, now);
  const minute = Math.ceil(time / 60_000) * 60_000;
  return utc(minute, now).replace(/:00 UTC$/, ' UTC');
}

/** `database RTO 6 h   elapsed 4:32   left 5:55:28   working 3:10   people 0:48`, what is least telling left out. */
export function clockLine(view: RunView, width: number, now: number): Line {
  const { clock: c } = view;
  const over = c.actualMs !== undefined || ENDED.has(view.status);
  const live = over ? 0 : Math.max(0, now - Date.parse(view.asOf));
  const waits = view.status === 'waiting';
  const leftMs = c.targetMs - elapsedMs(view, now);
  const parts: Line[] = [
    [strong(`${view.component} RTO ${span(c.targetMs)}`)],
    ['elapsed ', strong(clock(elapsedMs(view, now)))],
    ...(over ? [] : [leftMs >= 0 ? ['left ', strong(clock(leftMs))] : ['over by ', bad(clock(-leftMs))]]),
    [dim('working '), clock(c.workingMs + (waits ? 0 : live))],
    [dim('people '), clock(c.waitingMs + (waits ? live : 0))],
    [dim('before start '), clock(c.beforeStartMs)],
  ];
  for (let count = parts.length; count > 2; count -= 1) {
    for (const gap of ['   ', '  ']) {
      const line = parts.slice(0, count).flatMap((part, index) => (index === 0 ? part : [gap, ...part]));
      if (lineWidth(line) <= width) return line;
    }
  }
  return parts.slice(0, 2).flatMap((part, index) => (index === 0 ? part : ['  ', ...part]));
}

/** The components whose RTO is not the run's own; nothing where there is none. */
export function componentLines(view: RunView, forecast: Forecast, now: number): Line[] {
  const others = view.components.filter((component) => component.name !== view.component);
  const brokenOff = view.status === 'aborted' || view.status === 'failed';
  if (others.length === 0 || brokenOff) return [];
  const since = now - Date.parse(view.clock.detectedAt);
  const line: (Piece | string)[] = [dim('also ')];
  for (const [index, { name, targetMs, actualMs }] of others.entries()) {
    line.push(index === 0 ? '' : ', ', `${name} ${span(targetMs)}`);
    if (actualMs !== undefined) {
      line.push(actualMs <= targetMs ? dim(` met, ${clock(actualMs)}`) : bad(` missed, ${clock(actualMs)}`));
    } else if (since > targetMs) {
      line.push(bad(' MISSED'));
    } else if (forecast.components[name]?.breachMs !== undefined) {
      line.push(bad(' in danger'));
    } else {
      line.push(dim(` left ${clock(targetMs - since)}`));
    }
  }
  return [line];
}

/** Which run this is. */
export function titleLine(view: RunView, width: number, now: number): Line {
  const mode = view.mode === 'real' ? strong('real') : busy('DRILL');
  const detected = `detected ${utc(view.clock.detectedAt, now)}`;
  const begun = view.requestedBy === view.commander ? '' : `begun by ${plain(view.requestedBy)}   `;
  const commander = `commander ${plain(view.commander)}`;
  const atClock = view.endedAt === undefined ? `now ${utc(now)}` : `ended ${utc(view.endedAt, now)}`;
  const left = `${view.system}  ${view.scenario}  ${view.mode}`;
  const room = width - left.length;
  const right = [
    `${detected}   ${begun}${commander}   ${atClock}`,
    `${detected}   ${commander}   ${atClock}`,
    `${commander}   ${atClock}`,
    atClock,
  ].find((text) => widthOf(text) + 2 <= room);
  const gap = right === undefined ? '' : ' '.repeat(room - widthOf(right));
  return [strong(view.system), '  ', view.scenario, '  ', mode, gap, dim(right ?? '')];
}

/** How it ended: in the run's own words, what was lost, and what its last steps found, in full. */
export function outcomeLines(view: RunView, outputs: Outputs, width: number): Line[] {
  if (view.endedAt === undefined) return [];
  const outcome = wrap(plain(view.outcome ?? ''), width).map((text): Line => [text]);
  const told = lossSteps(outputs);
  const closing = stepsBehind(view, view.serviceRestoredBy).filter(
    (step) => step.status === 'done' && !told.includes(step.name),
  );
  const label = Math.max(0, ...closing.map((step) => step.name.length));
  return [
    ...outcome,
    ...lossLines(outputs),
    ...closing.flatMap((step) =>
      wrap(plain(step.summary ?? ''), width - label - 4).map(
        (text, index): Line => ['  ', dim((index === 0 ? step.name : '').padEnd(label)), `  ${text}`],
      ),
    ),
  ];
}

/** The steps that could only begin once the named one was over: what was measured and made safe in the end. */
function stepsBehind(view: RunView, name: string): readonly StepView[] {
  const behind = new Set([name]);
  return view.steps.filter((step) => {
    if (!step.needs.some((need) => behind.has(need))) return false;
    behind.add(step.name);
    return true;
  });
}

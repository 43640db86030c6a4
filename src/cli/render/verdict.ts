/** The clock and the verdict: the first thing a commander reads. */
import type { ComponentForecast, Forecast } from '../../../workflows/engine/forecast.js';
import type { RunView } from '../../model/run.js';
import { bad, busy, dim, good, type Line, type Piece, plain, strong, warn, wrap } from './line.js';
import { clock, span, utc } from './units.js';

export const ENDED: ReadonlySet<RunView['status']> = new Set(['recovered', 'aborted', 'failed']);

/** How long the clock has run; stands still once the service was validated or the run is over. */
export function elapsedMs(view: RunView, now: number): number {
  const end = view.endedAt === undefined ? now : Date.parse(view.endedAt);
  return view.clock.actualMs ?? Math.max(0, end - Date.parse(view.clock.detectedAt));
}

/** One line that says how the run stands against its objectives. */
export function verdictLine(view: RunView, forecast: Forecast, now: number): Line {
  const { actualMs, targetMs } = view.clock;
  if (actualMs !== undefined) return backLine(view, actualMs, targetMs);
  if (view.status === 'aborted') return [bad('ABORTED'), `  after ${clock(elapsedMs(view, now))}`];
  if (view.status === 'failed') return [bad('FAILED'), `  after ${clock(elapsedMs(view, now))}`];
  if (view.status === 'recovered') return [good('RECOVERED'), `  after ${clock(elapsedMs(view, now))}`];
  if (view.status === 'undoing') return [warn('UNDOING'), '  what this run changed, newest first'];
  const { word, because } = outlook(view, forecast, now);
  return [word, '  ', ...because, ...expectation(forecast, now)];
}

function backLine(view: RunView, actualMs: number, targetMs: number): Line {
  const word =
    view.status === 'recovered'
      ? good('RECOVERED')
      : ENDED.has(view.status)
        ? bad(view.status.toUpperCase())
        : good('SERVICE BACK');
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
  readonly because: Line;
}

// The worst of the run's own RTO and those of its components is the verdict.
function outlook(view: RunView, forecast: Forecast, now: number): Outlook {
  const sinceDetection = now - Date.parse(view.clock.detectedAt);
  const objectives = [
    { name: `${view.component} RTO`, targetMs: view.clock.targetMs, ahead: forecast as ComponentForecast },
    ...view.components
      .filter((component) => component.actualMs === undefined && component.name !== view.component)
      .map((component) => ({
        name: `${component.name} RTO`,
        targetMs: component.targetMs,
        ahead: forecast.components[component.name],
      })),
  ];
  const by = (pick: (objective: (typeof objectives)[number]) => number | undefined) =>
    objectives
      .map((objective) => ({ name: objective.name, ms: pick(objective) ?? 0 }))
      .filter(({ ms }) => ms > 0)
      .reduce<{ name: string; ms: number } | undefined>(
        (most, each) => (most && most.ms >= each.ms ? most : each),
        undefined,
      );
  const blame = forecast.because === undefined ? '' : `, because of ${forecast.because}`;

  const missed = by(({ targetMs }) => sinceDetection - targetMs);
  if (missed !== undefined)
    return { word: bad(`${missed.name} MISSED`), because: [`by ${span(missed.ms)} so far${blame}; `] };
  const will = by(({ ahead }) => ahead?.breachMs);
  if (will !== undefined)
    return { word: bad(`WILL MISS ${will.name}`), because: [`by ${span(will.ms)}${blame}; `] };
  const may = by(({ ahead }) => ahead?.worstBreachMs);
  if (may !== undefined)
    return { word: warn(`MAY MISS ${may.name}`), because: [`by ${span(may.ms)} at worst${blame}; `] };
  return { word: good('ON COURSE'), because: [] };
}

function expectation(forecast: Forecast, now: number): Line {
  const worst =
    forecast.worstDoneAt - forecast.medianDoneAt >= 1_000 ? `, worst ${utc(forecast.worstDoneAt, now)}` : '';
  const people = forecast.uncountedPeople.length === 0 ? '' : " plus people's time";
  return [`back about ${utc(forecast.medianDoneAt, now)}${worst}${people}`];
}

/** `database RTO 6 h    elapsed 4:32    left 5:55:28    working 3:10    people 0:48` */
export function clockLine(view: RunView, now: number): Line {
  const { clock: c } = view;
  const live =
    ENDED.has(view.status) || c.actualMs !== undefined ? 0 : Math.max(0, now - Date.parse(view.asOf));
  const waits = view.status === 'waiting';
  const leftMs = c.targetMs - elapsedMs(view, now);
  const objective = `${view.component} RTO ${span(c.targetMs)}`;
  const gap = '   ';
  return [
    strong(objective),
    gap,
    'elapsed ',
    strong(clock(elapsedMs(view, now))),
    ...(c.actualMs !== undefined || ENDED.has(view.status)
      ? []
      : [gap, leftMs >= 0 ? 'left ' : 'over by ', (leftMs >= 0 ? strong : bad)(clock(Math.abs(leftMs)))]),
    gap,
    dim('working '),
    clock(c.workingMs + (waits ? 0 : live)),
    gap,
    dim('people '),
    clock(c.waitingMs + (waits ? live : 0)),
  ];
}

/** The components whose RTO is not the run's own; nothing where there is none. */
export function componentLines(view: RunView, forecast: Forecast, now: number): Line[] {
  const others = view.components.filter((component) => component.name !== view.component);
  if (others.length === 0) return [];
  const since = now - Date.parse(view.clock.detectedAt);
  const line: (Piece | string)[] = [dim('also ')];
  for (const [index, { name, targetMs, actualMs }] of others.entries()) {
    line.push(index === 0 ? '' : ', ', `${name} ${span(targetMs)}`);
    if (actualMs !== undefined) {
      line.push(actualMs <= targetMs ? dim(` met, ${clock(actualMs)}`) : bad(` missed, ${clock(actualMs)}`));
    } else if (ENDED.has(view.status)) {
      line.push(bad(' not back'));
    } else if (since > targetMs) {
      line.push(bad(' MISSED'));
    } else if (forecast.components[name]?.breachMs !== undefined) {
      line.push(bad(' will be missed'));
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
  const by = plain(view.requestedBy);
  const left = `${view.system}  ${view.scenario}  ${view.mode}`;
  const room = width - left.length;
  const right = [
    `${detected}   by ${by}   now ${utc(now)}`,
    `${detected}   now ${utc(now)}`,
    `now ${utc(now)}`,
  ].find((text) => text.length + 2 <= room);
  const gap = right === undefined ? '' : ' '.repeat(room - right.length);
  return [strong(view.system), '  ', view.scenario, '  ', mode, gap, dim(right ?? '')];
}

/** How it ended, in the run's own words. */
export function outcomeLines(view: RunView, width: number): Line[] {
  if (view.outcome === undefined) return [];
  return wrap(plain(view.outcome), width).map((text) => [text]);
}

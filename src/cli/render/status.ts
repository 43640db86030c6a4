/** All runs at a glance: how each stands, what works, what waits for whom and how it is answered. */
import type { Forecast } from '../../../workflows/engine/forecast.js';
import type { RunView } from '../../model/run.js';
import type { StepActivity } from '../../temporal/progress.js';
import { answerTo } from './actions.js';
import { waitsFor } from './decisions.js';
import { bad, busy, dim, type Line, paintLine, plain, strong, warn } from './line.js';
import { workText } from './progress.js';
import { standingLines } from './standing.js';
import { expiryText } from './step-lines.js';
import { clock } from './units.js';
import { clockLine, titleLine, verdictLines } from './verdict.js';

export interface RunAtAGlance {
  readonly view: RunView;
  readonly activity: Readonly<Record<string, StepActivity>>;
  readonly forecast: Forecast;
}

/** A run that does not answer: what Temporal knows of it. */
export interface SilentRun {
  readonly name: string;
  readonly startedAt: string;
  readonly trouble: string;
}

export interface GlanceSize {
  readonly width: number;
  readonly color: boolean;
  /** Milliseconds since 1970. */
  readonly now: number;
}

/** One block a run, a blank line between them. Pure. */
export function renderStatus(
  runs: readonly RunAtAGlance[],
  silent: readonly SilentRun[],
  { width, color, now }: GlanceSize,
): string[] {
  const blocks: Line[][] = [
    ...runs.map((run) => blockOf(run, width, now)),
    ...silent.map(({ name, startedAt, trouble }): Line[] => [
      [strong(plain(name)), dim(`  started ${startedAt}`)],
      [bad('NO ANSWER'), `  ${plain(trouble)}`],
    ]),
  ];
  if (blocks.length === 0) return ['No run is active.'];
  return blocks
    .flatMap((block, index): Line[] => [...(index === 0 ? [] : [[]]), ...block])
    .map((line) => paintLine(line, width, color));
}

function blockOf({ view, activity, forecast }: RunAtAGlance, width: number, now: number): Line[] {
  const working = view.steps.filter((step) => step.status === 'running');
  return [
    titleLine(view, width, now),
    ...verdictLines(view, forecast, width, now),
    clockLine(view, width, now),
    ...standingLines(view, width, now, 'short'),
    ...working.map((step): Line => {
      const { progress, attempt = 1, lastFailure } = activity[step.name] ?? {};
      const work = { title: step.title, progress, attempt, lastFailure, overMs: 0 };
      return ['  ', busy('works'), `  ${step.name}: `, workText(work, width - step.name.length - 12)];
    }),
    ...waitLines(view, now),
  ];
}

function waitLines(view: RunView, now: number): Line[] {
  return view.openDecisions.flatMap((open): Line[] => {
    const step = view.steps.find((other) => other.name === open.step);
    const failed = step?.failure !== undefined;
    const expiry = open.expiresAt === undefined ? '' : `, ${expiryText(step ?? {}, open.expiresAt, now)}`;
    const command = answerTo(view, open);
    return [
      [
        '  ',
        failed ? bad('FAILED') : warn('waits'),
        `  ${waitsFor(open, step)}, for ${clock(now - Date.parse(open.since))}${expiry}`,
      ],
      ...(command === undefined ? [] : [['         ', dim(command)]]),
    ];
  });
}

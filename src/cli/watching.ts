/** Watching a run until it ends: a screen that is redrawn on a terminal, a line a change anywhere else. */
import { setTimeout as delay } from 'node:timers/promises';
import { createLogUpdate } from 'log-update';
import { forecast } from '../../workflows/engine/forecast.js';
import type { RunView } from '../model/run.js';
import type { TemporalSession } from '../temporal/connection.js';
import { type Look, lookAt } from '../temporal/observe.js';
import { progressOf, type StepActivity } from '../temporal/progress.js';
import type { RunHandle } from '../temporal/runs.js';
import { type CliContext, type ExitCode, exitCodes } from './context.js';
import { changeLines, ProgressLog } from './render/change-log.js';
import { span, utc } from './render/units.js';
import { renderWatch } from './render/watch.js';

const LOOK_EVERY_MS = 1_000;
const DRAW_EVERY_MS = 500;
/** Looks may fail now and then; this long without an answer is told. */
const SILENT_AFTER_MS = 3_000;

/** What has been seen last. */
export interface Seen {
  readonly view: RunView;
  readonly activity: Readonly<Record<string, StepActivity>>;
  readonly silence?: { readonly what: string; readonly sinceMs: number } | undefined;
}

/** Where a watch shows what it sees. */
export interface WatchSink {
  /** Called at least twice a second; `undefined` until the run has answered for the first time. */
  show(seen: Seen | undefined, trouble: string | undefined, now: number): void;
  /** The last that will be seen, and what else is to be said. */
  end(seen: Seen | undefined, remark: string | undefined, now: number): void;
}

export interface Watched {
  readonly view?: RunView | undefined;
  readonly ended: 'by-itself' | 'broken-off' | 'left';
  readonly remark?: string;
}

/**
 * Follows a run until it ends or `left` is aborted; the run goes on whatever happens here. Survives a worker and a server
 * that are away for a while.
 */
export async function followRun(
  look: () => Promise<Look>,
  sink: WatchSink,
  left: AbortSignal,
): Promise<Watched> {
  let last: Omit<Seen, 'silence'> | undefined;
  let answeredAt = Date.now();
  let trouble: string | undefined;
  const seenAt = (now: number): Seen | undefined => {
    const sinceMs = now - answeredAt;
    const silent = trouble !== undefined && sinceMs >= SILENT_AFTER_MS;
    return last && { ...last, silence: silent ? { what: trouble ?? '', sinceMs } : undefined };
  };
  const draw = () => sink.show(seenAt(Date.now()), trouble, Date.now());
  const end = (ended: Watched['ended'], remark?: string): Watched => {
    sink.end(seenAt(Date.now()), remark, Date.now());
    return { view: last?.view, ended, ...(remark === undefined ? {} : { remark }) };
  };
  const leaving = new Promise<undefined>((resolve) => {
    left.addEventListener('abort', () => resolve(undefined), { once: true });
  });
  const ticks = setInterval(draw, DRAW_EVERY_MS);
  try {
    while (!left.aborted) {
      const answer = await Promise.race([look(), leaving]);
      if (answer === undefined) break;
      const { view, activity, brokenOff } = answer;
      trouble = answer.trouble;
      if (view !== undefined) {
        last = { view, activity: activity ?? last?.activity ?? {} };
        answeredAt = Date.now();
      }
      if (brokenOff !== undefined) return end('broken-off', brokenOffText(brokenOff, last?.view));
      if (view?.endedAt !== undefined) return end('by-itself');
      draw();
      await delay(LOOK_EVERY_MS, undefined, { signal: left }).catch(() => undefined);
    }
  } finally {
    clearInterval(ticks);
  }
  return end('left');
}

function brokenOffText(how: string, view: RunView | undefined): string {
  const left = view?.abortDoes === undefined ? '' : ` What an abort does was left out: ${view.abortDoes}.`;
  return `The workflow was ended in Temporal from outside the run (${how}).${left}`;
}

/** A run's exit code: what a script wants to know of it. */
export function exitCodeOf(view: RunView): ExitCode {
  if (view.status === 'recovered') return exitCodes.done;
  if (view.status === 'aborted' || view.status === 'failed') return exitCodes.failed;
  return view.openDecisions.length > 0 ? exitCodes.waits : exitCodes.done;
}

/** The command line's watch: follows a run, shows it, says how it ended, and sets the exit code. */
export async function watchRun(
  context: CliContext,
  session: TemporalSession,
  run: RunHandle,
): Promise<Watched> {
  const left = new AbortController();
  const leave = () => left.abort();
  process.once('SIGINT', leave);
  const sink = context.out.json
    ? silentSink
    : context.out.interactive
      ? screenSink(context)
      : lineSink(context);
  try {
    const watched = await followRun(() => lookAt(session, run), sink, left.signal);
    if (watched.ended === 'left') {
      context.out.note(`The run goes on. Watch it again: muster watch ${run.system}`);
      context.finishWith(exitCodes.interrupted);
    } else if (watched.ended === 'broken-off' || watched.view === undefined) {
      context.finishWith(exitCodes.failed);
    } else {
      context.finishWith(exitCodeOf(watched.view));
    }
    return watched;
  } finally {
    process.removeListener('SIGINT', leave);
  }
}

const silentSink: WatchSink = { show: () => undefined, end: () => undefined };

function linesOf(
  seen: Seen,
  now: number,
  size: { width: number; height?: number; color: boolean },
): string[] {
  const { view, activity, silence } = seen;
  const at = silence === undefined ? now : now - silence.sinceMs;
  const ahead = forecast(view, progressOf(activity), at);
  return renderWatch({ view, activity, forecast: ahead, silence }, { ...size, now });
}

/** Redraws in place. The last screen stays when the watch ends. */
function screenSink(context: CliContext): WatchSink {
  const stdout = context.world.streams.stdout as NodeJS.WriteStream;
  const color = context.out.colors.isColorSupported;
  const screen = createLogUpdate(stdout);
  let columns = stdout.columns;
  const size = () => ({
    width: Math.max(40, stdout.columns ?? 80),
    height: Math.max(8, (stdout.rows ?? 24) - 1),
    color,
  });
  const paint = (lines: readonly string[]) => {
    if (stdout.columns !== columns) {
      // What was drawn for another width is wrapped now, and cannot be erased line by line.
      columns = stdout.columns;
      screen.done();
      stdout.write('\u001b[2J\u001b[H');
    }
    screen(lines.join('\n'));
  };
  return {
    show: (seen, trouble, now) => {
      if (seen === undefined)
        paint([trouble === undefined ? 'Asking the run ...' : `The run has not answered yet: ${trouble}`]);
      else paint(linesOf(seen, now, size()));
    },
    end: (seen, remark, now) => {
      if (seen !== undefined) paint(linesOf(seen, now, size()));
      screen.done();
      if (remark !== undefined) context.out.line(remark);
    },
  };
}

/** One line a change, with its time; the whole screen once at the end. */
function lineSink(context: CliContext): WatchSink {
  const progress = new ProgressLog();
  let before: RunView | undefined;
  let toldSilence = false;
  const tell = (seen: Seen, now: number) => {
    if (seen.view !== before) for (const line of changeLines(before, seen.view)) context.out.line(line);
    before = seen.view;
    for (const line of progress.lines(seen.activity, now)) context.out.line(line);
  };
  return {
    show: (seen, trouble, now) => {
      if (seen === undefined) return;
      tell(seen, now);
      if (seen.silence !== undefined && !toldSilence) {
        context.out.line(`${utc(now)}  no answer for ${span(seen.silence.sinceMs)}: ${trouble ?? ''}`);
      } else if (seen.silence === undefined && toldSilence) {
        context.out.line(`${utc(now)}  answers again`);
      }
      toldSilence = seen.silence !== undefined;
    },
    end: (seen, remark, now) => {
      if (seen === undefined) return;
      tell(seen, now);
      if (remark !== undefined) context.out.line(`${utc(now)}  ${remark}`);
      context.out.line();
      for (const line of linesOf(seen, now, { width: context.out.width, color: false }))
        context.out.line(line);
    },
  };
}

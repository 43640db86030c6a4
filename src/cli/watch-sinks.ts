/** Where a watch shows what it sees: a screen that is redrawn on a terminal, a line a change anywhere else. */
import { createLogUpdate } from 'log-update';
import { forecast } from '../../workflows/engine/forecast.js';
import type { RunView } from '../model/run.js';
import { progressOf } from '../temporal/progress.js';
import type { CliContext } from './context.js';
import type { Seen, WatchSink } from './following.js';
import { changeLines, ProgressLog } from './render/change-log.js';
import { span, utc } from './render/units.js';
import { renderWatch } from './render/watch.js';

/** For `--json`: only the end counts. */
export const silentSink: WatchSink = { show: () => undefined, end: () => undefined };

function linesOf(
  seen: Seen,
  now: number,
  size: { width: number; height?: number; color: boolean },
): string[] {
  const { view, activity, outputs, silence } = seen;
  const at = silence === undefined ? now : now - silence.sinceMs;
  const ahead = forecast(view, progressOf(activity), at);
  return renderWatch({ view, activity, forecast: ahead, outputs, silence }, { ...size, now });
}

/** Redraws in place. The last screen stays when the watch ends. */
export function screenSink(context: CliContext): WatchSink {
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
export function lineSink(context: CliContext): WatchSink {
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

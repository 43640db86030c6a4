/** A step as a bar in time, drawn where the screen is wide: what ran at once, what is still to come. */
import type { StepView } from '../../model/run.js';
import { busy, dim, type Line, type Piece, warn } from './line.js';
import type { StepTable } from './step-lines.js';

/**
 * `=` worked, `~` waited for a person, `.` expected. The whole width is the time from the start of the run to its end, the
 * expected one while it goes on.
 */
export function timelineOf(step: StepView, table: StepTable, width: number): Line {
  const { view, forecast, now } = table;
  const from = Date.parse(view.clock.startedAt);
  const nowOrEnd = view.endedAt === undefined ? now : Date.parse(view.endedAt);
  const to = Math.max(from + 1, nowOrEnd, view.endedAt === undefined ? forecast.runOverAt : 0);
  const column = (time: number) => Math.max(0, Math.min(width, ((time - from) / (to - from)) * width));
  const span = (start: number, end: number) => {
    const first = Math.min(width - 1, Math.floor(column(start)));
    return { first, last: Math.max(first, Math.ceil(column(end)) - 1) };
  };

  const cells = Array.from({ length: width }, () => ' ');
  const draw = (start: number, end: number, mark: string) => {
    const { first, last } = span(start, end);
    for (let index = first; index <= last; index += 1) if (cells[index] === ' ') cells[index] = mark;
  };
  const waits = step.kind === 'gate' || step.status === 'waiting';
  if (step.startedAt !== undefined) {
    draw(
      Date.parse(step.startedAt),
      step.endedAt === undefined ? nowOrEnd : Date.parse(step.endedAt),
      waits ? '~' : '=',
    );
  }
  const ahead = forecast.remaining[step.name]?.medianMs ?? 0;
  if (view.endedAt === undefined && ahead > 0) {
    const finish = now + (forecast.finishMs[step.name] ?? 0);
    draw(finish - ahead, finish, '.');
  }
  return runs(cells.join(''), step);
}

// Neighbouring marks of one kind are one piece, so that a row holds few colours.
function runs(text: string, step: StepView): Piece[] {
  return (text.match(/=+|~+|\.+| +/g) ?? []).map((part) => {
    if (part.startsWith('=')) return step.status === 'running' ? busy(part) : { text: part, style: 'plain' };
    if (part.startsWith('~')) return step.status === 'waiting' ? warn(part) : dim(part);
    return dim(part);
  });
}

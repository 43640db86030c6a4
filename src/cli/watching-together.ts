/** Watching the recovery of several systems: one screen, a line a system. */
import { setTimeout as delay } from 'node:timers/promises';
import { createLogUpdate } from 'log-update';
import { messageOf, RefusedError } from '../errors.js';
import type { RecoverAllView } from '../model/recover-all.js';
import type { TemporalSession } from '../temporal/connection.js';
import { findTogether, lookTogether, type Undertaking } from '../temporal/undertakings.js';
import { type CliContext, type ExitCode, exitCodes } from './context.js';
import { changesTogether, renderTogether } from './render/together.js';

const LOOK_EVERY_MS = 1_000;

/** @throws RefusedError when no systems were ever recovered together on this Temporal server */
export async function theUndertaking(session: TemporalSession): Promise<Undertaking> {
  const found = await findTogether(session);
  if (found !== undefined) return found;
  throw new RefusedError('NoneTogether', 'No recovery of several systems was begun here.', {
    next: 'Begin one with muster recover <scenario> --all; muster status shows every run that is active.',
  });
}

/** Follows it until every system is over or Ctrl-C; all goes on whatever happens here. */
export async function watchTogether(
  context: CliContext,
  session: TemporalSession,
  undertaking: Undertaking,
): Promise<RecoverAllView | undefined> {
  const left = new AbortController();
  const leave = () => left.abort();
  process.on('SIGINT', leave);
  const screen = context.out.interactive
    ? createLogUpdate(context.world.streams.stdout as NodeJS.WriteStream)
    : undefined;
  let last: RecoverAllView | undefined;
  try {
    while (!left.signal.aborted) {
      const seen: RecoverAllView | Error = await lookTogether(session, undertaking).catch(
        (error: unknown) => new Error(messageOf(error)),
      );
      if (!(seen instanceof Error)) {
        if (screen === undefined) for (const line of changesTogether(last, seen)) context.out.line(line);
        last = seen;
      }
      const silence =
        seen instanceof Error ? [`NO ANSWER: ${seen.message}; what is shown is from before`] : [];
      const lines = last === undefined ? [] : renderTogether(last, size(context));
      screen?.([...silence, ...lines].join('\n'));
      if (last?.endedAt !== undefined) break;
      await delay(LOOK_EVERY_MS, undefined, { signal: left.signal }).catch(() => undefined);
    }
    screen?.done();
    if (last?.endedAt !== undefined && screen === undefined) {
      for (const line of ['', ...renderTogether(last, size(context))]) context.out.line(line);
    }
    if (last?.endedAt === undefined) context.out.note('All goes on. Watch it again: muster watch --all');
    context.finishWith(last?.endedAt === undefined ? exitCodes.interrupted : exitCodeOf(last));
    return last;
  } finally {
    process.removeListener('SIGINT', leave);
  }
}

/** The screen once. @throws RefusedError; Error when no worker answers */
export async function showTogether(context: CliContext, session: TemporalSession): Promise<void> {
  const view = await lookTogether(session, await theUndertaking(session));
  context.out.result(view, () => renderTogether(view, size(context)).join('\n'));
  context.finishWith(exitCodeOf(view));
}

function exitCodeOf({ systems, endedAt }: RecoverAllView): ExitCode {
  if (systems.some(({ waits }) => waits.length > 0)) return exitCodes.waits;
  const bad = systems.some(({ state }) => ['aborted', 'failed', 'refused', 'broken-off'].includes(state));
  const left = endedAt !== undefined && systems.some(({ state }) => state !== 'recovered');
  return bad || left ? exitCodes.failed : exitCodes.done;
}

function size({ out }: CliContext) {
  return { width: out.width, color: out.colors.isColorSupported, now: Date.now() };
}

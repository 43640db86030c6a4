/** The command line's watch. */
import type { TemporalSession } from '../temporal/connection.js';
import { lookAt } from '../temporal/observe.js';
import type { RunHandle } from '../temporal/runs.js';
import { type CliContext, exitCodes } from './context.js';
import { followRun, type Watched } from './following.js';
import { exitCodeOf } from './run-exit-code.js';
import { lineSink, screenSink, silentSink } from './watch-sinks.js';

/** Follows a run, shows it, says how it ended, and sets the exit code. */
export async function watchRun(
  context: CliContext,
  session: TemporalSession,
  run: RunHandle,
): Promise<Watched> {
  const left = new AbortController();
  const leave = () => left.abort();
  // Not `once`: whoever restores the cursor ends the process where nobody else listens any more.
  process.on('SIGINT', leave);
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

/** What activities use of Temporal, kept in one place so that drivers can also be run outside of it. */
import { activityInfo, Context } from '@temporalio/activity';
import type { Progress } from '../src/model/run.js';

/** What a heartbeat carries: how far the work is, for people, and where the next attempt goes on, for itself. */
interface Beat extends Progress {
  readonly resume?: unknown;
}

const lastProgress = new WeakMap<Context, Beat>();

function currentContext(): Context | undefined {
  try {
    return Context.current();
  } catch {
    return undefined;
  }
}

/** Aborted when the run cancels the step, when the attempt is superseded, or when the worker shuts down. */
export function activitySignal(): AbortSignal {
  return currentContext()?.cancellationSignal ?? new AbortController().signal;
}

/** Shows progress to whoever watches, and tells Temporal that the work is alive. */
export function reportProgress(progress: Progress): void {
  const context = currentContext();
  if (context === undefined) return;
  const { resume } = lastBeat(context) ?? {};
  const beat: Beat = resume === undefined ? progress : { ...progress, resume };
  lastProgress.set(context, beat);
  context.heartbeat(beat);
}

/**
 * Keeps where the next attempt goes on if this one ends before its time. It is small and plain JSON.
 *
 * @param progress how far the work is then
 */
export function keepResumePoint(resume: unknown, progress: Progress): void {
  const context = currentContext();
  if (context === undefined) return;
  lastProgress.set(context, { ...progress, resume });
  context.heartbeat(lastProgress.get(context));
}

/** What an earlier attempt of this activity has kept; undefined: begin at the beginning. */
export function resumePoint(): unknown {
  const context = currentContext();
  return context === undefined ? undefined : lastBeat(context)?.resume;
}

/** Tells Temporal that the work is alive without losing what was last said about its progress. */
export function repeatHeartbeat(context: Context): void {
  context.heartbeat(lastBeat(context));
}

/** What this attempt has said last; before that, what an earlier one has: a sign of life must not wipe out where to go on. */
function lastBeat(context: Context): Beat | undefined {
  const said = lastProgress.get(context);
  if (said !== undefined) return said;
  const details: unknown = context.info.heartbeatDetails;
  return typeof details === 'object' && details !== null ? (details as Beat) : undefined;
}

/** From 1; more than 1 means that an earlier attempt may have had its effect. */
export function attempt(): number {
  return currentContext() === undefined ? 1 : activityInfo().attempt;
}

/** When the work was asked for: the same for all attempts, so that what is named after it is found again. */
export function scheduledAt(): Date {
  return currentContext() === undefined ? new Date() : new Date(activityInfo().scheduledTimestampMs);
}

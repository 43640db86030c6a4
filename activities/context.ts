/** What activities use of Temporal, kept in one place so that drivers can also be run outside of it. */
import { activityInfo, Context } from '@temporalio/activity';
import type { Progress } from '../src/model/run.js';

const lastProgress = new WeakMap<Context, Progress>();

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
  lastProgress.set(context, progress);
  context.heartbeat(progress);
}

/** Tells Temporal that the work is alive without losing what was last said about its progress. */
export function repeatHeartbeat(context: Context): void {
  context.heartbeat(lastProgress.get(context));
}

/** From 1; more than 1 means that an earlier attempt may have had its effect. */
export function attempt(): number {
  return currentContext() === undefined ? 1 : activityInfo().attempt;
}

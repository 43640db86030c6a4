/** What activities use of Temporal, kept in one place so that drivers can also be run outside of it. */
import { activityInfo, Context, heartbeat } from '@temporalio/activity';
import type { Progress } from '../src/model/run.js';

function inActivity(): boolean {
  try {
    Context.current();
    return true;
  } catch {
    return false;
  }
}

/** Aborted when the run cancels the step, when the attempt is superseded, or when the worker shuts down. */
export function activitySignal(): AbortSignal {
  return inActivity() ? Context.current().cancellationSignal : new AbortController().signal;
}

/** Shows progress to whoever watches, and tells Temporal that the work is alive. */
export function reportProgress(progress: Progress): void {
  if (inActivity()) heartbeat(progress);
}

/** From 1; more than 1 means that an earlier attempt may have had its effect. */
export function attempt(): number {
  return inActivity() ? activityInfo().attempt : 1;
}

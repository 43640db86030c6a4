import type { RunView } from '../model/run.js';
import { type ExitCode, exitCodes } from './context.js';

/** A run's exit code: what a script wants to know of it. */
export function exitCodeOf(view: RunView): ExitCode {
  if (view.status === 'recovered') return exitCodes.done;
  if (view.status === 'aborted' || view.status === 'failed') return exitCodes.failed;
  return view.openDecisions.length > 0 ? exitCodes.waits : exitCodes.done;
}

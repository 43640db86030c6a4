/**
 * Keeps a run replayable that was asked how it stands while it waited for a worker.
 *
 * Such a question (query) is handed to the worker with all of the history, also with what has happened since the last workflow
 * task. The SDK works on that at once, before the workflow task that is due; when that comes, it brings only the rest, for
 * instance a decision. A replay has both at once and takes the decision first: from then on the run would be stuck with a
 * nondeterminism error. So that workflow task is failed, once: the worker forgets the run, is handed the task again at once with
 * the whole history, and does it in the order of a replay.
 *
 * Source: `find_end_index_of_next_wft_seq` and `apply_next_wft_from_history` of the SDK's core, 1.24.
 */
import { type WorkflowInterceptors, workflowInfo } from '@temporalio/workflow';

export function interceptors(): WorkflowInterceptors {
  let seen = { length: 0, size: 0 };
  let ahead = false;
  return {
    internals: [
      {
        activate(input, next) {
          // The size is that at the beginning of the last workflow task, and 0 where an old server does not tell it.
          const { historyLength: length, historySize: size } = workflowInfo();
          if (ahead && size !== seen.size) {
            throw new Error(
              'Asked before its workflow task had come: this task is done again from the beginning.',
            );
          }
          ahead ||= size !== 0 && length > seen.length && size === seen.size;
          seen = { length, size };
          next(input);
        },
      },
    ],
  };
}

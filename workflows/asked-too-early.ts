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

/** A question that comes by itself, not beside a workflow task. */
const BY_ITSELF = 'legacy_query';

export function interceptors(): WorkflowInterceptors {
  let seen = { length: 0, size: 0 };
  /** What was done last came without a workflow task, or with one that began in the moment in which the last one ended. */
  let unsure = false;
  let ahead = false;
  return {
    internals: [
      {
        activate(input, next) {
          const questions = (input.activation.jobs ?? []).flatMap(({ queryWorkflow }) => queryWorkflow ?? []);
          if (questions.length > 0) {
            ahead ||= unsure && questions.some(({ queryId }) => queryId === BY_ITSELF);
            next(input);
            return;
          }
          // The size is that at the beginning of the last workflow task, and 0 where an old server does not tell it.
          const { historyLength: length, historySize: size, unsafe } = workflowInfo();
          if (ahead && size !== seen.size) {
            throw new Error(
              'Asked before its workflow task had come: this task is done again from the beginning.',
            );
          }
          if (length > seen.length) unsure = !unsafe.isReplaying && size !== 0 && size === seen.size;
          seen = { length, size };
          next(input);
        },
      },
    ],
  };
}

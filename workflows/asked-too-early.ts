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
import { type ConcludeActivationInput, type WorkflowInterceptors, workflowInfo } from '@temporalio/workflow';
import { TaskWatch } from './engine/task-watch.js';

/** A question that comes by itself, not beside a workflow task. */
const BY_ITSELF = 'legacy_query';

export function interceptors(): WorkflowInterceptors {
  const tasks = new TaskWatch();
  return {
    internals: [
      {
        activate(input, next) {
          const questions = (input.activation.jobs ?? []).flatMap(({ queryWorkflow }) => queryWorkflow ?? []);
          if (questions.some(({ queryId }) => queryId === BY_ITSELF)) tasks.asked();
          const { historyLength: length, historySize: size, unsafe } = workflowInfo();
          if (questions.length === 0 && tasks.wasAhead({ length, size, replaying: unsafe.isReplaying })) {
            throw new Error(
              'Asked before its workflow task had come: this task is done again from the beginning.',
            );
          }
          next(input);
        },
        concludeActivation(input, next) {
          const output = next(input);
          tasks.answered(eventsOf(output.commands));
          return output;
        },
      },
    ],
  };
}

/** How many events these commands make at least: a timer that is called off in the same breath makes none. */
function eventsOf(commands: ConcludeActivationInput['commands']): number {
  const timers = new Set<number | null | undefined>();
  let count = 0;
  for (const { startTimer, cancelTimer, ...command } of commands) {
    if (startTimer) timers.add(startTimer.seq);
    if (cancelTimer) timers.delete(cancelTimer.seq);
    const { scheduleActivity, upsertWorkflowSearchAttributes, updateResponse } = command;
    if (scheduleActivity || upsertWorkflowSearchAttributes || updateResponse?.accepted) count += 1;
  }
  return count + timers.size;
}

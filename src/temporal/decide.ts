/** Decisions of people, sent to a run as the update `decide`. */
import { createHash, randomUUID } from 'node:crypto';
import {
  isGrpcServiceError,
  WorkflowNotFoundError,
  WorkflowUpdateFailedError,
  WorkflowUpdateRPCTimeoutOrCancelledError,
} from '@temporalio/client';
import { messageOf, RefusedError, TransientError } from '../errors.js';
import type { Decision, DecisionAnswer } from '../model/decision.js';
import type { OpenDecision } from '../model/run.js';
import type { TemporalSession } from './connection.js';
import type { RunHandle } from './runs.js';

const ANSWER_MS = 15_000;
/** What is changed is looked up, and what was made before is moved, before it is accepted. */
const ANSWER_WITH_CHANGE_MS = 5 * 60_000;

/**
 * Sends a decision and waits for its answer. Sent twice for the same opening of a gate or failure, it counts once.
 *
 * @param opening what the decision is about, as it was seen; its time tells one opening from the next
 * @param taken how many decisions the run had taken when it was looked at: a hold after a hold and a resume is another one
 * @throws RefusedError `DecisionRefused` with the run's reason; `RunOver` when the run has ended
 * @throws TransientError `DecisionUnanswered`: it was sent and may still count; `RunStumbles`: it was not taken
 */
export async function decide(
  session: TemporalSession,
  run: RunHandle,
  decision: Decision,
  opening: OpenDecision | undefined,
  taken = 0,
): Promise<DecisionAnswer> {
  const handle = session.client.workflow.getHandle(run.workflowId, run.temporalRunId);
  const patienceMs = decision.change === undefined ? ANSWER_MS : ANSWER_WITH_CHANGE_MS;
  const send = (updateId: string) =>
    handle.executeUpdate<DecisionAnswer, [Decision]>('decide', { args: [decision], updateId });
  const updateId = updateIdOf(run, decision, opening, taken);
  try {
    return await session.connection.withDeadline(Date.now() + patienceMs, () =>
      send(updateId).catch((error: unknown) => {
        if (!wasPassedOver(error)) throw error;
        return send(`${updateId}-again`);
      }),
    );
  } catch (error) {
    throw notAccepted(run, decision, error, patienceMs);
  }
}

/**
 * Whether the worker answered the task that carried the decision without having seen it, as happens when a task is done again
 * after a restart. The run knows nothing of it then, and Temporal repeats that answer to the same update ID.
 */
function wasPassedOver(error: unknown): boolean {
  return (
    error instanceof WorkflowUpdateFailedError &&
    messageOf(error.cause).includes("wasn't processed by worker")
  );
}

function updateIdOf(
  run: RunHandle,
  decision: Decision,
  opening: OpenDecision | undefined,
  taken: number,
): string {
  const { on, choice, by, reason, change, to, proof } = decision;
  // Refused for what was found out meanwhile, it may be accepted when that is mended: Temporal would repeat the refusal. The
  // run itself tells the second of two.
  if (change !== undefined || choice === 'override') return `${choice}-${on}-${randomUUID()}`;
  const content = JSON.stringify([
    run.temporalRunId,
    on,
    choice,
    by,
    reason,
    change,
    to,
    proof?.at,
    opening?.since,
    taken,
  ]);
  return `${choice}-${on}-${createHash('sha256').update(content).digest('hex').slice(0, 16)}`;
}

function notAccepted(run: RunHandle, decision: Decision, error: unknown, patienceMs: number): Error {
  const { on, choice } = decision;
  const what = choice === 'abort' ? `abort ${run.system}` : `${choice} ${on}`;
  if (error instanceof WorkflowUpdateFailedError) {
    return new RefusedError('DecisionRefused', `Not accepted: ${messageOf(error.cause ?? error)}`, {
      next: `See what is possible with muster status ${run.system}.`,
      cause: error,
    });
  }
  if (error instanceof WorkflowNotFoundError) {
    return new RefusedError('RunOver', `The run of ${run.system} is over; nothing can be decided any more.`, {
      next: `See how it ended with muster status ${run.system}.`,
      cause: error,
    });
  }
  if (error instanceof WorkflowUpdateRPCTimeoutOrCancelledError) {
    return new TransientError(
      'DecisionUnanswered',
      `The decision to ${what} was sent and not answered within ${patienceMs / 1000} s. It may still count.`,
      {
        why: 'No worker answers for this run just now, or it is busy.',
        next: `Look whether a worker runs, then give the same command again: it counts once. muster watch ${run.system} shows what the run knows.`,
        cause: error,
      },
    );
  }
  // 9 is FAILED_PRECONDITION: Temporal gives a run that its worker stumbles over nothing new.
  if (error instanceof Error && isGrpcServiceError(error.cause) && error.cause.code === 9) {
    return new TransientError(
      'RunStumbles',
      `The decision to ${what} was not taken: the worker fails at this run, and tries again and again.`,
      {
        why: messageOf(error.cause),
        next: `Nothing is lost, the run goes on once it can. Look into the worker's log, or at the last event in Temporal (muster status ${run.system} names the page); the worker has to be of the version that began the run. Then give the same command again.`,
        cause: error,
      },
    );
  }
  return error instanceof Error ? error : new Error(String(error));
}

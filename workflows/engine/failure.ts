import { type ActivityFailure, ApplicationFailure, TimeoutFailure } from '@temporalio/workflow';
import type { FailureView } from '../../src/model/run.js';

/** The details that Muster's activities give their failures. */
interface FailureDetails {
  readonly next?: string;
  readonly why?: string;
  readonly nothingDone?: boolean;
}

/** Far beyond what a person reads; a tool gone wrong may say much more, and a view has to fit into a message. */
const MOST_CHARACTERS = 4_000;

function short(text: string): string {
  return text.length <= MOST_CHARACTERS ? text : `${text.slice(0, MOST_CHARACTERS)}…`;
}

/**
 * What a commander is told about an activity that failed for good.
 * @param begun how often the step was begun
 */
export function describeFailure(failure: ActivityFailure, at: number, begun: number): FailureView {
  const { cause } = failure;
  const common = { at: new Date(at).toISOString(), attempts: begun };
  if (cause instanceof ApplicationFailure) {
    const details = (cause.details?.[0] ?? {}) as FailureDetails;
    return {
      ...common,
      code: cause.type ?? 'Unknown',
      message: short(details.why === undefined ? cause.message : `${cause.message} ${details.why}`),
      ...(details.nothingDone === true ? { nothingDone: true } : {}),
      next: details.next ?? 'Look at the run in the Temporal UI, mend the cause, then retry the step.',
    };
  }
  if (cause instanceof TimeoutFailure) {
    return {
      ...common,
      code: 'TimedOut',
      message: `${failure.activityType} did not finish in time (${cause.message}).`,
      next: 'See whether a worker runs and whether its host is alive, then retry the step.',
    };
  }
  return {
    ...common,
    code: 'Unknown',
    message: short(cause?.message ?? failure.message),
    next: 'Look at the run in the Temporal UI, mend the cause, then retry the step.',
  };
}

/** What every activity gets without a line of its own: a heartbeat, and failures that Temporal and people understand. */
import { ApplicationFailure, CancelledFailure, type Context } from '@temporalio/activity';
import type {
  ActivityExecuteInput,
  ActivityInboundCallsInterceptor,
  ActivityInterceptors,
  Next,
} from '@temporalio/worker';
import { MusterError, messageOf, PermanentError } from '../src/errors.js';
import type { Logger } from '../src/log.js';
import { repeatHeartbeat } from './context.js';

/** Well below the heartbeat timeout of 10 s, so that a busy worker is not taken for a dead one; tells of a cancellation too. */
const HEARTBEAT_EVERY_MS = 1_000;

/** @returns the factory to hand to the worker's `interceptors.activity` */
export function activityInterceptor(log: Logger): (context: Context) => ActivityInterceptors {
  return (context) => ({ inbound: new Inbound(context, log) });
}

class Inbound implements ActivityInboundCallsInterceptor {
  constructor(
    private readonly context: Context,
    private readonly log: Logger,
  ) {}

  async execute(input: ActivityExecuteInput, next: Next<ActivityInboundCallsInterceptor, 'execute'>) {
    const { activityType, activityId, attempt } = this.context.info;
    const alive = setInterval(() => repeatHeartbeat(this.context), HEARTBEAT_EVERY_MS);
    try {
      return await next(input);
    } catch (error) {
      // Whatever breaks once work is told to stop is what the stopping broke: no failure of the step.
      if (this.context.cancellationSignal.aborted) throw asCancelled(error);
      this.log.warn({ activityType, activityId, attempt, error: messageOf(error) }, 'activity failed');
      throw toFailure(error);
    } finally {
      clearInterval(alive);
    }
  }
}

function asCancelled(error: unknown): CancelledFailure {
  return error instanceof CancelledFailure ? error : new CancelledFailure(messageOf(error));
}

/**
 * The detail `retryAfterMs`, where an error has one, is how long the other side asks to be left alone.
 *
 * @returns what the workflow sees: the typed code, what to do next, and whether trying again can help
 */
export function toFailure(error: unknown): unknown {
  if (!(error instanceof MusterError)) return error;
  return ApplicationFailure.create({
    message: error.message,
    type: error.code,
    nonRetryable: error instanceof PermanentError,
    ...(typeof error.details.retryAfterMs === 'number' ? { nextRetryDelay: error.details.retryAfterMs } : {}),
    details: [{ next: error.next, ...(error.why === undefined ? {} : { why: error.why }), ...error.details }],
    ...(error.cause instanceof Error ? { cause: error.cause } : {}),
  });
}

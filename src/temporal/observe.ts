/** One look at a run: what it says of itself, what its activities report, and who does not answer. */
import {
  isGrpcServiceError,
  QueryNotRegisteredError,
  WorkflowFailedError,
  WorkflowNotFoundError,
} from '@temporalio/client';
import { messageOf } from '../errors.js';
import type { RunResult, RunView } from '../model/run.js';
import type { TemporalSession } from './connection.js';
import { readActivity, type StepActivity } from './progress.js';
import type { RunHandle } from './runs.js';

/** A look that takes longer counts as no answer. */
const LOOK_MS = 4_000;

export interface Look {
  /** Absent when the run did not answer. */
  readonly view?: RunView;
  /** What every step put out; known once the run has ended by itself. */
  readonly outputs?: RunResult['outputs'];
  readonly activity?: Readonly<Record<string, StepActivity>>;
  /** Why something is missing, in words for the commander. */
  readonly trouble?: string;
  /** The workflow was ended from outside (terminated, failed, timed out): the run did not end by itself. */
  readonly brokenOff?: string;
}

/** Never throws: whoever watches goes on watching. */
export async function lookAt(session: TemporalSession, run: RunHandle): Promise<Look> {
  const { client, connection, target } = session;
  const handle = client.workflow.getHandle(run.workflowId, run.temporalRunId);
  const begun = Date.now();
  // Never left unanswered: a call that is still being tried again when the session is closed ends the process.
  const ask = (deadline: number) =>
    settled(connection.withDeadline(deadline, () => handle.query<RunView>('status')));
  const described = await settled(connection.withDeadline(begun + LOOK_MS, () => handle.describe()));
  if (described.status === 'rejected') {
    const gone = described.reason instanceof WorkflowNotFoundError;
    const asked = await ask(begun + LOOK_MS);
    return {
      ...(asked.status === 'fulfilled' ? { view: asked.value } : {}),
      trouble: gone
        ? `Temporal at ${target.address} does not know this run any more`
        : `Temporal at ${target.address} does not answer (${shortReason(described.reason)})`,
    };
  }
  const { name } = described.value.status;
  if (name !== 'RUNNING') {
    // What a closed run says lasts in its result: no worker is needed to read it.
    const result = await resultOf(session, run);
    if (result !== undefined) return { ...result, activity: {} };
    const asked = await ask(Date.now() + LOOK_MS);
    const view = asked.status === 'fulfilled' ? { view: asked.value } : {};
    return { ...view, activity: {}, brokenOff: await howItBroke(session, run, name) };
  }
  const reading = readActivity(client.options.loadedDataConverter, described.value);
  // A run whose task was lost is not asked: it would answer from a state that its history does not have yet.
  const attempt = described.value.raw.pendingWorkflowTask?.attempt ?? 1;
  if (attempt > 1) {
    return {
      activity: await reading,
      trouble: `the worker of this run does not answer (its workflow task was lost and is given again, attempt ${attempt})`,
    };
  }
  const [activity, asked] = await Promise.all([reading, ask(Date.now() + LOOK_MS)]);
  if (asked.status === 'fulfilled') return { view: asked.value, activity };
  return { activity, trouble: `the worker of this run does not answer (${shortReason(asked.reason)})` };
}

async function settled<T>(work: Promise<T>): Promise<PromiseSettledResult<T>> {
  const [outcome] = await Promise.allSettled([work]);
  return outcome;
}

async function resultOf(session: TemporalSession, run: RunHandle): Promise<RunResult | undefined> {
  try {
    const handle = session.client.workflow.getHandle(run.workflowId, run.temporalRunId);
    const result = await session.connection.withDeadline(Date.now() + LOOK_MS, () => handle.result());
    return result as RunResult;
  } catch {
    return undefined;
  }
}

async function howItBroke(session: TemporalSession, run: RunHandle, status: string): Promise<string> {
  const words = status.toLowerCase().replaceAll('_', ' ');
  try {
    const handle = session.client.workflow.getHandle(run.workflowId, run.temporalRunId);
    await session.connection.withDeadline(Date.now() + LOOK_MS, () => handle.result());
    return words;
  } catch (error) {
    return error instanceof WorkflowFailedError && error.cause !== undefined
      ? `${words}: ${messageOf(error.cause)}`
      : words;
  }
}

function shortReason(error: unknown): string {
  if (error instanceof QueryNotRegisteredError) return 'its workflow has not begun to run';
  if (isGrpcServiceError(error)) return error.details || error.message;
  const cause = (error as { cause?: unknown } | undefined)?.cause;
  if (isGrpcServiceError(cause)) {
    return cause.code === 4 ? `no answer within ${LOOK_MS / 1000} s` : cause.details || cause.message;
  }
  return messageOf(error);
}

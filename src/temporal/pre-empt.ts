/** A real recovery goes first: a drill of the same system gives way to it. */
import { WorkflowNotFoundError } from '@temporalio/client';
import type { PreEmption } from '../../workflows/engine/messages.js';
import { messageOf } from '../errors.js';
import type { TemporalSession } from './connection.js';
import { CALL_MS, findRun } from './runs.js';

export interface PreEmpted {
  /** Muster's id of the drill, or its workflow. */
  readonly drill: string;
  /** Why it could not be told; it goes on beside the real run then. */
  readonly problem?: string;
}

/**
 * Asks an active drill of the system to end and to undo what it made. Never throws: the real run goes on in any case.
 * @returns undefined when there is none
 */
export async function preEmptDrill(
  session: TemporalSession,
  system: string,
  by: PreEmption,
): Promise<PreEmpted | undefined> {
  let drill = `the drill of ${system}`;
  try {
    const found = await findRun(session, system, 'drill');
    if (found?.active !== true) return undefined;
    drill = found.runId ?? found.workflowId;
    await session.connection.withDeadline(Date.now() + CALL_MS, () =>
      session.client.workflow.getHandle(found.workflowId, found.temporalRunId).signal('preEmpt', by),
    );
    return { drill };
  } catch (error) {
    // It has ended by itself meanwhile.
    return error instanceof WorkflowNotFoundError ? undefined : { drill, problem: messageOf(error) };
  }
}

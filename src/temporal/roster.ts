/** The runbook that a run was begun with, as far as people are concerned: read from its own input, wherever its file is. */
import type { Payload } from '@temporalio/common';
import type { RunInput } from '../model/run.js';
import type { Runbook } from '../runbook/schema.js';
import type { TemporalSession } from './connection.js';
import { CALL_MS, type RunHandle } from './runs.js';

export type RosterOfRun = Pick<Runbook, 'people' | 'breakGlass'>;

/** @returns undefined where Temporal does not give it: nobody is kept from deciding by that */
export async function rosterOf(session: TemporalSession, run: RunHandle): Promise<RosterOfRun | undefined> {
  const { client, connection } = session;
  try {
    const { history } = await connection.withDeadline(Date.now() + CALL_MS, () =>
      client.workflowService.getWorkflowExecutionHistory({
        namespace: client.options.namespace,
        execution: { workflowId: run.workflowId, runId: run.temporalRunId },
        maximumPageSize: 1,
      }),
    );
    const started = history?.events?.[0]?.workflowExecutionStartedEventAttributes;
    const input = await decoded(session, started?.input?.payloads?.[0]);
    return (input as RunInput<Runbook, unknown> | undefined)?.runbook;
  } catch {
    return undefined;
  }
}

async function decoded(session: TemporalSession, payload: Payload | null | undefined): Promise<unknown> {
  if (!payload) return undefined;
  const { payloadCodecs, payloadConverter } = session.client.options.loadedDataConverter;
  let payloads = [payload];
  for (const codec of [...payloadCodecs].reverse()) payloads = await codec.decode(payloads);
  return payloads[0] && payloadConverter.fromPayload(payloads[0]);
}

/** Recoveries of several systems together: begin one, find one, look at it. */
import { RefusedError } from '../errors.js';
import type { RecoverAllInput, RecoverAllView } from '../model/recover-all.js';
import { searchAttributes } from '../model/search-attributes.js';
import { TASK_QUEUE } from '../model/task-queue.js';
import type { TemporalSession } from './connection.js';
import { CALL_MS, cutBytes } from './runs.js';

export const RECOVER_ALL = 'recoverAll';

export interface Undertaking {
  readonly workflowId: string;
  readonly temporalRunId: string;
  readonly active: boolean;
}

/** What one payload may hold at most in Temporal, with room for what is around it. */
const MOST_BYTES = 1_800_000;

/**
 * @throws RefusedError `TooManyAtOnce` when their runbooks do not fit into one message
 */
export async function startTogether<Runbook>(
  session: TemporalSession,
  input: RecoverAllInput<Runbook>,
  taskQueue: string = TASK_QUEUE,
): Promise<Undertaking> {
  const { id, scenario, mode, requestedBy, systems } = input;
  const bytes = Buffer.byteLength(JSON.stringify(input));
  if (bytes > MOST_BYTES) {
    throw new RefusedError(
      'TooManyAtOnce',
      `The runbooks of ${systems.length} systems are too large to be begun together.`,
      {
        next: 'Name the systems, in two commands.',
      },
    );
  }
  const names = systems.map(({ system }) => system).join(', ');
  const handle = await session.connection.withDeadline(Date.now() + CALL_MS, () =>
    session.client.workflow.start(RECOVER_ALL, {
      workflowId: id,
      taskQueue,
      args: [input],
      memo: { requestedBy },
      staticSummary: cutBytes(`${scenario}, ${mode}: ${names}`, 200),
      typedSearchAttributes: [
        { key: searchAttributes.scenario, value: scenario },
        { key: searchAttributes.mode, value: mode },
        { key: searchAttributes.status, value: 'running' },
      ],
    }),
  );
  return { workflowId: id, temporalRunId: handle.firstExecutionRunId, active: true };
}

/** The one that runs and was begun last; else the one that was begun last. */
export async function findTogether(session: TemporalSession): Promise<Undertaking | undefined> {
  const { client } = session;
  for (const running of [` AND ExecutionStatus = 'Running'`, '']) {
    const query = `WorkflowType = '${RECOVER_ALL}'${running}`;
    for await (const { workflowId, runId, status } of client.workflow.list({ query })) {
      return { workflowId, temporalRunId: runId, active: status.name === 'RUNNING' };
    }
  }
  return undefined;
}

/** @throws Error when no worker answers; whoever watches tries again */
export function lookTogether(
  { client, connection }: TemporalSession,
  { workflowId, temporalRunId }: Undertaking,
): Promise<RecoverAllView> {
  const handle = client.workflow.getHandle(workflowId, temporalRunId);
  return connection.withDeadline(Date.now() + CALL_MS, () => handle.query<RecoverAllView>('status'));
}

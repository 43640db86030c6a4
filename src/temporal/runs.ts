/** Runs in Temporal: begin one, find one, list those that are active. */
import {
  WorkflowExecutionAlreadyStartedError,
  type WorkflowExecutionInfo,
  WorkflowNotFoundError,
} from '@temporalio/client';
import { RefusedError } from '../errors.js';
import type { Mode, RunInput } from '../model/run.js';
import { searchAttributes } from '../model/search-attributes.js';
import { TASK_QUEUE } from '../model/task-queue.js';
import type { TemporalSession } from './connection.js';
import { workflowIdOf } from './names.js';

/** Every look-up has a deadline: a server that is away must not hold a command. */
export const CALL_MS = 5_000;

/** Where a run lives in Temporal. */
export interface RunHandle {
  readonly workflowId: string;
  readonly temporalRunId: string;
  readonly system: string;
  readonly mode: Mode;
  /** Whether its workflow is open. */
  readonly active: boolean;
  /** Temporal's word for how the workflow stands: `RUNNING`, `COMPLETED`, `TERMINATED`... */
  readonly workflowStatus: string;
  /** ISO 8601. */
  readonly startedAt: string;
  /** Muster's id of the run and who asked for it; absent for a workflow that was not started by Muster. */
  readonly runId?: string;
  readonly requestedBy?: string;
}

/** Kept with the workflow, readable without a worker. */
interface RunMemo {
  readonly runId: string;
  readonly requestedBy: string;
  readonly system: string;
  readonly mode: Mode;
}

export interface RunToStart<Runbook, Params> {
  readonly system: string;
  readonly scenario: string;
  readonly input: RunInput<Runbook, Params>;
  /** What the web interface shows in lists, 200 bytes at most. */
  readonly summary: string;
  /** Markdown, what the web interface shows of the run. */
  readonly details: string;
  /** ISO 8601. */
  readonly rtoDeadline: string;
  readonly taskQueue?: string;
}

/**
 * Begins a run.
 *
 * @throws RefusedError `RunActive` when the system has an active run of this mode: it names the run and who started it
 */
export async function startRun<Runbook, Params>(
  session: TemporalSession,
  run: RunToStart<Runbook, Params>,
): Promise<RunHandle> {
  const { system, scenario, input } = run;
  const { mode, runId, requestedBy } = input;
  const workflowId = workflowIdOf(system, mode);
  const memo: RunMemo = { runId, requestedBy, system, mode };
  try {
    const handle = await session.connection.withDeadline(Date.now() + CALL_MS, () =>
      session.client.workflow.start(scenario, {
        workflowId,
        taskQueue: run.taskQueue ?? TASK_QUEUE,
        args: [input],
        workflowIdConflictPolicy: 'FAIL',
        workflowIdReusePolicy: 'ALLOW_DUPLICATE',
        memo: { ...memo },
        staticSummary: cutBytes(run.summary, 200),
        staticDetails: run.details,
        typedSearchAttributes: [
          { key: searchAttributes.system, value: system },
          { key: searchAttributes.scenario, value: scenario },
          { key: searchAttributes.mode, value: mode },
          { key: searchAttributes.status, value: 'running' },
          { key: searchAttributes.rtoDeadline, value: new Date(run.rtoDeadline) },
        ],
      }),
    );
    return {
      workflowId,
      temporalRunId: handle.firstExecutionRunId,
      system,
      mode,
      active: true,
      workflowStatus: 'RUNNING',
      startedAt: new Date().toISOString(),
      runId,
      requestedBy,
    };
  } catch (error) {
    if (!(error instanceof WorkflowExecutionAlreadyStartedError)) throw error;
    throw alreadyActive(system, mode, await findRun(session, system, mode), error);
  }
}

/**
 * Looks whether a run of this mode is active, before anybody is asked anything. Temporal refuses a second one in any case.
 * @throws RefusedError `RunActive`
 */
export async function refuseSecondRun(session: TemporalSession, system: string, mode: Mode): Promise<void> {
  const found = await findRun(session, system, mode);
  if (found?.active === true) throw alreadyActive(system, mode, found, undefined);
}

function alreadyActive(
  system: string,
  mode: Mode,
  found: RunHandle | undefined,
  cause: unknown,
): RefusedError {
  const who =
    found?.requestedBy === undefined ? '' : `, started by ${found.requestedBy} at ${found.startedAt}`;
  const name = found?.runId ?? workflowIdOf(system, mode);
  return new RefusedError(
    'RunActive',
    `${system} has an active ${mode} run: ${name}${who}. No second one was started.`,
    {
      next: `See it with muster watch ${system}; end it with muster abort ${system} if it is the wrong one.`,
      cause,
      details: { system, mode, runId: name },
    },
  );
}

/**
 * The run of a system: the active one, the real one first; else the one that was started last.
 * @returns undefined when there never was one that Temporal remembers
 */
export async function findRun(
  session: TemporalSession,
  system: string,
  mode?: Mode,
): Promise<RunHandle | undefined> {
  const modes: readonly Mode[] = mode === undefined ? ['real', 'drill'] : [mode];
  const found = (
    await Promise.all(modes.map((each) => describe(session, workflowIdOf(system, each))))
  ).filter((handle) => handle !== undefined);
  const latestFirst = [...found].sort((a, b) => b.startedAt.localeCompare(a.startedAt));
  return found.find((handle) => handle.active) ?? latestFirst[0];
}

/** The run with this id of Muster's, among the last five hundred that Temporal remembers. */
export async function findRunById(session: TemporalSession, runId: string): Promise<RunHandle | undefined> {
  let looked = 0;
  for await (const handle of list(session, `${searchAttributes.system.name} IS NOT NULL`)) {
    looked += 1;
    if (handle.runId === runId) return handle;
    if (looked >= 500) return undefined;
  }
  return undefined;
}

/** Active runs, oldest first. A run that was started in this second may be missing: Temporal's index lags a little. */
export async function activeRuns(session: TemporalSession): Promise<RunHandle[]> {
  const found: RunHandle[] = [];
  const query = `${searchAttributes.system.name} IS NOT NULL AND ExecutionStatus = 'Running'`;
  for await (const handle of list(session, query)) found.push(handle);
  return found.sort((a, b) => a.startedAt.localeCompare(b.startedAt));
}

async function* list(session: TemporalSession, query: string): AsyncGenerator<RunHandle> {
  try {
    for await (const info of session.client.workflow.list({ query })) yield handleOf(info);
  } catch (error) {
    // Before the first worker has run the attributes are unknown, and there are no runs.
    if (isInvalidQuery(error)) return;
    throw error;
  }
}

function isInvalidQuery(error: unknown): boolean {
  const text = String((error as { cause?: { details?: unknown } }).cause?.details ?? error);
  return /invalid query|is not defined|unable to parse/i.test(text);
}

async function describe(session: TemporalSession, workflowId: string): Promise<RunHandle | undefined> {
  try {
    return handleOf(
      await session.connection.withDeadline(Date.now() + CALL_MS, () =>
        session.client.workflow.getHandle(workflowId).describe(),
      ),
    );
  } catch (error) {
    if (error instanceof WorkflowNotFoundError) return undefined;
    throw error;
  }
}

type Described = Pick<WorkflowExecutionInfo, 'workflowId' | 'runId' | 'status' | 'startTime'> & {
  readonly memo?: Record<string, unknown> | undefined;
};

function handleOf(info: Described): RunHandle {
  const memo: Partial<RunMemo> = info.memo ?? {};
  const dot = info.workflowId.lastIndexOf('.');
  return {
    workflowId: info.workflowId,
    temporalRunId: info.runId,
    system: memo.system ?? info.workflowId.slice(0, dot),
    mode: memo.mode ?? (info.workflowId.endsWith('.drill') ? 'drill' : 'real'),
    active: info.status.name === 'RUNNING',
    workflowStatus: info.status.name,
    startedAt: info.startTime.toISOString(),
    ...(memo.runId === undefined ? {} : { runId: memo.runId }),
    ...(memo.requestedBy === undefined ? {} : { requestedBy: memo.requestedBy }),
  };
}

/** As much of a text as Temporal keeps of a summary. */
export function cutBytes(text: string, most: number): string {
  const bytes = Buffer.from(text);
  if (bytes.length <= most) return text;
  return `${bytes
    .subarray(0, most - 3)
    .toString()
    .replace(/\uFFFD+$/, '')}…`;
}

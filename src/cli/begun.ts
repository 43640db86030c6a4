/** A recovery that has begun: what gives way to it, and what is told of it. */
import type { RunInput, ScenarioParams } from '../model/run.js';
import type { Runbook } from '../runbook/schema.js';
import type { TemporalSession } from '../temporal/connection.js';
import { workflowIdOf } from '../temporal/names.js';
import { preEmptDrill } from '../temporal/pre-empt.js';
import type { RunHandle } from '../temporal/runs.js';
import { uiLink } from '../temporal/target.js';
import type { CliContext } from './context.js';
import type { Request } from './recovering.js';
import { watchRun } from './watching.js';

/** @returns the drill that gives way, if there is one */
export async function goFirst(
  context: CliContext,
  session: TemporalSession,
  { planned, mode, requestedBy }: Request,
  { runId }: RunInput<Runbook, ScenarioParams>,
): Promise<string | undefined> {
  if (mode !== 'real') return undefined;
  const { system } = planned.document;
  const found = await preEmptDrill(session, system, { runId, by: requestedBy });
  if (found?.problem !== undefined) {
    context.out.note(
      `${found.drill} was not told to give way: ${found.problem}. End it: muster abort ${system} --mode drill`,
    );
    return undefined;
  }
  if (found !== undefined)
    context.out.line(`Drill     ${found.drill} gives way: it ends and undoes what it made`);
  return found?.drill;
}

export interface Begun {
  readonly run: RunHandle;
  readonly preEmpted: string | undefined;
  readonly watch: boolean;
}

/** Says where the run is, watches it where that is wanted, and reports it to scripts. */
export async function report(
  context: CliContext,
  session: TemporalSession,
  { planned, mode, params, detectedAt, requestedBy }: Request,
  { run, preEmpted, watch }: Begun,
): Promise<void> {
  const { document, hash } = planned;
  const temporalUi = uiLink(session.target, run.workflowId, run.temporalRunId);
  context.out.line(`Begun     ${run.runId}`);
  context.out.line(`Workflow  ${workflowIdOf(document.system, mode)}, run ${run.temporalRunId}`);
  if (temporalUi !== undefined) context.out.line(`Temporal  ${temporalUi}`);
  const watched = watch ? await watchRun(context, session, run) : undefined;
  if (!watch) context.out.line(`Watch it  muster watch ${document.system}`);
  if (!context.out.json) return;
  const begun = {
    runId: run.runId,
    system: document.system,
    scenario: document.scenario,
    mode,
    requestedBy,
    before: params.before,
    detectedAt,
    rtoDeadline: new Date(Date.parse(detectedAt) + document.rtoMs).toISOString(),
    planHash: hash,
    workflowId: run.workflowId,
    temporalRunId: run.temporalRunId,
    temporalUi: temporalUi ?? null,
    preEmpted: preEmpted ?? null,
    ...(watched === undefined ? {} : { ended: watched.ended, run: watched.view ?? null }),
  };
  context.out.result(begun, () => '');
}

import type { RunView } from '../../src/model/run.js';
import { componentsOf } from './components.js';
import { openDecisions, steeringOf, whatAbortDoes } from './open-decisions.js';
import type { Run } from './run.js';

/** Everything about a run as it stands now; a copy, so that whoever reads it cannot change the run. */
export function viewOf<Params>(run: Run<Params>): RunView {
  const now = Date.now();
  const { plan, input } = run;
  const { document } = plan;
  return {
    runId: input.runId,
    system: document.system,
    systemTitle: input.runbook.title,
    scenario: document.scenario,
    component: document.component,
    serviceRestoredBy: document.serviceRestoredBy,
    mode: input.mode,
    status: run.status,
    requestedBy: input.requestedBy,
    commander: run.command.commander,
    ...(run.command.hold === undefined ? {} : { hold: run.command.hold }),
    overrides: [...run.command.overrides],
    steering: run.ended === undefined ? steeringOf(run) : [],
    undelivered: run.notices.undelivered,
    ...(input.adoption === undefined ? {} : { adopted: { by: input.adoption.by, at: input.adoption.at } }),
    planHash: input.planHash,
    asOf: new Date(now).toISOString(),
    clock: run.clock.view(now),
    components: componentsOf(run),
    steps: run.steps.map((step) => step.view(now)),
    openDecisions: run.ended === undefined ? openDecisions(run) : [],
    warnings: [...run.warnings],
    pointOfNoReturnPassed: run.pointOfNoReturnPassed,
    ...(run.ended !== undefined || run.abortedBy !== undefined || run.pointOfNoReturnPassed
      ? {}
      : { abortDoes: whatAbortDoes(run) }),
    expectations: input.expectations,
    ...(run.ended === undefined ? {} : { endedAt: new Date(run.ended.at).toISOString() }),
    ...(run.abortedBy === undefined
      ? {}
      : { outcome: `aborted by ${run.abortedBy.by}: ${run.abortedBy.reason}` }),
  };
}

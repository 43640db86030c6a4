/** A run that was begun together with others tells the workflow that began it how it stands. */
import { getExternalWorkflowHandle, workflowInfo } from '@temporalio/workflow';
import type { RunReport } from '../../src/model/recover-all.js';
import type { RunView } from '../../src/model/run.js';
import { reportSignal } from './messages.js';

export class TellParent {
  private told = '';

  /** Does nothing in a run that was begun by itself. */
  tell(view: RunView): void {
    const { parent } = workflowInfo();
    if (parent === undefined) return;
    const report = reportOf(view);
    const text = JSON.stringify(report);
    if (text === this.told) return;
    this.told = text;
    // A parent that is over hears nothing any more; the run goes on all the same.
    void getExternalWorkflowHandle(parent.workflowId, parent.runId)
      .signal(reportSignal, report)
      .catch(() => undefined);
  }
}

export function reportOf(view: RunView): RunReport {
  const { runId, status, steps, openDecisions, hold, clock } = view;
  return {
    runId,
    status,
    works: steps.filter((step) => step.status === 'running').map(({ name }) => name),
    waits: openDecisions.map(({ gate, step, missing, roles, since }) => ({
      on: gate ?? step,
      failed: gate === undefined,
      whom: missing ?? (roles.length === 0 ? 'the commander' : roles.join(' or ')),
      since,
    })),
    held: hold !== undefined,
    ...(clock.actualMs === undefined ? {} : { backAfterMs: clock.actualMs }),
  };
}

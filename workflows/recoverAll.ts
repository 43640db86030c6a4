/**
 * Several systems at once: each is recovered by a run of its own, as if it had been begun alone, with its own clock, gates and
 * report. This workflow only begins them in their order, so that not more work at the same time than there is room for.
 */
import { WorkflowExecutionAlreadyStartedError } from '@temporalio/common';
import {
  CancellationScope,
  ChildWorkflowCancellationType,
  condition,
  ParentClosePolicy,
  setCurrentDetails,
  setHandler,
  startChild,
  upsertSearchAttributes,
  WorkflowIdReusePolicy,
} from '@temporalio/workflow';
import { messageOf } from '../src/errors.js';
import type { RecoverAllInput, RecoverAllView, SystemToRecover } from '../src/model/recover-all.js';
import type { RunResult } from '../src/model/run.js';
import { searchAttributes } from '../src/model/search-attributes.js';
import type { Runbook } from '../src/runbook/schema.js';
import { recoverAllStatusQuery, reportSignal } from './engine/messages.js';
import { nextToBegin } from './engine/order.js';
import { Together } from './engine/together.js';

/**
 * Returns when every system is over, or when it was called off and nothing more is begun: what runs then goes on by itself.
 *
 * @returns how each system stands at the end
 */
export async function recoverAll(input: RecoverAllInput<Runbook>): Promise<RecoverAllView> {
  const together = new Together(input);
  let calledOff = false;
  setHandler(recoverAllStatusQuery, () => together.view(), {
    description: 'How each system stands, and what waits for whom.',
  });
  setHandler(reportSignal, (report) => together.heard(report), { description: 'A run tells how it stands.' });
  // Searches for a system list its runs: the system is left out here.
  upsertSearchAttributes([
    { key: searchAttributes.mode, value: input.mode },
    { key: searchAttributes.scenario, value: input.scenario },
    { key: searchAttributes.status, value: 'running' },
  ]);
  const { cancelRequested } = CancellationScope.current();
  cancelRequested.catch(() => {
    calledOff = true;
    together.callOff();
  });
  return CancellationScope.nonCancellable(async () => {
    const next = () => (calledOff ? undefined : nextToBegin(together.ordered(), input.atOnce));
    for (;;) {
      setCurrentDetails(together.describe());
      await condition(() => together.changed || next() !== undefined || together.over);
      together.changed = false;
      const name = next();
      if (name !== undefined) await begin(input, together, name);
      else if (together.over) break;
    }
    const ended = together.end();
    const good = ended.systems.every(({ state }) => state === 'recovered');
    upsertSearchAttributes([{ key: searchAttributes.status, value: good ? 'recovered' : 'failed' }]);
    setCurrentDetails(together.describe());
    return ended;
  });
}

async function begin(
  { scenario, requestedBy }: RecoverAllInput<Runbook>,
  together: Together,
  name: string,
): Promise<void> {
  const one = together.toRecover(name);
  together.begins(name);
  try {
    const child = await startChild<(input: SystemToRecover<Runbook>['input']) => Promise<RunResult>>(
      scenario,
      {
        workflowId: together.workflowIdOf(name),
        args: [one.input],
        // A run never ends because the one that began it does.
        parentClosePolicy: ParentClosePolicy.ABANDON,
        cancellationType: ChildWorkflowCancellationType.ABANDON,
        workflowIdReusePolicy: WorkflowIdReusePolicy.ALLOW_DUPLICATE,
        memo: { runId: one.input.runId, requestedBy, system: name, mode: one.input.mode },
        staticSummary: one.summary,
        staticDetails: one.details,
        typedSearchAttributes: [
          { key: searchAttributes.system, value: name },
          { key: searchAttributes.scenario, value: scenario },
          { key: searchAttributes.mode, value: one.input.mode },
          { key: searchAttributes.status, value: 'running' },
          {
            key: searchAttributes.rtoDeadline,
            value: new Date(Date.parse(one.input.detectedAt) + one.targetMs),
          },
        ],
      },
    );
    void child.result().then(
      ({ view }) => together.ended(name, view),
      (error: unknown) => together.brokenOff(name, messageOf(error)),
    );
  } catch (error) {
    const active = error instanceof WorkflowExecutionAlreadyStartedError;
    together.refused(name, active ? 'it has an active run that was begun by itself' : messageOf(error));
  }
}

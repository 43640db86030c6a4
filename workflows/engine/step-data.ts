import type { StepData } from '../../src/model/journal-data.js';
import type { Run } from './run.js';
import type { StepState } from './step-state.js';

/** What a new server has to know of a step that has moved on. */
export function dataOf<Params>(run: Run<Params>, step: StepState<Params>): StepData {
  const now = Date.now();
  const { workingMs, waitingMs, actualMs } = run.clock.view(now);
  return {
    step: step.record(now),
    clock: { workingMs, waitingMs, ...(actualMs === undefined ? {} : { actualMs }) },
    ...(step.output === undefined ? {} : { output: step.output }),
    ...(step.failure === undefined ? {} : { failure: step.failure }),
    ...(step.note === undefined ? {} : { note: step.note }),
  };
}

/** The end of a run: reported, written down and kept. */
import { ActivityFailure } from '@temporalio/workflow';
import type { Summarised } from '../../activities/contract.js';
import type { RunStatus, RunView } from '../../src/model/run.js';
import { describeFailure } from './failure.js';
import { ended } from './notices-of-run.js';
import { REPORT_STEP } from './plan-builder.js';
import type { Run } from './run.js';
import type { StepState } from './step-state.js';

/** How long the end waits until the last notices are in the hands of their own workflows. */
const HAND_OVER_MS = 10_000;

/** @param status how the run ended; an aborted one is reported here, a recovered one by its last step */
export async function closeRun<Params>(run: Run<Params>, status: RunStatus): Promise<RunView> {
  const report = run.step(REPORT_STEP);
  if (status !== 'recovered' && report !== undefined) await reportAborted(run, report, status);
  run.end(status);
  run.notices.tell(ended());
  run.record('run-ended', status, { data: { status } });
  await run.notices.handedOver(HAND_OVER_MS);
  await run.journal.flush();
  const view = run.view();
  await run.calls.to('record', 'keep-run', 'keep the run for history and forecasts').keepRun({ view });
  return view;
}

export function writeReport<Params>(
  run: Run<Params>,
  step: StepState<Params>,
  status: RunStatus,
): Promise<Summarised> {
  return run.calls.contextFor(step).quick.writeReport({
    at: run.calls.refOf(step.name),
    plan: run.plan.document,
    view: { ...run.view(), status },
    outputs: run.outputs(),
  });
}

async function reportAborted<Params>(
  run: Run<Params>,
  report: StepState<Params>,
  status: RunStatus,
): Promise<void> {
  report.begun += 1;
  report.become('running', Date.now());
  try {
    report.output = await writeReport(run, report, status);
    report.become('done', Date.now());
  } catch (error) {
    if (!(error instanceof ActivityFailure)) throw error;
    report.failure = describeFailure(error, Date.now(), report.begun);
    run.warn(`The report could not be written: ${report.failure.message}`, REPORT_STEP);
  }
}

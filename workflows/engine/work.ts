/** What happens to one step: it is written down, done within its budget, and ends or waits for people. */
import { ActivityFailure, CancellationScope, isCancellation } from '@temporalio/workflow';
import type { Summarised } from '../../activities/contract.js';
import { formatDuration } from '../../src/model/format.js';
import { writeReport } from './closing.js';
import { describeFailure } from './failure.js';
import { stepFailed } from './notices-of-decisions.js';
import { budgetUsed } from './notices-of-run.js';
import type { Run } from './run.js';
import { dataOf } from './step-data.js';
import type { StepState } from './step-state.js';

/** How long the record may hold up what cannot be taken back: long enough for another worker where one has died. */
const INTENT_MS = 30_000;

/** Never rejects: what fails for good waits for people, and a fault in the code is kept for the engine to throw. */
export async function work<Params>(run: Run<Params>, step: StepState<Params>): Promise<void> {
  const { document } = step.planned;
  step.begun += 1;
  step.interrupted = false;
  step.become('running', Date.now());
  if (!run.beginning.includes(step)) run.beginning.push(step);
  run.turned();
  run.progress.forget(step.name);
  const look = () => run.progress.look();
  const stop = run.watch(
    { label: step.name, budgetMs: document.budgetMs, usedMs: 0, look },
    (text, percent) => {
      run.warn(text, step.name);
      if (percent === 100) run.notices.tell(budgetUsed(text, step.name));
    },
  );
  const scope = new CancellationScope();
  step.scope = scope;
  try {
    await announce(run, step);
    const output = await scope.run(async () => act(run, step));
    // What came to its end although it was to be stopped is done all the same; an abort undoes it.
    if (step.invalidated) step.output = output;
    else run.finish(step, output);
  } catch (error) {
    failed(run, step, error);
  } finally {
    step.scope = undefined;
    stop();
    run.turned();
  }
}

// What cannot be taken back is in the journal before it is done; anything else is written beside the work. Temporal's
// history holds every entry in any case, so a record that nobody takes does not hold a recovery up.
async function announce<Params>(run: Run<Params>, step: StepState<Params>): Promise<void> {
  const { document } = step.planned;
  const irrevocable = ['fence', 'promotion', 'cutover'].includes(document.kind);
  run.record(irrevocable ? 'step-intent' : 'step-started', document.title, {
    step: step.name,
    data: dataOf(run, step),
  });
  const patienceMs = Math.min(INTENT_MS, document.budgetMs / 10);
  if (!irrevocable || (await run.journal.flush(patienceMs))) return;
  run.warn(
    `${step.name} goes on although neither store nor spool has taken its intent for ${formatDuration(patienceMs)}: Temporal's history holds it, and the journal follows`,
    step.name,
  );
}

function act<Params>(run: Run<Params>, step: StepState<Params>): Promise<Summarised> {
  if (step.planned.do !== undefined) return step.planned.do(run.calls.contextFor(step), run.inputsOf(step));
  return writeReport(run, step, 'recovered');
}

function failed<Params>(run: Run<Params>, step: StepState<Params>, error: unknown): void {
  if ((step.invalidated || run.abortedBy !== undefined) && isCancellation(error)) return;
  if (!(error instanceof ActivityFailure)) {
    run.fatal = error;
    return;
  }
  step.failure = describeFailure(error, Date.now(), step.begun);
  step.become('waiting', Date.now());
  run.notices.tell(stepFailed(step.name));
  run.record('step-failed', step.failure.message, {
    step: step.name,
    facts: [
      { label: 'code', value: step.failure.code },
      { label: 'next', value: step.failure.next },
    ],
    data: dataOf(run, step),
  });
}

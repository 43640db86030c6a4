/** Gates: opening them, and what happens when nobody decides in time. */
import { CancellationScope, condition, isCancellation, sleep } from '@temporalio/workflow';
import { formatDuration } from '../../src/model/format.js';
import type { DecisionChoice } from '../../src/model/run.js';
import type { GateOutcome } from './plan.js';
import type { Run } from './run.js';
import type { StepState } from './step-state.js';

/** Who is written down where the runbook decides because nobody did. */
const BY_EXPIRY = 'the runbook';

export function openGate<Params>(run: Run<Params>, step: StepState<Params>): void {
  step.begun += 1;
  step.escalated = false;
  step.become('waiting', Date.now());
  const { document, gate } = step.planned;
  run.journal.add({
    kind: 'gate-opened',
    step: step.name,
    text: `${document.title} Asked of ${asked(step)}.`,
    facts: gate?.show(run.inputsOf(step)) ?? [],
  });
  const label = `gate ${document.gate?.gate ?? step.name}`;
  step.stopWaiting = run.watch({ label, budgetMs: document.budgetMs, usedMs: 0 }, (text, percent) => {
    if (percent < 100) run.warn(`${text}; ${asked(step)} is awaited`, step.name);
    else void CancellationScope.nonCancellable(() => expireUnlessDecided(run, step));
  });
  run.turned();
}

/** A decision that is being carried out comes first: what it changes must not have been acted upon by then. */
async function expireUnlessDecided<Params>(run: Run<Params>, step: StepState<Params>): Promise<void> {
  const opening = step.begun;
  await condition(() => step.decidedBy === undefined);
  if (step.status !== 'waiting' || step.begun !== opening || run.abortedBy !== undefined) return;
  expire(run, step);
}

/** The roles that may decide a gate now. */
export function rolesOf<Params>(step: StepState<Params>): readonly string[] {
  const { roles = [], escalateTo = [] } = step.planned.document.gate ?? {};
  return step.escalated ? [...new Set([...roles, ...escalateTo])] : roles;
}

function asked<Params>(step: StepState<Params>): string {
  return rolesOf(step).join(' or ');
}

function expire<Params>(run: Run<Params>, step: StepState<Params>): void {
  const { gate, budgetMs, title } = step.planned.document;
  const unanswered = `${gate?.gate}: nobody decided within ${formatDuration(budgetMs)}`;
  switch (gate?.atExpiry) {
    case 'escalate':
      step.escalated = true;
      run.warn(`${unanswered}; ${asked(step)} may decide now`, step.name);
      break;
    case 'deny':
      note(run, step, 'deny', unanswered);
      run.warn(`${unanswered}; denied by the runbook`, step.name);
      break;
    case 'proceed': {
      note(run, step, 'approve', unanswered);
      run.warn(`${unanswered}; the runbook lets it go on`, step.name);
      const outcome: GateOutcome = {
        summary: 'went on by itself, as the runbook says',
        approvedBy: BY_EXPIRY,
        at: new Date(Date.now()).toISOString(),
      };
      run.finish(step, outcome);
      return;
    }
    default:
      run.warn(`${unanswered}; ${asked(step)} is awaited: ${title}`, step.name);
  }
  remindUntilDecided(run, step);
}

function note<Params>(
  run: Run<Params>,
  step: StepState<Params>,
  choice: DecisionChoice,
  reason: string,
): void {
  const saw = step.planned.gate?.show(run.inputsOf(step)) ?? [];
  step.decisions.push({
    choice,
    by: BY_EXPIRY,
    reason,
    at: new Date(Date.now()).toISOString(),
    channel: 'expiry',
    saw,
  });
  run.journal.add({
    kind: 'decision',
    step: step.name,
    by: BY_EXPIRY,
    text: `${choice}: ${reason}`,
    facts: saw,
  });
}

/** Reminds again and again, less often the longer it takes: a gate is never forgotten, nor does it fill the history. */
function remindUntilDecided<Params>(run: Run<Params>, step: StepState<Params>): void {
  const { budgetMs, gate } = step.planned.document;
  const scope = new CancellationScope();
  step.stopWaiting = () => scope.cancel();
  const reminding = scope.run(async () => {
    let openMs = budgetMs;
    for (;;) {
      const pauseMs = Math.max(budgetMs, openMs / 4);
      await sleep(pauseMs, { summary: `gate ${gate?.gate}: remind again` });
      openMs += pauseMs;
      run.warn(`${gate?.gate}: open for ${formatDuration(openMs)}; ${asked(step)} is awaited`, step.name);
    }
  });
  reminding.catch((error: unknown) => {
    if (!isCancellation(error)) throw error;
  });
}

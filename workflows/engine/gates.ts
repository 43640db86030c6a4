/** Gates: opening them, and what happens when nobody decides in time. */
import { CancellationScope, condition, isCancellation, sleep } from '@temporalio/workflow';
import type { DecisionChoice } from '../../src/model/decision.js';
import { formatDuration } from '../../src/model/format.js';
import type { DecisionView, Fact } from '../../src/model/run.js';
import { decided, escalated, gateOpened, gateReopened, override, reminder } from './notices-of-decisions.js';
import type { GateOutcome } from './plan.js';
import { type Demand, missingFor, rolesAsked } from './quorum.js';
import { refusedFailure } from './refused.js';
import type { Run } from './run.js';
import { dataOf } from './step-data.js';
import type { StepState } from './step-state.js';

/** Who is written down where the runbook decides because nobody did. */
const BY_EXPIRY = 'the runbook';

/** A gate is being asked: whoever is not a gate has no demand. */
export function demandOf<Params>(step: StepState<Params>): Demand {
  const { gate } = step.planned.document;
  if (gate === undefined) return { roles: [], approvals: 1, from: 'any', escalateTo: [], escalated: false };
  return { ...gate, escalated: step.escalated };
}

export function openGate<Params>(run: Run<Params>, step: StepState<Params>): void {
  step.begun += 1;
  step.escalated = false;
  step.become('waiting', Date.now());
  step.missing = missingFor(demandOf(step), []);
  const { document } = step.planned;
  run.record('gate-opened', `${document.title} Asked of ${asked(step)}.`, {
    step: step.name,
    facts: shownAt(run, step),
    data: dataOf(run, step),
  });
  run.notices.tell(step.begun > 1 ? gateReopened(step.name) : gateOpened(step.name));
  watchGate(run, step);
  run.turned();
}

/** A gate that was open when the server before this one was lost: the words given there stand, and people get their time anew. */
export function resumeGate<Params>(run: Run<Params>, step: StepState<Params>): void {
  step.missing = missingFor(demandOf(step), step.approvals);
  watchGate(run, step);
  if (step.missing === undefined) openByApproval(run, step, undefined);
}

function watchGate<Params>(run: Run<Params>, step: StepState<Params>): void {
  const { document } = step.planned;
  const label = `gate ${document.gate?.gate ?? step.name}`;
  step.stopWaiting = run.watch({ label, budgetMs: document.budgetMs, usedMs: 0 }, (text, percent) => {
    if (percent < 100) run.warn(`${text}; ${step.missing ?? asked(step)} is awaited`, step.name);
    else void CancellationScope.nonCancellable(() => expireUnlessDecided(run, step));
  });
}

/** What approvers see there, from the outputs of what the gate needs. */
export function shownAt<Params>(run: Run<Params>, step: StepState<Params>): readonly Fact[] {
  return step.planned.gate?.show(run.inputsOf(step)) ?? [];
}

/**
 * Opens a gate when its quorum is there.
 * @returns the answer to whoever approved last
 */
export function openByApproval<Params>(
  run: Run<Params>,
  step: StepState<Params>,
  changed: string | undefined,
): string {
  const name = step.planned.document.gate?.gate ?? step.name;
  const by = step.approvals.map((approval) => approval.by);
  const said = `approved by ${by.join(' and ')}${changed === undefined ? '' : `, with ${changed}`}`;
  step.missing = missingFor(demandOf(step), step.approvals);
  if (step.missing !== undefined) {
    run.wake();
    return `${name}: ${said}. Still missing: ${step.missing}.`;
  }
  run.finish(step, outcome(said, by));
  return `${name}: ${said}. ${step.planned.gate?.approving ?? ''}`.trim();
}

/** Opens a gate with fewer people than it demands, once as many as the runbook asks for say so. */
export function openByOverride<Params>(run: Run<Params>, step: StepState<Params>, reason: string): string {
  const name = step.planned.document.gate?.gate ?? step.name;
  const demanded = run.input.runbook.breakGlass;
  if (demanded === undefined) throw refusedFailure('Nobody can override here.');
  const lacking = demanded.people - step.overriding.length;
  if (lacking > 0) return `${name}: ${lacking} more of ${demanded.roles.join(' or ')} must say so.`;
  const by = step.overriding.map((word) => word.by);
  const without = `the approval of ${missingFor(demandOf(step), step.approvals) ?? 'nobody'}`;
  run.command.override({ on: name, by, reason, without });
  run.notices.tell(override());
  run.finish(step, outcome(`overridden by ${by.join(' and ')}: ${reason}`, by));
  return `${name}: overridden, without ${without}. ${step.planned.gate?.approving ?? ''}`.trim();
}

function outcome(summary: string, by: readonly string[]): GateOutcome {
  return { summary, approvedBy: by.join(' and '), at: new Date(Date.now()).toISOString() };
}

/** A decision that is being carried out comes first: what it changes must not have been acted upon by then. */
async function expireUnlessDecided<Params>(run: Run<Params>, step: StepState<Params>): Promise<void> {
  const opening = step.begun;
  await condition(() => step.decidedBy === undefined);
  if (step.status !== 'waiting' || step.begun !== opening || run.abortedBy !== undefined) return;
  expire(run, step);
}

function asked<Params>(step: StepState<Params>): string {
  return rolesAsked(demandOf(step)).join(' or ');
}

function expire<Params>(run: Run<Params>, step: StepState<Params>): void {
  const { gate, budgetMs, title } = step.planned.document;
  const unanswered = `${gate?.gate}: nobody decided within ${formatDuration(budgetMs)}`;
  switch (gate?.atExpiry) {
    case 'escalate':
      step.escalated = true;
      step.missing = missingFor(demandOf(step), step.approvals);
      run.warn(`${unanswered}; ${asked(step)} may decide now`, step.name);
      // Somebody's word may be enough by now.
      if (step.missing === undefined) openByApproval(run, step, undefined);
      run.notices.tell(step.missing === undefined ? decided(step.name) : escalated(step.name));
      break;
    case 'deny':
      step.deny(BY_EXPIRY, unanswered);
      note(run, step, 'deny', unanswered);
      run.warn(`${unanswered}; denied by the runbook`, step.name);
      run.notices.tell(decided(step.name));
      break;
    case 'proceed':
      note(run, step, 'approve', unanswered);
      run.warn(`${unanswered}; the runbook lets it go on`, step.name);
      run.finish(step, outcome('went on by itself, as the runbook says', [BY_EXPIRY]));
      run.notices.tell(decided(step.name));
      return;
    default:
      run.warn(`${unanswered}; ${step.missing ?? asked(step)} is awaited: ${title}`, step.name);
      run.notices.tell(reminder(step.name, budgetMs));
  }
  if (step.status === 'waiting') remindUntilDecided(run, step);
}

function note<Params>(
  run: Run<Params>,
  step: StepState<Params>,
  choice: DecisionChoice,
  reason: string,
): void {
  const view: DecisionView = {
    choice,
    by: BY_EXPIRY,
    reason,
    at: new Date(Date.now()).toISOString(),
    channel: 'expiry',
    saw: shownAt(run, step),
  };
  step.decisions.push(view);
  run.record('decision', `${choice}: ${reason}`, {
    step: step.name,
    by: BY_EXPIRY,
    facts: view.saw,
    data: { view, ...step.words, used: [] },
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
      run.warn(
        `${gate?.gate}: open for ${formatDuration(openMs)}; ${step.missing ?? asked(step)} is awaited`,
        step.name,
      );
      run.notices.tell(reminder(step.name, openMs));
    }
  });
  reminding.catch((error: unknown) => {
    if (!isCancellation(error)) throw error;
  });
}

/** Takes decisions of people: what was not refused is carried out, and everything is written down. */
import { ActivityFailure, ApplicationFailure, CancellationScope } from '@temporalio/workflow';
import { type Approval, type Decision, type DecisionAnswer, WHOLE_RUN } from '../../src/model/decision.js';
import type { DecisionView, Fact } from '../../src/model/run.js';
import { admit, letIn, type Proven } from './admission.js';
import { changeInput } from './changes.js';
import { describeFailure } from './failure.js';
import { openByApproval, openByOverride, shownAt } from './gates.js';
import { decided, gateReopened, override } from './notices-of-decisions.js';
import { aborting, handedOver, held, resumed } from './notices-of-run.js';
import { whatAbortDoes } from './open-decisions.js';
import { findOpen, overBecause, personOf } from './refusals.js';
import { refusedFailure } from './refused.js';
import type { Run } from './run.js';
import type { StepState } from './step-state.js';

/** A decision whose sender is known. */
interface Admitted {
  readonly decision: Decision;
  readonly channel: DecisionView['channel'];
  readonly proven: Proven;
}

/**
 * Checks who says so and whether it can be done now, and does it.
 * @throws ApplicationFailure `DecisionRefused`; that is written down as well
 */
export async function decide<Params>(
  run: Run<Params>,
  decision: Decision,
  channel: DecisionView['channel'],
): Promise<DecisionAnswer> {
  try {
    const admission = await admit(run, decision);
    // From here to where it is carried out nothing is waited for: two that come together must not both find it possible.
    const proven = letIn(run, decision, admission);
    const step = findOpen(run, decision.on);
    const text = await carryOut(run, { decision, channel, proven });
    if (step !== undefined) run.notices.tell(decided(step.name));
    // Whoever had decided before has to decide again.
    if (step?.isGate && step.status === 'waiting' && decision.change)
      run.notices.tell(gateReopened(step.name));
    return { accepted: true, text };
  } catch (error) {
    if (error instanceof ApplicationFailure) run.refused(decision, channel, error.message);
    throw error;
  }
}

function carryOut<Params>(run: Run<Params>, admitted: Admitted): Promise<string> | string {
  const { decision } = admitted;
  switch (decision.choice) {
    case 'hold':
      note(run, undefined, admitted);
      run.command.holdBy(decision.by, decision.reason ?? '');
      run.notices.tell(held());
      run.turned();
      return 'The run is held: what works goes on to its end, nothing new begins, and the clock runs on.';
    case 'resume':
      note(run, undefined, admitted);
      run.command.resume(decision.by);
      run.notices.tell(resumed(decision.by));
      run.turned();
      return 'The run goes on.';
    case 'hand-over':
      note(run, undefined, admitted);
      run.notices.tell(handedOver(handOver(run, decision)));
      run.turned();
      return `${decision.to} commands the run from now on.`;
    case 'abort': {
      const text = `Accepted: it ${whatAbortDoes(run)}.`;
      note(run, undefined, admitted);
      run.requestAbort(decision.by, decision.reason ?? '');
      run.notices.tell(aborting(decision.by, decision.reason ?? ''));
      return text;
    }
    default: {
      const step = findOpen(run, decision.on);
      if (step === undefined) throw refusedFailure('It is decided already.');
      return step.isGate ? atGate(run, step, admitted) : atFailure(run, step, admitted);
    }
  }
}

/** @returns who commanded before */
function handOver<Params>(run: Run<Params>, { by, to = by }: Decision): string {
  const { commander } = run.command;
  run.command.handOver(by, to);
  return commander;
}

async function atGate<Params>(
  run: Run<Params>,
  step: StepState<Params>,
  admitted: Admitted,
): Promise<string> {
  const { decision, proven } = admitted;
  const { on, by, reason = '' } = decision;
  switch (decision.choice) {
    case 'deny':
      step.deny(by, reason);
      note(run, step, admitted);
      run.wake();
      return `${on}: denied by ${by}. ${step.planned.gate?.denying ?? ''}`.trim();
    case 'withdraw':
      step.withdraw(by);
      note(run, step, admitted);
      run.wake();
      return `${on}: ${by} has taken their word back. ${step.missing === undefined ? '' : `Still missing: ${step.missing}.`}`.trim();
    case 'override':
      step.overriding.push(approvalBy(run, by, proven));
      note(run, step, admitted);
      return openByOverride(run, step, reason);
    default:
      break;
  }
  // What the approver has seen; a changed input changes it.
  const saw = shownAt(run, step);
  const changed = decision.change && (await changedInput(run, step, decision));
  if (changed !== undefined) step.askAnew(Date.now());
  step.approve(approvalBy(run, by, proven));
  note(run, step, admitted, { changed, saw });
  return openByApproval(run, step, changed);
}

async function atFailure<Params>(
  run: Run<Params>,
  step: StepState<Params>,
  admitted: Admitted,
): Promise<string> {
  const { decision, proven } = admitted;
  const { by, reason = '' } = decision;
  switch (decision.choice) {
    case 'skip':
      note(run, step, admitted);
      run.skip(step, `skipped by ${by}: ${reason}`);
      return `${step.name} is skipped: ${step.planned.document.skipping}.`;
    case 'override':
      step.overriding.push(approvalBy(run, by, proven));
      note(run, step, admitted);
      return goOnWithoutProof(run, step, reason);
    default: {
      const changed = decision.change && (await changedInput(run, step, decision));
      note(run, step, admitted, { changed });
      // A changed input may have put it back already, or be what it was to give.
      if (step.status === 'waiting') run.beginAgain(step);
      return `${step.name} is tried again${changed === undefined ? '' : `, with ${changed}`}.`;
    }
  }
}

function approvalBy<Params>(run: Run<Params>, by: string, proven: Proven): Approval {
  const roles = personOf(run, by)?.roles ?? [];
  return { by, roles, at: new Date(Date.now()).toISOString(), provenBy: proven.methods };
}

async function changedInput<Params>(
  run: Run<Params>,
  step: StepState<Params>,
  { by, change }: Decision,
): Promise<string | undefined> {
  const [entry] = Object.entries(change ?? {});
  if (entry === undefined) return undefined;
  step.decidedBy = by;
  try {
    return await changeInput(run, step, ...entry);
  } finally {
    step.decidedBy = undefined;
  }
}

/** The fence could not be proven, because nobody answers: as many people as the runbook demands say that it goes on. */
async function goOnWithoutProof<Params>(
  run: Run<Params>,
  step: StepState<Params>,
  reason: string,
): Promise<string> {
  const { withoutProof } = step.planned;
  const demanded = run.input.runbook.breakGlass;
  if (withoutProof === undefined || demanded === undefined) throw refusedFailure('Nobody can override here.');
  const lacking = demanded.people - step.overriding.length;
  if (lacking > 0) return `${step.name}: ${lacking} more of ${demanded.roles.join(' or ')} must say so.`;
  const by = step.overriding.map((word) => word.by);
  const scope = new CancellationScope();
  step.scope = scope;
  step.decidedBy = by.join(' and ');
  try {
    const output = await scope.run(() =>
      withoutProof(run.calls.contextFor(step), run.inputsOf(step), { by, reason }),
    );
    const over = overBecause(run);
    if (over !== undefined) throw refusedFailure(over);
    run.command.override({
      on: step.name,
      by,
      reason,
      without: 'the proof that the old primary takes no writes',
    });
    run.notices.tell(override());
    run.finish(step, output);
    return `${step.name}: ${output.summary}`;
  } catch (error) {
    step.overriding.length = 0;
    if (!(error instanceof ActivityFailure)) throw error;
    const failure = describeFailure(error, Date.now(), step.begun);
    throw refusedFailure(`${step.name} stays as it is: ${failure.message} ${failure.next}`);
  } finally {
    step.scope = undefined;
    step.decidedBy = undefined;
  }
}

interface Noted {
  readonly changed?: string | undefined;
  readonly saw?: readonly Fact[];
}

/** Writes a decision down: at its step, else at the one that waits, or was begun last. */
function note<Params>(
  run: Run<Params>,
  step: StepState<Params> | undefined,
  { decision, channel, proven }: Admitted,
  { changed, saw }: Noted = {},
): void {
  const { choice, by, reason, to, origin } = decision;
  const on =
    step ?? run.steps.find((one) => one.status === 'waiting') ?? run.beginning.at(-1) ?? run.steps[0];
  if (on === undefined) return;
  const view: DecisionView = {
    choice,
    by,
    at: new Date(Date.now()).toISOString(),
    channel,
    saw: saw ?? shownAt(run, on),
    provenBy: proven.methods,
    ...(reason === undefined ? {} : { reason }),
    ...(changed === undefined ? {} : { changed }),
    ...(to === undefined ? {} : { to }),
    ...(origin === undefined ? {} : { origin }),
  };
  on.decisions.push(view);
  const subject = step === undefined ? WHOLE_RUN : decision.on;
  const words = [
    `${choice} ${subject}`,
    to === undefined ? '' : ` to ${to}`,
    reason === undefined ? '' : `: ${reason}`,
    changed === undefined ? '' : ` (${changed})`,
  ];
  run.record('decision', words.join(''), {
    step: on.name,
    by,
    facts: view.saw,
    data: { view, ...on.words, used: proven.used },
  });
}

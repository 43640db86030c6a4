/** Takes decisions of people: refuses what is not possible now and says what is, then carries out what was accepted. */
import { ApplicationFailureCategory } from '@temporalio/common';
import { ActivityFailure, ApplicationFailure, CancellationScope } from '@temporalio/workflow';
import type { Decision, DecisionAnswer, DecisionView, Fact } from '../../src/model/run.js';
import { describeFailure } from './failure.js';
import { rolesOf } from './gates.js';
import { openDecisions, whatAbortDoes } from './open-decisions.js';
import type { Run } from './run.js';
import type { StepState } from './step-state.js';

/** `on` of a decision that is about the whole run. */
const WHOLE_RUN = 'run';

/** @returns why the decision cannot be taken now; undefined when it can */
export function refusal<Params>(run: Run<Params>, decision: Decision): string | undefined {
  const malformed = malformation(decision);
  if (malformed !== undefined) return malformed;
  const over = overBecause(run);
  if (over !== undefined) return over;
  const person = run.input.runbook.people.find((candidate) => candidate.name === decision.by);
  if (person === undefined) {
    const roster = run.input.runbook.people.map((candidate) => candidate.name).join(', ');
    return `${decision.by} is not on the roster of ${run.plan.document.system}. On it: ${roster}.`;
  }
  if (needsReason(decision) && (decision.reason ?? '').trim() === '') {
    return `To ${decision.choice} needs a reason: it is read by everybody who looks at this run later.`;
  }
  if (decision.choice === 'abort') {
    return run.pointOfNoReturnPassed
      ? `The point of no return has passed: the run cannot be aborted any more. ${possibleNow(run)} Going back is a recovery of its own.`
      : undefined;
  }
  const step = findOpen(run, decision.on);
  if (step === undefined) return `Nothing named ${decision.on} waits for a decision now. ${possibleNow(run)}`;
  if (step.decidedBy !== undefined)
    return `${decision.on} is being decided by ${step.decidedBy} at this moment.`;
  return step.isGate ? refusalAtGate(step, decision, person.roles) : refusalAtFailure(step, decision);
}

function overBecause<Params>(run: Run<Params>): string | undefined {
  if (run.abortedBy !== undefined)
    return `The run was aborted by ${run.abortedBy.by}; nothing can be decided any more.`;
  return run.closing ? 'The run is over; nothing can be decided any more.' : undefined;
}

/** Characters at most: what is decided is kept in every record of the run and has to fit into its messages. */
const longest = { on: 100, choice: 20, by: 200, reason: 2_000, point: 100 } as const;
const needed: readonly (keyof typeof longest)[] = ['on', 'choice', 'by'];

function malformation(decision: Decision): string | undefined {
  if (typeof decision !== 'object' || decision === null)
    return 'A decision is an object with on, choice and by.';
  for (const field of ['on', 'choice', 'by', 'reason', 'point'] as const) {
    const value: unknown = decision[field];
    const isText = typeof value === 'string';
    if (needed.includes(field) && (!isText || value.trim() === ''))
      return `A decision needs ${field}, a text.`;
    if (value !== undefined && !isText) return `${field} of a decision is a text.`;
    if (isText && value.length > longest[field]) {
      return `${field} of a decision has ${longest[field]} characters at most; these are ${value.length}.`;
    }
  }
  if (!['approve', 'deny', 'retry', 'abort'].includes(decision.choice)) {
    return `${decision.choice} is not a choice. Choices: approve, deny, retry, abort.`;
  }
  return undefined;
}

function needsReason(decision: Decision): boolean {
  return decision.choice === 'deny' || decision.choice === 'abort';
}

function refusalAtGate<Params>(
  step: StepState<Params>,
  decision: Decision,
  roles: readonly string[],
): string | undefined {
  const asked = rolesOf(step);
  if (decision.choice === 'retry') return `${decision.on} is a gate: approve, deny or abort.`;
  if (!asked.some((role) => roles.includes(role))) {
    return `${decision.by} (${roles.join(', ')}) cannot decide ${decision.on}: it asks for ${asked.join(' or ')}.`;
  }
  if (decision.point === undefined) return undefined;
  if (decision.choice !== 'approve') return 'A point goes with approve only.';
  if (step.planned.gate?.revise === undefined)
    return `The recovery point cannot be changed at ${decision.on}.`;
  if (
    !/^\d{4}-\d{2}-\d{2}T.*(Z|[+-]\d{2}:?\d{2})$/.test(decision.point) ||
    Number.isNaN(Date.parse(decision.point))
  ) {
    return `${decision.point} is not a time: ISO 8601 with a zone, for instance 2026-03-01T02:59:39.871Z.`;
  }
  return undefined;
}

function refusalAtFailure<Params>(step: StepState<Params>, decision: Decision): string | undefined {
  return decision.choice === 'retry' ? undefined : `${step.name} has failed: retry it, or abort the run.`;
}

function findOpen<Params>(run: Run<Params>, on: string): StepState<Params> | undefined {
  return run.steps.find(
    (step) => step.status === 'waiting' && (step.name === on || step.planned.document.gate?.gate === on),
  );
}

function possibleNow<Params>(run: Run<Params>): string {
  const open = openDecisions(run).map(
    ({ gate, step, choices }) => `${gate ?? step} (${choices.map(({ choice }) => choice).join(', ')})`,
  );
  return open.length === 0 ? 'Nothing waits for a person now.' : `Possible now: ${open.join('; ')}.`;
}

/**
 * Carries out a decision that was not refused.
 * @throws ApplicationFailure when a changed point turns out to be unusable; the gate then stays open
 */
export async function decide<Params>(
  run: Run<Params>,
  decision: Decision,
  channel: DecisionView['channel'],
): Promise<DecisionAnswer> {
  if (decision.choice === 'abort') return abort(run, decision, channel);
  const step = findOpen(run, decision.on);
  const refused = refusal(run, decision);
  if (step === undefined || refused !== undefined) throw refusedFailure(refused ?? 'It is decided already.');
  // What the approver has seen; a changed point changes it.
  const saw = shownAt(run, step);
  step.decidedBy = decision.by;
  try {
    const changed = decision.point === undefined ? undefined : await changePoint(run, step, decision.point);
    note(run, step, { decision, channel, changed, saw });
    return { accepted: true, text: carryOut(run, step, decision, changed) };
  } finally {
    step.decidedBy = undefined;
  }
}

function carryOut<Params>(
  run: Run<Params>,
  step: StepState<Params>,
  decision: Decision,
  changed: string | undefined,
): string {
  switch (decision.choice) {
    case 'approve': {
      const at = new Date(Date.now()).toISOString();
      const summary = `approved by ${decision.by}${changed === undefined ? '' : `, with ${changed}`}`;
      run.finish(step, { summary, approvedBy: decision.by, at } as never);
      return `${decision.on}: ${summary}. ${step.planned.gate?.approving ?? ''}`.trim();
    }
    case 'deny':
      run.wake();
      return `${decision.on}: denied by ${decision.by}. ${step.planned.gate?.denying ?? ''}`.trim();
    default:
      run.beginAgain(step);
      return `${step.name} is tried again.`;
  }
}

async function changePoint<Params>(
  run: Run<Params>,
  gate: StepState<Params>,
  point: string,
): Promise<string> {
  const revises = gate.planned.document.gate?.revises ?? '';
  const revised = run.step(revises);
  const revise = gate.planned.gate?.revise;
  if (revised === undefined || revise === undefined)
    throw refusedFailure('The point cannot be changed here.');
  const scope = new CancellationScope();
  gate.scope = scope;
  try {
    const output = await scope.run(() => revise(run.contextFor(revised), run.inputsOf(gate), point));
    // An abort may come at any moment; what was accepted first holds.
    if (run.abortedBy !== undefined || !(await run.replaceOutput(revises, output, gate))) {
      throw refusedFailure(overBecause(run) ?? 'The point cannot be changed here.');
    }
    return output.summary;
  } catch (error) {
    if (!(error instanceof ActivityFailure)) throw error;
    const over = overBecause(run);
    if (over !== undefined) throw refusedFailure(over);
    const failure = describeFailure(error, Date.now(), 1);
    throw refusedFailure(
      `That point cannot be used: ${failure.message} ${failure.next} The gate is still open.`,
    );
  } finally {
    gate.scope = undefined;
  }
}

function abort<Params>(
  run: Run<Params>,
  decision: Decision,
  channel: DecisionView['channel'],
): DecisionAnswer {
  const text = `Accepted: it ${whatAbortDoes(run)}.`;
  const on = run.steps.find((step) => step.status === 'waiting') ?? run.steps.find((step) => step.begun > 0);
  if (on !== undefined)
    note(run, on, { decision: { ...decision, on: WHOLE_RUN }, channel, saw: shownAt(run, on) });
  run.requestAbort(decision.by, decision.reason ?? '');
  return { accepted: true, text };
}

function shownAt<Params>(run: Run<Params>, step: StepState<Params>): readonly Fact[] {
  return step.planned.gate?.show(run.inputsOf(step)) ?? [];
}

interface Noted {
  readonly decision: Decision;
  readonly channel: DecisionView['channel'];
  readonly changed?: string | undefined;
  readonly saw: readonly Fact[];
}

function note<Params>(
  run: Run<Params>,
  step: StepState<Params>,
  { decision, channel, changed, saw }: Noted,
): void {
  step.decisions.push({
    choice: decision.choice,
    by: decision.by,
    at: new Date(Date.now()).toISOString(),
    channel,
    saw,
    ...(decision.reason === undefined ? {} : { reason: decision.reason }),
    ...(changed === undefined ? {} : { changed }),
  });
  const reason = decision.reason === undefined ? '' : `: ${decision.reason}`;
  run.journal.add({
    kind: 'decision',
    step: step.name,
    by: decision.by,
    text: `${decision.choice} ${decision.on}${reason}${changed === undefined ? '' : ` (${changed})`}`,
    facts: saw,
  });
}

export function refusedFailure(message: string): ApplicationFailure {
  return ApplicationFailure.create({
    message,
    type: 'DecisionRefused',
    nonRetryable: true,
    category: ApplicationFailureCategory.BENIGN,
  });
}

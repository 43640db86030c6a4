/** Whether a decision can be taken now, and what can be decided instead. Reads the run, changes nothing. */
import { type Decision, type DecisionChoice, WHOLE_RUN } from '../../src/model/decision.js';
import type { Person } from '../../src/runbook/schema.js';
import { changesAt } from './changes.js';
import { demandOf } from './gates.js';
import { malformation } from './malformed.js';
import { whyNotOpen } from './not-open.js';
import { openDecisions, steeringOf } from './open-decisions.js';
import { rolesAsked } from './quorum.js';
import type { Run } from './run.js';
import type { StepState } from './step-state.js';

/** What nobody may do without saying why: it is read by everybody who looks at the run later. */
const withReason: readonly DecisionChoice[] = ['deny', 'abort', 'override', 'skip', 'hold'];
const ofWholeRun: readonly DecisionChoice[] = ['hold', 'resume', 'hand-over', 'abort'];
/** What only who commands may do, or an incident commander of the roster. */
const ofCommander: readonly DecisionChoice[] = ['resume', 'hand-over', 'abort', 'retry', 'skip'];
const COMMANDER_ROLE = 'incident-commander';

/** @returns why the decision cannot be taken now; undefined when it can */
export function refusal<Params>(run: Run<Params>, decision: Decision): string | undefined {
  const malformed = malformation(decision);
  if (malformed !== undefined) return malformed;
  const { by, choice, planHash, reason } = decision;
  const over = overBecause(run);
  if (over !== undefined) return over;
  const person = personOf(run, by);
  if (person === undefined) {
    const roster = run.input.runbook.people.map((candidate) => candidate.name).join(', ');
    return `${by} is not on the roster of ${run.plan.document.system}. On it: ${roster}.`;
  }
  if (planHash !== undefined && planHash !== run.input.planHash) {
    return `You have seen plan ${planHash.slice(0, 12)}, this run follows ${run.input.planHash.slice(0, 12)}: look at it again, then decide.`;
  }
  if (withReason.includes(choice) && (reason ?? '').trim() === '') {
    return `To ${choice} needs a reason: it is read by everybody who looks at this run later.`;
  }
  if (decision.change !== undefined && choice !== 'approve' && choice !== 'retry') {
    return 'A change goes with approve or retry only.';
  }
  if (decision.to !== undefined && choice !== 'hand-over') return 'to goes with hand-over only.';
  if (
    ofCommander.includes(choice) &&
    by !== run.command.commander &&
    !person.roles.includes(COMMANDER_ROLE)
  ) {
    return `${run.command.commander} commands this run: ${by} cannot ${choice}. The command can be handed over: hand-over.`;
  }
  if (ofWholeRun.includes(choice)) return refusalOfWholeRun(run, decision);
  const step = findOpen(run, decision.on);
  if (step === undefined) return `${whyNotOpen(run, decision)} ${possibleNow(run)}`;
  if (step.decidedBy !== undefined)
    return `${decision.on} is being decided by ${step.decidedBy} at this moment.`;
  return step.isGate
    ? refusalAtGate(run, step, decision, person)
    : refusalAtFailure(run, step, decision, person);
}

export function personOf<Params>(run: Run<Params>, name: string): Person | undefined {
  return run.input.runbook.people.find((candidate) => candidate.name === name);
}

export function overBecause<Params>(run: Run<Params>): string | undefined {
  if (run.abortedBy !== undefined)
    return `The run was aborted by ${run.abortedBy.by}; nothing can be decided any more.`;
  return run.closing ? 'The run is over; nothing can be decided any more.' : undefined;
}

export function findOpen<Params>(run: Run<Params>, on: string): StepState<Params> | undefined {
  return run.steps.find(
    (step) => step.status === 'waiting' && (step.name === on || step.planned.document.gate?.gate === on),
  );
}

function refusalOfWholeRun<Params>(run: Run<Params>, { choice, on, to }: Decision): string | undefined {
  if (on !== WHOLE_RUN && choice !== 'abort') return `To ${choice} is about the whole run: on is "run".`;
  switch (choice) {
    case 'hold':
      return run.command.hold === undefined
        ? undefined
        : `${run.command.hold.by} holds the run already, since ${run.command.hold.since}: ${run.command.hold.reason}`;
    case 'resume':
      return run.command.hold === undefined ? `The run is not held. ${possibleNow(run)}` : undefined;
    case 'hand-over':
      if (to === undefined) return 'To hand over needs to: who commands from then on.';
      if (to === run.command.commander) return `${to} commands this run already.`;
      return personOf(run, to) === undefined
        ? `${to} is not on the roster of ${run.plan.document.system}.`
        : undefined;
    default:
      return run.pointOfNoReturnPassed
        ? `The point of no return has passed: the run cannot be aborted any more. ${possibleNow(run)} Going back is a recovery of its own.`
        : undefined;
  }
}

function refusalAtGate<Params>(
  run: Run<Params>,
  step: StepState<Params>,
  decision: Decision,
  person: Person,
): string | undefined {
  const { on, choice, by } = decision;
  const { gate } = step.planned.document;
  if (gate === undefined) return undefined;
  if (choice === 'retry' || choice === 'skip')
    return `${on} is a gate: approve, deny, withdraw, override or abort.`;
  if (choice === 'override') return refusalToOverride(run, step, decision, person);
  if (choice === 'withdraw') {
    return step.hasWordOf(by)
      ? undefined
      : `${by} has neither approved nor denied ${on}: nothing to withdraw.`;
  }
  const asked = rolesAsked(demandOf(step));
  if (!asked.some((role) => person.roles.includes(role))) {
    return `${by} (${person.roles.join(', ')}) cannot decide ${on}: it asks for ${asked.join(' or ')}.`;
  }
  if (choice === 'deny') {
    return step.denial?.by === by && step.denial.reason === decision.reason
      ? `${by} has denied ${on} already, for the same reason.`
      : undefined;
  }
  if (gate.requester === 'does-not-count' && by === run.input.requestedBy) {
    return `${by} has begun this run: ${on} asks for somebody else.`;
  }
  const again = Object.entries(decision.change ?? {}).every(
    ([name, value]) => run.changedTo.get(name) === value,
  );
  if (again && step.approvals.some((approval) => approval.by === by)) {
    return `${by} has approved ${on} already; still missing: ${step.missing ?? 'nobody'}.`;
  }
  return refusalOfChange(run, step, decision);
}

function refusalAtFailure<Params>(
  run: Run<Params>,
  step: StepState<Params>,
  decision: Decision,
  person: Person,
): string | undefined {
  switch (decision.choice) {
    case 'retry':
      return refusalOfChange(run, step, decision);
    case 'skip':
      return step.planned.document.skipping === undefined
        ? `${step.name} cannot be skipped: what comes after it rests on it. ${possibleNow(run)}`
        : undefined;
    case 'override':
      return refusalToOverride(run, step, decision, person);
    default:
      return `${step.name} has failed. ${possibleNow(run)}`;
  }
}

function refusalToOverride<Params>(
  run: Run<Params>,
  step: StepState<Params>,
  { on, by }: Decision,
  person: Person,
): string | undefined {
  const { breakGlass } = run.input.runbook;
  if (!step.isGate && step.planned.withoutProof === undefined) {
    return `${on} cannot be overridden: only a gate, or a fence whose primary cannot be reached, can be.`;
  }
  if (breakGlass === undefined)
    return `The runbook names nobody who may override (breakGlass). ${possibleNow(run)}`;
  if (!breakGlass.roles.some((role) => person.roles.includes(role))) {
    return `${by} (${person.roles.join(', ')}) cannot override: breakGlass asks for ${breakGlass.roles.join(' or ')}.`;
  }
  return step.overriding.some((word) => word.by === by)
    ? `${by} has said so already; ${breakGlass.people - step.overriding.length} more of ${breakGlass.roles.join(' or ')} must.`
    : undefined;
}

function refusalOfChange<Params>(
  run: Run<Params>,
  step: StepState<Params>,
  { on, change }: Decision,
): string | undefined {
  if (change === undefined) return undefined;
  const possible = changesAt(run, step);
  for (const [name, value] of Object.entries(change)) {
    const changeable = possible.find(({ document }) => document.name === name);
    if (changeable === undefined) {
      const names = possible.map(({ document }) => document.name).join(', ');
      return `${name} cannot be changed at ${on}. Can be changed here: ${names || 'nothing'}.`;
    }
    const wrong = changeable.check(value);
    if (wrong !== undefined) return wrong;
  }
  return Object.keys(change).length > 1 ? 'One input is changed at a time.' : undefined;
}

export function possibleNow<Params>(run: Run<Params>): string {
  const open = openDecisions(run).map(
    ({ gate, step, choices }) =>
      `${gate ?? step} (${choices.flatMap(({ choice }) => (choice === 'abort' ? [] : choice)).join(', ')})`,
  );
  const whole = steeringOf(run).map(({ choice }) => choice);
  if (whole.length > 0) open.push(`${WHOLE_RUN} (${whole.join(', ')})`);
  return open.length === 0 ? 'Nothing waits for a person now.' : `Possible now: ${open.join('; ')}.`;
}

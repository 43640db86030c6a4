/** What waits for a person now, with the choices and what each of them means. */
import type { DecisionChoice, OpenDecision } from '../../src/model/run.js';
import { rolesOf } from './gates.js';
import type { Run } from './run.js';
import type { StepState } from './step-state.js';

export function openDecisions<Params>(run: Run<Params>): OpenDecision[] {
  if (run.abortedBy !== undefined) return [];
  return run.steps
    .filter((step) => step.status === 'waiting')
    .map((step) => (step.isGate ? gateDecision(run, step) : failureDecision(run, step)));
}

function gateDecision<Params>(run: Run<Params>, step: StepState<Params>): OpenDecision {
  const { gate, document } = step.planned;
  const view = step.view(Date.now());
  const denied = step.decisions.at(-1)?.choice === 'deny' ? step.decisions.at(-1) : undefined;
  const since = view.startedAt ?? '';
  return {
    step: step.name,
    ...(document.gate === undefined ? {} : { gate: document.gate.gate }),
    question:
      denied === undefined
        ? document.title
        : `${document.title} Denied by ${denied.by}: ${denied.reason ?? ''}`,
    roles: rolesOf(step),
    since,
    expiresAt: new Date(Date.parse(since) + document.budgetMs).toISOString(),
    choices: [
      { choice: 'approve', consequence: gate?.approving ?? '' },
      { choice: 'deny', consequence: gate?.denying ?? '' },
      ...abortChoice(run),
    ],
    facts: gate?.show(run.inputsOf(step)) ?? [],
    mayChangePoint: gate?.revise !== undefined,
  };
}

function failureDecision<Params>(run: Run<Params>, step: StepState<Params>): OpenDecision {
  const failure = step.failure;
  return {
    step: step.name,
    question: `${step.name} failed: ${failure?.message ?? ''} ${failure?.next ?? ''}`.trim(),
    roles: [],
    since: failure?.at ?? '',
    choices: [
      {
        choice: 'retry',
        consequence: `does ${step.name} once more; what it had done already is kept where it is good`,
      },
      ...abortChoice(run),
    ],
    facts: failure === undefined ? [] : [{ label: 'code', value: failure.code }],
    mayChangePoint: false,
  };
}

function abortChoice<Params>(run: Run<Params>): { choice: DecisionChoice; consequence: string }[] {
  if (run.pointOfNoReturnPassed) return [];
  return [{ choice: 'abort', consequence: whatAbortDoes(run) }];
}

/** In words, newest first: what an abort would undo now. */
export function whatAbortDoes<Params>(run: Run<Params>): string {
  const undos = run.steps
    .filter((step) => step.begun > 0 && step.planned.undo !== undefined)
    .map((step) => step.planned.document.undo ?? step.name)
    .reverse();
  return undos.length === 0
    ? 'ends the run; nothing has to be undone'
    : `ends the run and undoes: ${undos.join('; ')}`;
}

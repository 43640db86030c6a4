/** What people can decide now: at what waits for them, and about the whole run, with what each choice means. */
import type { Choice, OpenDecision } from '../../src/model/run.js';
import { changesAt } from './changes.js';
import { demandOf, shownAt } from './gates.js';
import type { PlannedChangeable } from './plan.js';
import { rolesAsked } from './quorum.js';
import type { Run } from './run.js';
import type { StepState } from './step-state.js';

export function openDecisions<Params>(run: Run<Params>): OpenDecision[] {
  if (run.abortedBy !== undefined) return [];
  return run.steps
    .filter((step) => step.status === 'waiting')
    .map((step) => (step.isGate ? gateDecision(run, step) : failureDecision(run, step)));
}

/** What can be decided about the whole run, whatever waits. */
export function steeringOf<Params>(run: Run<Params>): Choice[] {
  if (run.abortedBy !== undefined || run.closing) return [];
  return [
    run.command.hold === undefined
      ? {
          choice: 'hold',
          consequence: 'what works goes on to its end, nothing new begins; the clock runs on',
        }
      : { choice: 'resume', consequence: 'whatever is ready begins' },
    { choice: 'hand-over', consequence: 'somebody else commands from then on' },
    ...abortChoice(run),
  ];
}

function gateDecision<Params>(run: Run<Params>, step: StepState<Params>): OpenDecision {
  const { gate, document } = step.planned;
  const { denial } = step;
  const since = step.openedAt ?? '';
  const firstOpened = step.view(Date.now()).startedAt ?? since;
  const words = step.approvals.length + step.overriding.length > 0 || denial !== undefined;
  return {
    step: step.name,
    ...(document.gate === undefined ? {} : { gate: document.gate.gate }),
    question:
      denial === undefined ? document.title : `${document.title} Denied by ${denial.by}: ${denial.reason}`,
    roles: rolesAsked(demandOf(step)),
    since,
    expiresAt: new Date(Date.parse(firstOpened) + document.budgetMs).toISOString(),
    choices: [
      { choice: 'approve', consequence: gate?.approving ?? '' },
      { choice: 'deny', consequence: gate?.denying ?? '' },
      ...(words ? [{ choice: 'withdraw', consequence: 'takes an own word back' } as const] : []),
      ...overrideChoice(run, `opens it without ${step.missing ?? 'anybody more'}; everybody is told`),
      ...abortChoice(run),
    ],
    facts: shownAt(run, step),
    approvals: [...step.approvals],
    missing: step.missing ?? '',
    secondFactor: document.gate?.secondFactor === 'totp',
    changes: changesOf(changesAt(run, step)),
  };
}

function failureDecision<Params>(run: Run<Params>, step: StepState<Params>): OpenDecision {
  const { failure } = step;
  const { skipping } = step.planned.document;
  return {
    step: step.name,
    question: `${step.name} failed: ${failure?.message ?? ''} ${failure?.next ?? ''}`.trim(),
    roles: [],
    since: step.openedAt ?? '',
    choices: [
      {
        choice: 'retry',
        consequence: `does ${step.name} once more; what it had done already is kept where it is good${withAnother(run, step)}`,
      },
      ...(skipping === undefined ? [] : [{ choice: 'skip', consequence: skipping } as const]),
      ...(step.planned.withoutProof === undefined
        ? []
        : overrideChoice(
            run,
            'goes on without proof: only if the old primary cannot be reached, and it may still take writes',
          )),
      ...abortChoice(run),
    ],
    facts: failure === undefined ? [] : [{ label: 'code', value: failure.code }],
    approvals: [],
    secondFactor: false,
    changes: changesOf(changesAt(run, step)),
  };
}

/** What replacing an input means where a failed step is retried. */
function withAnother<Params>(run: Run<Params>, step: StepState<Params>): string {
  const names = changesAt(run, step).map(({ document }) => document.name);
  return names.length === 0
    ? ''
    : `; with another ${names.join(' or ')}, what was built on the old one is done again`;
}

function changesOf<Params>(changeables: readonly PlannedChangeable<Params>[]): Record<string, string> {
  return Object.fromEntries(changeables.map(({ document }) => [document.name, document.allowed]));
}

function overrideChoice<Params>(run: Run<Params>, consequence: string): Choice[] {
  const { breakGlass } = run.input.runbook;
  if (breakGlass === undefined) return [];
  const people = breakGlass.people === 1 ? '' : `${breakGlass.people} of `;
  return [{ choice: 'override', consequence: `${consequence} (${people}${breakGlass.roles.join(' or ')})` }];
}

function abortChoice<Params>(run: Run<Params>): Choice[] {
  if (run.pointOfNoReturnPassed) return [];
  return [{ choice: 'abort', consequence: whatAbortDoes(run) }];
}

/** In words, newest first: what an abort would undo now. */
export function whatAbortDoes<Params>(run: Run<Params>): string {
  const undos = [...run.beginning]
    .reverse()
    .filter((step) => step.planned.undo !== undefined)
    .map((step) => step.planned.document.undo ?? step.name);
  return undos.length === 0
    ? 'ends the run; nothing has to be undone'
    : `ends the run and undoes: ${undos.join('; ')}`;
}

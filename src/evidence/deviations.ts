import { formatDuration } from '../model/format.js';
import type { RunView, StepView } from '../model/run.js';
import type { Deviation } from './document.js';

/** By how much a step took longer than its budget; undefined where it kept it. A gate's budget is people's time. */
export function overBudgetMs(step: StepView): number | undefined {
  const used = step.kind === 'gate' ? step.waitingMs : step.workingMs;
  return used > step.budgetMs ? used - step.budgetMs : undefined;
}

/** Everything in which the run was not as the plan foresaw it, step by step, then what was warned of. */
export function deviationsOf(view: RunView): Deviation[] {
  const ended = view.status === 'recovered' || view.status === 'aborted' || view.status === 'failed';
  return [
    ...view.steps.flatMap((step) => ofStep(step, ended)),
    ...view.overrides.map(
      ({ on, by, reason, at, without }): Deviation => ({
        kind: 'overridden',
        step: on,
        at,
        text: `by ${by.join(' and ')}, without ${without}: ${reason}`,
      }),
    ),
    ...(view.adopted === undefined
      ? []
      : [
          {
            kind: 'taken-over',
            at: view.adopted.at,
            text: `by ${view.adopted.by}, from the journal of a lost server`,
          } as const,
        ]),
    ...view.warnings.map(({ at, text }): Deviation => ({ kind: 'warning', at, text })),
  ];
}

function ofStep(step: StepView, runEnded: boolean): Deviation[] {
  const found: Deviation[] = [];
  const add = (kind: Deviation['kind'], text: string, at?: string) =>
    found.push({ kind, step: step.name, text, ...(at === undefined ? {} : { at }) });
  for (const decision of step.decisions) {
    const why = decision.reason === undefined ? '' : `: ${decision.reason}`;
    if (decision.choice === 'deny') add('denied', `denied by ${decision.by}${why}`, decision.at);
    if (decision.changed !== undefined)
      add('changed', `${decision.changed}, by ${decision.by}${why}`, decision.at);
    if (decision.choice === 'hold') add('held', `held by ${decision.by}${why}`, decision.at);
    if (decision.choice === 'hand-over') {
      const to = decision.to === undefined ? '' : ` to ${decision.to}`;
      add('handed-over', `handed over by ${decision.by}${to}${why}`, decision.at);
    }
    if (decision.choice === 'withdraw') add('withdrawn', `taken back by ${decision.by}${why}`, decision.at);
    if (decision.choice === 'retry') add('repeated', `tried again by ${decision.by}${why}`, decision.at);
  }
  if (step.begun > 1) add('repeated', `begun ${step.begun} times`);
  if (step.failure !== undefined) {
    add(
      'failed',
      `${step.failure.message} (${step.failure.code}, attempt ${step.failure.attempts})`,
      step.failure.at,
    );
  }
  const over = overBudgetMs(step);
  if (over !== undefined) {
    add(
      'over-budget',
      `${formatDuration(over)} over its budget of ${formatDuration(step.budgetMs)}`,
      step.endedAt,
    );
  }
  if (step.status === 'skipped') add('skipped', step.summary ?? 'skipped');
  if (step.status === 'undone') add('undone', step.summary ?? 'undone', step.endedAt);
  if (runEnded && step.status === 'pending') add('not-reached', 'never begun');
  return found;
}

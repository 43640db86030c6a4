/** What a run leaves to people: findings to look into and steps to take, each with the role that owns it. */

import { formatCount, formatDuration } from '../model/format.js';
import type { PlanDocument } from '../model/plan.js';
import type { RunView } from '../model/run.js';
import { breachFindings, breachTasks } from './breach-tasks.js';
import { overBudgetMs } from './deviations.js';
import type { DataObjective, LostClass, Objective, Task } from './document.js';
import { filesTroubles } from './files.js';
import {
  assessmentsOf,
  copiesOf,
  type Outputs,
  pointsOf,
  quarantinesOf,
  recordChangesOf,
} from './outputs.js';

const COMMANDER = 'incident commander';

/** What tasks are made from. */
export interface Situation {
  readonly plan: PlanDocument;
  readonly view: RunView;
  readonly outputs: Outputs;
  readonly rto: readonly Objective[];
  readonly rpo: readonly DataObjective[];
  readonly lost: readonly LostClass[];
}

/** The roles that decide at the gates, in their order: they also sign off. */
export function gateRoles(plan: PlanDocument): string[] {
  return [...new Set(plan.steps.flatMap((step) => step.gate?.roles ?? []))];
}

export function findingsOf({ plan, view, outputs, rto, rpo }: Situation): Task[] {
  const data = gateRoles(plan)[0] ?? COMMANDER;
  const missed = rto.filter(({ met }) => !met);
  return [
    ...assessmentsOf(outputs).flatMap(({ output }): Task[] => [
      { text: `Damage found: ${output.summary}`, owner: data },
      ...output.disabledTriggers.map((trigger) => ({
        text: `The trigger ${trigger} was switched off.`,
        owner: data,
      })),
    ]),
    ...breachFindings(outputs),
    ...missed.map(({ name, targetMs, actualMs }) => ({
      text:
        actualMs === undefined
          ? `RTO of ${name} not met: it was not brought back by this run.`
          : `RTO of ${name} missed by ${formatDuration(actualMs - targetMs)}.`,
      owner: COMMANDER,
    })),
    ...rpo
      .filter(({ met }) => !met)
      .map(({ dataClass, targetMs, actualMs, method }) => ({
        text:
          actualMs === undefined
            ? `What ${dataClass} lost is not known: ${method}.`
            : `RPO of ${dataClass} missed by ${formatDuration(actualMs - targetMs)}.`,
        owner: data,
      })),
    ...view.steps.flatMap((step): Task[] => {
      const over = overBudgetMs(step);
      if (over === undefined) return [];
      return [
        {
          text: `${step.name} took ${formatDuration(over)} longer than its budget: correct the cause or the budget.`,
          owner: COMMANDER,
        },
      ];
    }),
    ...copiesOf(outputs).flatMap(({ output }) =>
      output.unsound.map((text): Task => ({ text: `A copy is not sound: ${text}`, owner: data })),
    ),
    ...filesTroubles(outputs).map((text): Task => ({ text, owner: data })),
    ...pointsOf(outputs).flatMap(({ output }): Task[] =>
      output.usableRepositories.length > 1
        ? []
        : [
            {
              text: `Only ${output.archive?.copy ?? `repository ${output.usableRepositories.join(', ')}`} held what this recovery needed: a second copy was missing.`,
              owner: data,
            },
          ],
    ),
  ];
}

export function nextStepsOf({ plan, view, outputs, lost }: Situation): Task[] {
  const data = gateRoles(plan)[0] ?? COMMANDER;
  const tasks: Task[] = [];
  const add = (text: string, owner: string) => tasks.push({ text, owner });
  if (view.status !== 'recovered') {
    add('The system is not recovered: decide on the next recovery; the clock goes on.', COMMANDER);
    for (const step of view.steps.filter(
      ({ status, failure }) => failure !== undefined && status !== 'done',
    )) {
      add(`${step.name}: ${step.failure?.next ?? ''}`, data);
    }
  }
  for (const { dataClass, records, listed } of lost) {
    const what = `the ${formatCount(records)} lost ${records === 1 ? 'record' : 'records'} of ${dataClass}`;
    add(
      listed.length > 0
        ? `Answer for ${what}: they had been accepted. This report lists them by identifier.`
        : `Find out what ${what} held, from the damaged copy, and settle it.`,
      `owner of ${dataClass}`,
    );
  }
  for (const { output } of view.status === 'recovered' ? quarantinesOf(outputs) : []) {
    add(
      `Investigate the damaged copy in ${output.directory}, then release or destroy it: nothing does so by itself.`,
      data,
    );
    add('Bring the old primary back only as a new clone or through pg_rewind, after a timeline check.', data);
  }
  tasks.push(...breachTasks(outputs));
  for (const change of raisedTtlMissing(outputs)) add(change, data);
  add('Find the cause of the disaster and close it: until then it can happen again.', COMMANDER);
  add(
    'Hold the review: set due dates for the findings, and put what was learnt into the runbook.',
    COMMANDER,
  );
  add(`Set the date of the next test of ${plan.scenario} for ${plan.system}.`, COMMANDER);
  return tasks;
}

/** Records whose TTL is still lower than it was before the run. */
function raisedTtlMissing(outputs: Outputs): string[] {
  const before = new Map<string, number>();
  const after = new Map<string, number>();
  for (const { output } of recordChangesOf(outputs)) {
    before.set(output.record, Math.max(output.ttlBefore, before.get(output.record) ?? 0));
    after.set(output.record, output.ttlAfter);
  }
  return [...after].flatMap(([record, ttl]) => {
    const usual = before.get(record) ?? ttl;
    return ttl < usual
      ? [`Set the TTL of ${record} back from ${ttl} s to ${usual} s once things are calm.`]
      : [];
  });
}

/** From a runbook to the plan of a scenario: what `muster check`, `plan` and `recover` share. */
import { InputError, type InputProblem } from '../errors.js';
import { formatDuration } from '../model/format.js';
import type { PlanDocument } from '../model/plan.js';
import { crosscheckBudgets } from '../runbook/crosscheck.js';
import { quoted } from '../runbook/field-facts.js';
import type { LoadedRunbook } from '../runbook/load.js';
import { nearest } from '../runbook/nearest.js';
import { problemAt } from '../runbook/problems.js';
import { writeDuration } from '../runbook/write-duration.js';
import { type PlanVerdict, type RtoVerdict, verdictOf } from './plan-verdict.js';

/** A plan with what is said about it before anything runs. */
export interface PlannedScenario {
  readonly document: PlanDocument;
  /** SHA-256 of the plan: what approvals and the evidence refer to. */
  readonly hash: string;
  readonly verdict: PlanVerdict;
  /** Why nothing may be started with it; empty when it is fine. */
  readonly problems: readonly InputProblem[];
}

/** The scenarios that Muster knows and this runbook has a section for. */
export async function scenariosOf({ runbook }: LoadedRunbook): Promise<string[]> {
  const { scenarios } = await import('../../workflows/scenarios.js');
  return Object.keys(scenarios).filter((name) => sectionOf(runbook.scenarios, name) !== undefined);
}

/**
 * Builds the plan of a scenario for a runbook. Nothing is started and nothing is contacted.
 *
 * @throws InputError when the scenario is unknown or the runbook has no section for it
 */
export async function planScenario(loaded: LoadedRunbook, name: string): Promise<PlannedScenario> {
  const { scenarios } = await import('../../workflows/scenarios.js');
  const { planHash } = await import('../../workflows/engine/hash.js');
  if (!isKnown(scenarios, name)) throw unknownScenario(name, Object.keys(scenarios));
  if (sectionOf(loaded.runbook.scenarios, name) === undefined) throw noSection(loaded, name);
  const { document } = scenarios[name].buildPlan(loaded.runbook);
  const verdict = verdictOf(document);
  const steps = document.steps.filter((step) => step.kind !== 'gate').map((step) => step.name);
  return {
    document,
    hash: planHash(document),
    verdict,
    problems: [
      ...crosscheckBudgets(loaded.runbook, loaded.source, name, steps),
      ...verdict.components.filter((component) => !component.fits).map((late) => tooLong(loaded, name, late)),
    ],
  };
}

/**
 * The same for whoever is about to act on the plan.
 * @throws InputError when the plan must not be started as it is
 */
export async function requirePlan(loaded: LoadedRunbook, name: string): Promise<PlannedScenario> {
  const planned = await planScenario(loaded, name);
  if (planned.problems.length > 0) throw cannotHold(loaded, name, planned.problems);
  return planned;
}

export function cannotHold(
  { file }: LoadedRunbook,
  scenario: string,
  problems: readonly InputProblem[],
): InputError {
  return new InputError(`The plan ${scenario} of ${file} cannot be used as it is.`, problems, {
    next: 'Lower the budgets on the critical path to what past runs took, or raise the RTO with its owner.',
  });
}

function tooLong(loaded: LoadedRunbook, scenario: string, late: RtoVerdict): InputProblem {
  const [longest] = [...late.path].sort((one, other) => other.budgetMs - one.budgetMs);
  return problemAt(
    loaded.source,
    ['scenarios', scenario, 'budgets'],
    `budgets of ${formatDuration(late.totalMs)} until ${late.component} is back, most of it ${longest?.name} with ${writeDuration(longest?.budgetMs ?? 0)}`,
    `at most ${writeDuration(late.rtoMs)}, the RTO of ${late.component}; on the way are ${late.path.map(({ name }) => name).join(', ')}`,
  );
}

function isKnown<T extends object>(scenarios: T, name: string): name is keyof T & string {
  return Object.hasOwn(scenarios, name);
}

function sectionOf(sections: Readonly<Record<string, unknown>>, name: string): unknown {
  return Object.hasOwn(sections, name) ? sections[name] : undefined;
}

function unknownScenario(name: string, known: readonly string[]): InputError {
  const meant = nearest(name, known);
  return new InputError(`There is no scenario ${quoted(name)}.`, [
    {
      field: '<scenario>',
      given: quoted(name),
      allowed: `${meant === undefined ? '' : `${meant}, perhaps; `}the scenarios are: ${known.join(', ')}`,
    },
  ]);
}

function noSection(loaded: LoadedRunbook, name: string): InputError {
  return new InputError(`${loaded.file} says nothing about the scenario ${name}.`, [
    problemAt(loaded.source, ['scenarios', name], 'nothing', `a section scenarios.${name}`),
  ]);
}

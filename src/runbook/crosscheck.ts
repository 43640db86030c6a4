/**
 * What the schema alone cannot see: references between sections, and arrangements that would make a recovery dangerous or
 * impossible. Everything here is an error: a run of this runbook could not be right.
 */
import type { InputProblem } from '../errors.js';
import { checkAzLoss } from './crosscheck/az-loss.js';
import { checkBadDeployment } from './crosscheck/bad-deployment.js';
import { checkBreach } from './crosscheck/breach.js';
import { checkCopies } from './crosscheck/copies.js';
import { checkCorruptedTables } from './crosscheck/corrupted-tables.js';
import { checkDns } from './crosscheck/dns.js';
import { checkFailback } from './crosscheck/failback.js';
import { checkObjectLoss } from './crosscheck/object-loss.js';
import { checkObjectives } from './crosscheck/objectives.js';
import { checkObjects } from './crosscheck/objects.js';
import { checkPeople } from './crosscheck/people.js';
import { checkProviderOutage } from './crosscheck/provider-outage.js';
import { checkRegionalLoss } from './crosscheck/regional-loss.js';
import { Problems } from './crosscheck/report.js';
import { checkSalvage } from './crosscheck/salvage.js';
import { checkBackupLoss, checkCorruption, checkInfrastructureFailure } from './crosscheck/scenarios.js';
import { checkSites } from './crosscheck/sites.js';
import { checkUpdates } from './crosscheck/updates.js';
import { checkApplications, checkInvariants } from './crosscheck/verification.js';
import { byPlace } from './problems.js';
import type { Runbook } from './schema.js';
import type { RunbookSource } from './source.js';

/** @returns every problem, in the order of the lines; empty when the runbook holds together */
export function crosscheck(runbook: Runbook, source: RunbookSource): InputProblem[] {
  const problems = new Problems(source);
  checkPeople(runbook, problems);
  checkObjectives(runbook, problems);
  runbook.dependsOn.forEach((name, index) => {
    if (name === runbook.system) problems.add(['dependsOn', index], 'other systems than this one');
  });
  checkUpdates(runbook, problems);
  checkSites(runbook, problems);
  checkCopies(runbook, problems);
  checkDns(runbook, problems);
  checkObjects(runbook, problems);
  checkApplications(runbook, problems);
  checkInvariants(runbook, problems);
  checkCorruption(runbook, problems);
  checkAzLoss(runbook, problems);
  checkInfrastructureFailure(runbook, problems);
  checkObjectLoss(runbook, problems);
  checkRegionalLoss(runbook, problems);
  checkProviderOutage(runbook, problems);
  checkBackupLoss(runbook, problems);
  checkBadDeployment(runbook, problems);
  checkFailback(runbook, problems);
  checkBreach(runbook, problems);
  checkCorruptedTables(runbook, problems);
  checkSalvage(runbook, problems);
  return problems.all().sort(byPlace);
}

/**
 * Budgets for steps that the scenario does not have.
 *
 * @param steps names of the steps of the scenario's plan
 */
export function crosscheckBudgets(
  runbook: Runbook,
  source: RunbookSource,
  scenario: keyof Runbook['scenarios'],
  steps: readonly string[],
): InputProblem[] {
  const problems = new Problems(source);
  for (const step of Object.keys(runbook.scenarios[scenario]?.budgets ?? {})) {
    problems.mustBeOneOf(['scenarios', scenario, 'budgets', step], step, steps, `a step of ${scenario}`);
  }
  return problems.all().sort(byPlace);
}

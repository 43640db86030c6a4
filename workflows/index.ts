/** Every export is a workflow type; nothing else is exported. */
import type {
  BreachParams,
  CorruptionParams,
  NoParams,
  ObjectLossParams,
  RunInput,
  RunResult,
  TablesParams,
} from '../src/model/run.js';
import type { Runbook } from '../src/runbook/schema.js';
import { azLossScenario } from './azLoss.js';
import { backupLossScenario } from './backupLoss.js';
import { badDeploymentScenario } from './badDeployment.js';
import { breachScenario } from './breach.js';
import { corruptedTablesScenario } from './corruptedTables.js';
import { corruptionScenario } from './corruption.js';
import { runScenario } from './engine/scenario-workflow.js';
import { failbackScenario } from './failback.js';
import { infrastructureFailureScenario } from './infrastructureFailure.js';
import { objectLossScenario } from './objectLoss.js';
import { providerOutageScenario } from './providerOutage.js';
import { regionalLossScenario } from './regionalLoss.js';
import { salvageScenario } from './salvage.js';

export function corruption(input: RunInput<Runbook, CorruptionParams>): Promise<RunResult> {
  return runScenario(corruptionScenario, input);
}

export function azLoss(input: RunInput<Runbook, NoParams>): Promise<RunResult> {
  return runScenario(azLossScenario, input);
}

export function infrastructureFailure(input: RunInput<Runbook, NoParams>): Promise<RunResult> {
  return runScenario(infrastructureFailureScenario, input);
}

export function objectLoss(input: RunInput<Runbook, ObjectLossParams>): Promise<RunResult> {
  return runScenario(objectLossScenario, input);
}

export function regionalLoss(input: RunInput<Runbook, NoParams>): Promise<RunResult> {
  return runScenario(regionalLossScenario, input);
}

export function providerOutage(input: RunInput<Runbook, NoParams>): Promise<RunResult> {
  return runScenario(providerOutageScenario, input);
}

export function backupLoss(input: RunInput<Runbook, NoParams>): Promise<RunResult> {
  return runScenario(backupLossScenario, input);
}

export function badDeployment(input: RunInput<Runbook, NoParams>): Promise<RunResult> {
  return runScenario(badDeploymentScenario, input);
}

export function failback(input: RunInput<Runbook, NoParams>): Promise<RunResult> {
  return runScenario(failbackScenario, input);
}

export function breach(input: RunInput<Runbook, BreachParams>): Promise<RunResult> {
  return runScenario(breachScenario, input);
}

export { takeBackups as backup } from './backup.js';
export function corruptedTables(input: RunInput<Runbook, TablesParams>): Promise<RunResult> {
  return runScenario(corruptedTablesScenario, input);
}

export function salvage(input: RunInput<Runbook, NoParams>): Promise<RunResult> {
  return runScenario(salvageScenario, input);
}

export { deliverNotice } from './deliver-notice.js';
export { recoverAll } from './recoverAll.js';

/** Every scenario by name; the name is also the workflow type. */
import type {
  BreachParams,
  CorruptionParams,
  NoParams,
  ObjectLossParams,
  TablesParams,
} from '../src/model/run.js';
import { azLossScenario } from './azLoss.js';
import { backupLossScenario } from './backupLoss.js';
import { badDeploymentScenario } from './badDeployment.js';
import { breachScenario } from './breach.js';
import { corruptedTablesScenario } from './corruptedTables.js';
import { corruptionScenario } from './corruption.js';
import type { Scenario } from './engine/plan.js';
import { failbackScenario } from './failback.js';
import { infrastructureFailureScenario } from './infrastructureFailure.js';
import { objectLossScenario } from './objectLoss.js';
import { providerOutageScenario } from './providerOutage.js';
import { regionalLossScenario } from './regionalLoss.js';
import { salvageScenario } from './salvage.js';

export const scenarios: {
  readonly corruption: Scenario<CorruptionParams>;
  readonly azLoss: Scenario<NoParams>;
  readonly infrastructureFailure: Scenario<NoParams>;
  readonly objectLoss: Scenario<ObjectLossParams>;
  readonly regionalLoss: Scenario<NoParams>;
  readonly providerOutage: Scenario<NoParams>;
  readonly backupLoss: Scenario<NoParams>;
  readonly badDeployment: Scenario<NoParams>;
  readonly failback: Scenario<NoParams>;
  readonly breach: Scenario<BreachParams>;
  readonly corruptedTables: Scenario<TablesParams>;
  readonly salvage: Scenario<NoParams>;
} = {
  corruption: corruptionScenario,
  azLoss: azLossScenario,
  infrastructureFailure: infrastructureFailureScenario,
  objectLoss: objectLossScenario,
  regionalLoss: regionalLossScenario,
  providerOutage: providerOutageScenario,
  backupLoss: backupLossScenario,
  badDeployment: badDeploymentScenario,
  failback: failbackScenario,
  breach: breachScenario,
  corruptedTables: corruptedTablesScenario,
  salvage: salvageScenario,
};

export type ScenarioName = keyof typeof scenarios;

/** Every scenario by name; the name is also the workflow type. */
import type { CorruptionParams, NoParams } from '../src/model/run.js';
import { azLossScenario } from './azLoss.js';
import { corruptionScenario } from './corruption.js';
import type { Scenario } from './engine/plan.js';

export const scenarios: {
  readonly corruption: Scenario<CorruptionParams>;
  readonly azLoss: Scenario<NoParams>;
} = {
  corruption: corruptionScenario,
  azLoss: azLossScenario,
};

export type ScenarioName = keyof typeof scenarios;

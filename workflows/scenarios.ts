/** Every scenario by name; the name is also the workflow type. */
import type { CorruptionParams } from '../src/model/run.js';
import { corruptionScenario } from './corruption.js';
import type { Scenario } from './engine/plan.js';

export const scenarios: { readonly corruption: Scenario<CorruptionParams> } = {
  corruption: corruptionScenario,
};

export type ScenarioName = keyof typeof scenarios;

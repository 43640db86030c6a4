/**
 * The provider of the primary is out, with everything that runs there. Another provider goes on: by the hot standby there where one
 * is and is current, else by backup and restore. Nothing of the old provider is read, so nothing waits for it.
 */

import type { NoParams } from '../src/model/run.js';
import type { Runbook } from '../src/runbook/schema.js';
import { goOnElsewhere } from './elsewhere.js';
import type { Plan, Scenario } from './engine/plan.js';
import { PlanBuilder } from './engine/plan-builder.js';
import { standbyOrBackup } from './outage-with-standby.js';
import { providerOutageParts } from './parts.js';
import { headOf } from './steps/parts.js';

export const providerOutageScenario: Scenario<NoParams> = {
  name: 'providerOutage',
  title: 'Outage of a provider: another one takes over',
  buildPlan,
};

function buildPlan(runbook: Runbook): Plan<NoParams> {
  const outage = providerOutageParts(runbook);
  const plan = new PlanBuilder<NoParams>(
    headOf(runbook, providerOutageScenario, outage.section),
    outage.section.budgets,
  );
  const { hotStandby } = outage;
  return hotStandby === undefined
    ? goOnElsewhere(plan, outage.provider, outage)
    : standbyOrBackup(plan, { ...outage, hotStandby });
}

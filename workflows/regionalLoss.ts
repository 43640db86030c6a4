/**
 * The region of the primary is lost, with everything in it: servers, standby, application, buckets, and the backups that lie there.
 * The other region goes on from its own copies alone; nothing of the lost one is read, so nothing waits for it.
 */

import type { NoParams } from '../src/model/run.js';
import type { Runbook } from '../src/runbook/schema.js';
import { goOnElsewhere } from './elsewhere.js';
import type { Plan, Scenario } from './engine/plan.js';
import { PlanBuilder } from './engine/plan-builder.js';
import { regionalLossParts } from './parts.js';
import { headOf } from './steps/parts.js';

export const regionalLossScenario: Scenario<NoParams> = {
  name: 'regionalLoss',
  title: 'Loss of a region: the other one from its own copies',
  buildPlan,
};

function buildPlan(runbook: Runbook): Plan<NoParams> {
  const lost = regionalLossParts(runbook);
  const head = headOf(runbook, regionalLossScenario, lost.section);
  return goOnElsewhere(new PlanBuilder<NoParams>(head, lost.section.budgets), lost.region, lost);
}

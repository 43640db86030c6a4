/**
 * Loss of the primary's availability zone: the streaming standby in another zone takes over. The old primary is fenced, or
 * known to be out of reach; what the archive still has is replayed; then the standby is verified and promoted, application and
 * name follow, and a new standby is built.
 */

import type { NoParams } from '../src/model/run.js';
import type { Runbook } from '../src/runbook/schema.js';
import { showChecks, showFence, showStandby, showStandbyEnd } from './engine/facts.js';
import type { Plan, Scenario } from './engine/plan.js';
import { PlanBuilder } from './engine/plan-builder.js';
import { azLossParts } from './parts.js';
import { measureLoss, protectAgain } from './steps/aftermath.js';
import { cutOver, lowerDnsTtl } from './steps/cutover.js';
import { fencePrimary, preserveDamaged } from './steps/fence.js';
import { verifyContents } from './steps/ladder.js';
import { headOf } from './steps/parts.js';
import {
  buildStandby,
  catchUp,
  checkStandby,
  promoteStandby,
  startApplication,
  verifyStandby,
} from './steps/standby.js';

export const azLossScenario: Scenario<NoParams> = {
  name: 'azLoss',
  title: "Loss of the primary's zone: the standby takes over",
  buildPlan,
};

function buildPlan(runbook: Runbook): Plan<NoParams> {
  const { section, parts, newStandby } = azLossParts(runbook);
  const { dataClasses } = parts;

  const plan = new PlanBuilder<NoParams>(headOf(runbook, azLossScenario, section), section.budgets);

  const standby = checkStandby(plan, parts);

  const approved = plan.gate({
    name: 'failover',
    question: `Fail over to the standby at ${section.standby}?`,
    policy: section.gates.failover,
    needs: { standby },
    show: ({ standby }) => showStandby(standby, dataClasses),
    approving: `fences ${section.lost} and cuts the standby off from it: ${section.lost} takes no writes from then on`,
    denying:
      'nothing is fenced, the standby goes on following; the gate stays open for a later approval or an abort',
  });

  // From here on users notice, where the zone has left anything to notice.

  const lowered = lowerDnsTtl(plan, { approved }, parts);
  const fence = fencePrimary(plan, { point: standby, approved }, parts);
  const quarantine = preserveDamaged(plan, { point: standby, fence }, parts);
  const started = startApplication(plan, { approved }, parts);

  const caughtUp = catchUp(plan, { standby, fence }, parts);
  const files = verifyStandby(plan, { caughtUp }, parts);
  const contents = verifyContents(plan, { place: standby, point: caughtUp, files }, parts);
  const rungs = { files, ...contents };

  const promotionApproved = plan.gate({
    name: 'promote',
    question: 'Promote the standby? After this there is no way back.',
    policy: section.gates.promote,
    needs: { caughtUp, fence, quarantine, ...rungs },
    show: ({ caughtUp, fence, quarantine, ...results }) => [
      ...showStandbyEnd(caughtUp, dataClasses),
      ...showFence(fence),
      { label: 'old primary', value: quarantine.summary },
      ...showChecks(Object.values(results).flatMap((result) => result.checks)),
    ],
    approving: 'promotes the standby: it takes the writes from then on',
    denying: 'nothing is promoted; the gate stays open for a later approval or an abort',
  });

  const promotion = promoteStandby(plan, { caughtUp, fence, rungs, approved: promotionApproved }, parts);
  const { validation } = cutOver(plan, { place: standby, fence, promotion, lowered, started }, parts);

  // The service is back.

  measureLoss(plan, { place: standby, point: caughtUp, fence, validation }, parts);
  protectAgain(plan, { place: standby, promotion }, parts);
  if (newStandby !== undefined) buildStandby(plan, { promotion }, { ...parts, newStandby });

  return plan.build(validation);
}

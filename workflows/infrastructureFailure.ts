/**
 * The server of the primary is gone, and there is no standby, or none that can be used: the newest backup and all WAL that was
 * archived are restored on another server. Nothing that was written was bad, so everything that left the lost server comes back.
 */

import type { NoParams } from '../src/model/run.js';
import type { Runbook } from '../src/runbook/schema.js';
import { showPoint } from './engine/facts.js';
import type { Plan, Scenario } from './engine/plan.js';
import { PlanBuilder } from './engine/plan-builder.js';
import { infrastructureFailureParts } from './parts.js';
import { measureLoss, protectAgain, verifyOtherCopies } from './steps/aftermath.js';
import { buildCopy } from './steps/copy.js';
import { cutOver, lowerDnsTtl } from './steps/cutover.js';
import { fencePrimary, preserveDamaged } from './steps/fence.js';
import { climbLadder } from './steps/ladder.js';
import { lookAtLost, proposeNewest } from './steps/lost.js';
import { headOf } from './steps/parts.js';
import { askToPromote, promoteCopy } from './steps/promotion.js';
import { startApplication } from './steps/standby.js';

export const infrastructureFailureScenario: Scenario<NoParams> = {
  name: 'infrastructureFailure',
  title: "The primary's server is gone: all that was archived, on another one",
  buildPlan,
};

function buildPlan(runbook: Runbook): Plan<NoParams> {
  const { section, parts } = infrastructureFailureParts(runbook);
  const { dataClasses } = parts;

  const plan = new PlanBuilder<NoParams>(
    headOf(runbook, infrastructureFailureScenario, section),
    section.budgets,
  );

  const primary = lookAtLost(plan, parts);
  const point = proposeNewest(plan, parts);

  const approved = plan.gate({
    name: 'point',
    question: `Give ${section.lost} up and go on from what was archived?`,
    policy: section.gates.point,
    needs: { primary, point },
    show: ({ primary, point }) => [
      { label: primary.answers ? 'PRIMARY ANSWERS' : 'primary', value: primary.summary },
      ...showPoint(point, dataClasses),
    ],
    approving: `fences ${section.lost}: it takes no writes from then on, should it come back`,
    denying: 'nothing is fenced; the gate stays open for a later approval or an abort',
  });

  // While people decide: a copy is built and verified. Only what this run made is touched.

  const { place, restored } = buildCopy(plan, { point }, parts);
  const rungs = climbLadder(plan, { place, point, restored }, parts);

  // From here on it shows, where the lost server has left anything to notice.

  const lowered = lowerDnsTtl(plan, { approved }, parts);
  const fence = fencePrimary(plan, { point, approved }, parts);
  const quarantine = preserveDamaged(plan, { point, fence }, parts);
  const started = startApplication(plan, { approved }, parts);

  const promotionApproved = askToPromote(
    plan,
    { point, restored, fence, quarantine, rungs },
    section.gates.promote,
    parts,
  );
  const promotion = promoteCopy(
    plan,
    { place, point, restored, fence, rungs, approved: promotionApproved },
    parts,
  );
  const { validation } = cutOver(plan, { place, fence, promotion, lowered, started }, parts);

  // The service is back.

  measureLoss(plan, { place, point, fence, validation }, parts);
  protectAgain(plan, { place, promotion }, parts);
  verifyOtherCopies(plan, { place, point, repository: rungs.repository, restored }, parts);

  return plan.build(validation);
}

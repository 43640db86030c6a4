/**
 * The usual copies are all bad, or nobody knows which is not: every copy anywhere is looked at, tried in isolation in the order of
 * least loss, and the first that climbs every rung takes over. The originals are only read.
 */

import type { NoParams } from '../src/model/run.js';
import type { Runbook } from '../src/runbook/schema.js';
import { showChecks, showCopies, showFence } from './engine/facts.js';
import type { Plan, Scenario } from './engine/plan.js';
import { PlanBuilder } from './engine/plan-builder.js';
import { backupLossParts } from './parts.js';
import { measureLoss, protectAgain } from './steps/aftermath.js';
import { chooseCopy, promoteFound, surveyCopies, tryCopies } from './steps/copies.js';
import { cutOver, lowerDnsTtl } from './steps/cutover.js';
import { fencePrimary, preserveDamaged } from './steps/fence.js';
import { lookAtLost } from './steps/lost.js';
import { headOf } from './steps/parts.js';
import { startApplication } from './steps/standby.js';

export const backupLossScenario: Scenario<NoParams> = {
  name: 'backupLoss',
  title: 'The usual copies are bad: the one anywhere that loses least',
  buildPlan,
};

function buildPlan(runbook: Runbook): Plan<NoParams> {
  const { section, parts } = backupLossParts(runbook);
  const { dataClasses } = parts;

  const plan = new PlanBuilder<NoParams>(headOf(runbook, backupLossScenario, section), section.budgets);

  // Only what this run made is touched: copies are tried in isolation, their originals are read.

  const primary = lookAtLost(plan, parts);
  const survey = surveyCopies(plan, parts);
  const { choice, changeable } = chooseCopy(plan, { survey });
  const { place, found } = tryCopies(plan, { survey, choice }, parts);

  const approved = plan.gate({
    name: 'point',
    question: 'Go on from this copy, with what it loses?',
    policy: section.gates.point,
    needs: { primary, survey, found },
    show: ({ primary, survey, found }) => [
      { label: primary.answers ? 'PRIMARY ANSWERS' : 'primary', value: primary.summary },
      ...showCopies({ survey, found }, dataClasses),
    ],
    approving: `fences ${section.damaged}: what it took since it was copied is lost, and it takes nothing more`,
    denying: 'nothing is fenced; the gate stays open for a later approval, another copy or an abort',
    changes: [changeable],
  });

  // From here on it shows, where the damaged server has left anything to notice.

  const lowered = lowerDnsTtl(plan, { approved }, parts);
  const fence = fencePrimary(plan, { point: found, approved }, parts);
  const quarantine = preserveDamaged(plan, { point: found, fence }, parts);
  const started = startApplication(plan, { approved }, parts);

  const promotionApproved = plan.gate({
    name: 'promote',
    question: 'Promote the copy that is sound? After this there is no way back.',
    policy: section.gates.promote,
    needs: { survey, found, fence, quarantine },
    show: ({ survey, found, fence, quarantine }) => [
      ...showCopies({ survey, found }, dataClasses),
      ...showFence(fence),
      { label: 'quarantine', value: quarantine.summary },
      ...showChecks(found.checks),
    ],
    approving: 'promotes the copy: it takes the writes from then on',
    denying: 'nothing is promoted; the gate stays open for a later approval or an abort',
  });

  const promotion = promoteFound(plan, { found, fence, approved: promotionApproved }, parts);
  const { validation } = cutOver(plan, { place, fence, promotion, lowered, started }, parts);

  // The service is back.

  measureLoss(plan, { place, point: found, fence, validation }, parts);
  protectAgain(plan, { place, promotion }, parts);

  return plan.build(validation);
}

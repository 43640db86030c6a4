/**
 * Data corruption: the newest state is bad, and so is every standby. Go back to the newest moment before the damage, on a
 * fresh copy beside the damaged one; the damaged one is fenced and kept.
 */

import { assessCommands } from '../activities/assess/commands.js';
import { pointCommands } from '../activities/point/commands.js';
import type { CorruptionParams } from '../src/model/run.js';
import type { Runbook } from '../src/runbook/schema.js';
import { showAssessment, showPoint } from './engine/facts.js';
import type { Plan, Scenario } from './engine/plan.js';
import { PlanBuilder } from './engine/plan-builder.js';
import { corruptionParts, momentProblem } from './parts.js';
import { measureLoss, protectAgain, verifyOtherCopies } from './steps/aftermath.js';
import { buildCopy } from './steps/copy.js';
import { cutOver, lowerDnsTtl } from './steps/cutover.js';
import { fencePrimary, preserveDamaged } from './steps/fence.js';
import { climbLadder } from './steps/ladder.js';
import { headOf, minutes } from './steps/parts.js';
import { askToPromote, promoteCopy } from './steps/promotion.js';

export const corruptionScenario: Scenario<CorruptionParams> = {
  name: 'corruption',
  title: 'Data corruption: back to the newest good moment',
  buildPlan,
};

function buildPlan(runbook: Runbook): Plan<CorruptionParams> {
  const { section, parts } = corruptionParts(runbook);
  const { damaged, target, backup, verification, dataClasses } = parts;
  const { invariants } = verification;

  const plan = new PlanBuilder<CorruptionParams>(
    headOf(runbook, corruptionScenario, section),
    section.budgets,
  );

  const assessment = plan.step({
    name: 'assess',
    title: 'Measure the damage on the live data',
    effect: 'none',
    budgetMs: 5 * minutes,
    needs: {},
    commands: assessCommands({ damaged, invariants }),
    do: ({ at, long }) => long.assessDamage({ at, damaged, invariants, dataClasses }),
  });

  const point = plan.step({
    name: 'propose-point',
    title: 'Find the newest recovery point before the damage',
    effect: 'none',
    budgetMs: 2 * minutes,
    needs: {},
    commands: pointCommands({ damaged, backup }),
    do: ({ at, quick, long, params: { before } }) =>
      before === undefined
        ? long.searchPoint({ at, damaged, target, backup, invariants, dataClasses })
        : quick.proposePoint({ at, damaged, backup, before, dataClasses }),
  });

  const anotherPoint = plan.changeable({
    name: 'point',
    step: point,
    needs: {},
    allowed: 'a moment, ISO 8601 with a zone',
    check: momentProblem,
    // What was restored is moved there by a delta restore.
    madeBefore: 'kept',
    do: ({ at, quick }, _needs, before) => quick.proposePoint({ at, damaged, backup, before, dataClasses }),
  });

  const approved = plan.gate({
    name: 'point',
    question: 'Go back to this recovery point?',
    policy: section.gates.point,
    needs: { assessment, point },
    show: ({ assessment, point }) => [...showPoint(point, dataClasses), ...showAssessment(assessment)],
    approving: 'fences the damaged primary: payments stop until the cutover',
    denying: 'nothing is fenced; the gate stays open for another point or an abort',
    changes: [anotherPoint],
  });

  // While people decide: a copy at the proposed point is built and verified. Only what this run made is touched.

  const { place, restored } = buildCopy(plan, { point }, parts);
  const rungs = climbLadder(plan, { place, point, restored }, parts);

  // From here on users notice.

  const lowered = lowerDnsTtl(plan, { approved }, parts);
  const fence = fencePrimary(plan, { point, approved }, parts);
  const quarantine = preserveDamaged(plan, { point, fence }, parts);

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
  const { validation } = cutOver(plan, { place, fence, promotion, lowered }, parts);

  // The service is back.

  measureLoss(plan, { place, point, fence, validation }, parts);
  protectAgain(plan, { place, promotion }, parts);
  verifyOtherCopies(plan, { place, point, repository: rungs.repository, restored }, parts);

  return plan.build(validation);
}

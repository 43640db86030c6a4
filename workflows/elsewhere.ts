/**
 * All that is in one place is lost: a region, a provider. Another place goes on from its own copies alone; nothing of the lost one is
 * read, so nothing waits for it.
 */

import type { LostPrimary, RecoveryPoint } from '../activities/contract.js';
import type { NoParams } from '../src/model/run.js';
import { showPoint } from './engine/facts.js';
import type { Plan } from './engine/plan.js';
import type { PlanBuilder } from './engine/plan-builder.js';
import type { providerOutageParts, regionalLossParts } from './parts.js';
import { measureLoss, protectAgain, verifyOtherCopies } from './steps/aftermath.js';
import { buildCopy } from './steps/copy.js';
import { cutOver, lowerDnsTtl } from './steps/cutover.js';
import { fencePrimary, preserveDamaged } from './steps/fence.js';
import { climbLadder } from './steps/ladder.js';
import { lookAtLost, proposeNewest } from './steps/lost.js';
import { reconcileWithCopy, takeOverFiles } from './steps/objects.js';
import { askToPromote, promoteCopy } from './steps/promotion.js';
import { deployThere, makeInfrastructure, planInfrastructure } from './steps/region.js';

type Elsewhere = ReturnType<typeof regionalLossParts> | ReturnType<typeof providerOutageParts>;

/** @param lost what people call the place that is lost */
export function goOnElsewhere(
  plan: PlanBuilder<NoParams>,
  lost: string,
  { section, parts, copiesLeft, stores, infrastructure }: Elsewhere,
): Plan<NoParams> {
  const { dataClasses } = parts;

  const primary = lookAtLost(plan, parts);
  const point = proposeNewest(plan, parts);
  const shown = infrastructure && planInfrastructure(plan, infrastructure);

  const gate = {
    name: 'point',
    question: `Give ${lost} up and go on in ${section.target} from what is there?`,
    policy: section.gates.point,
    approving: `fences ${section.lost}: it takes no writes from then on, should ${lost} come back`,
    denying: 'nothing is fenced; the gate stays open for a later approval or an abort',
  };
  const facts = (primary: LostPrimary, point: RecoveryPoint) => [
    { label: primary.answers ? 'PRIMARY ANSWERS' : 'primary', value: primary.summary },
    ...showPoint(point, dataClasses),
  ];
  const approved =
    shown === undefined
      ? plan.gate({
          ...gate,
          needs: { primary, point },
          show: ({ primary, point }) => facts(primary, point),
        })
      : plan.gate({
          ...gate,
          needs: { primary, point, shown },
          show: ({ primary, point, shown }) => [
            ...facts(primary, point),
            { label: 'is made', value: shown.summary },
          ],
        });

  const made = infrastructure && shown && makeInfrastructure(plan, { shown, approved }, infrastructure);

  // Where nothing has to be made first, the copy is built and verified while people decide.

  const { place, restored } = buildCopy(plan, { point, ...(made && { ready: made }) }, parts);
  const rungs = climbLadder(plan, { place, point, restored }, parts);

  // From here on it shows, where the loss has left anything to notice.

  const lowered = lowerDnsTtl(plan, { approved }, parts);
  const fence = fencePrimary(plan, { point, approved }, parts);
  const quarantine = preserveDamaged(plan, { point, fence }, parts);
  const started = deployThere(plan, { place, made, approved }, stores, parts);
  for (const store of stores) {
    takeOverFiles(plan, { approved }, store);
    reconcileWithCopy(plan, { place, files: rungs.files }, store, parts);
  }

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
  if (copiesLeft > 1) {
    verifyOtherCopies(plan, { place, point, repository: rungs.repository, restored }, parts);
  }

  return plan.build(validation);
}

/**
 * The provider of the primary is out, with everything that runs there. Another provider goes on: by the hot standby there where one
 * is and is current, else by backup and restore. Nothing of the old provider is read, so nothing waits for it.
 */

import type { LostPrimary, RecoveryPoint } from '../activities/contract.js';
import type { NoParams } from '../src/model/run.js';
import type { Runbook } from '../src/runbook/schema.js';
import { showPoint } from './engine/facts.js';
import type { Plan, Scenario } from './engine/plan.js';
import { PlanBuilder } from './engine/plan-builder.js';
import { standbyOrBackup } from './outage-with-standby.js';
import { providerOutageParts } from './parts.js';
import { measureLoss, protectAgain, verifyOtherCopies } from './steps/aftermath.js';
import { buildCopy } from './steps/copy.js';
import { cutOver, lowerDnsTtl } from './steps/cutover.js';
import { fencePrimary, preserveDamaged } from './steps/fence.js';
import { climbLadder } from './steps/ladder.js';
import { lookAtLost, proposeNewest } from './steps/lost.js';
import { reconcileWithCopy, takeOverFiles } from './steps/objects.js';
import { headOf } from './steps/parts.js';
import { askToPromote, promoteCopy } from './steps/promotion.js';
import { deployThere, makeInfrastructure, planInfrastructure } from './steps/region.js';

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
    ? backupAndRestore(plan, outage)
    : standbyOrBackup(plan, { ...outage, hotStandby });
}

/** There is no standby: the newest backup is restored at the other provider. */
function backupAndRestore(
  plan: PlanBuilder<NoParams>,
  { section, provider, parts, copiesLeft, stores, infrastructure }: ReturnType<typeof providerOutageParts>,
): Plan<NoParams> {
  const { dataClasses } = parts;

  const primary = lookAtLost(plan, parts);
  const point = proposeNewest(plan, parts);
  const shown = infrastructure && planInfrastructure(plan, infrastructure);

  const gate = {
    name: 'point',
    question: `Give ${provider} up and go on in ${section.target} from what is there?`,
    policy: section.gates.point,
    approving: `fences ${section.lost}: it takes no writes from then on, should ${provider} come back`,
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

  // From here on it shows, where the outage has left anything to notice.

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

/**
 * An outage of a provider where a hot standby follows at another one: it takes over where it is current, and where it is not, a
 * backup is restored there. Which of the two it is, is seen by the run and decided by people; the steps of the other way have
 * nothing to do.
 */

import type { LostPrimary, WaysOpen } from '../activities/contract.js';
import type { NoParams } from '../src/model/run.js';
import { showChecks, showFence } from './engine/facts.js';
import type { Plan } from './engine/plan.js';
import type { PlanBuilder } from './engine/plan-builder.js';
import { showPicked, showWays } from './engine/way-facts.js';
import type { providerOutageParts } from './parts.js';
import { measureLoss, protectAgain } from './steps/aftermath.js';
import { restoreAt } from './steps/copy.js';
import { cutOver, lowerDnsTtl } from './steps/cutover.js';
import { fencePrimary, preserveDamaged } from './steps/fence.js';
import { climbLadder } from './steps/ladder.js';
import { lookAtLost } from './steps/lost.js';
import { reconcileWithCopy, takeOverFiles } from './steps/objects.js';
import { deployThere, makeInfrastructure, planInfrastructure } from './steps/region.js';
import { catchUp, verifyStandby } from './steps/standby.js';
import {
  chooseWay,
  lookAtWays,
  pickCopy,
  promotePicked,
  takePoint,
  verifyStandbyContents,
} from './steps/ways.js';

type Outage = ReturnType<typeof providerOutageParts>;

export function standbyOrBackup(
  plan: PlanBuilder<NoParams>,
  outage: Outage & { readonly hotStandby: NonNullable<Outage['hotStandby']> },
): Plan<NoParams> {
  const { section, provider, stores, infrastructure, hotStandby } = outage;
  const { parts, maxLagMs } = hotStandby;
  const { target: standby, dataClasses } = parts;
  const from = outage.parts.target;

  // Detect, and see whether the standby is current.

  const primary = lookAtLost(plan, parts);
  const ways = lookAtWays(plan, parts, { from, maxLagMs });
  const { place, another } = chooseWay(plan, { ways }, parts);
  const shown = infrastructure && planInfrastructure(plan, infrastructure);

  const gate = {
    name: 'point',
    question: `Give ${provider} up and go on with another provider?`,
    policy: section.gates.point,
    approving: `fences ${section.lost}: it takes no writes from then on, should ${provider} come back`,
    denying:
      'nothing is fenced, the standby goes on following; the gate stays open for a later approval or an abort',
    changes: [another],
  };
  const facts = (primary: LostPrimary, ways: WaysOpen) => [
    { label: primary.answers ? 'PRIMARY ANSWERS' : 'primary', value: primary.summary },
    ...showWays(ways, dataClasses),
  ];
  const approved =
    shown === undefined
      ? plan.gate({
          ...gate,
          needs: { primary, ways },
          show: ({ primary, ways }) => facts(primary, ways),
        })
      : plan.gate({
          ...gate,
          needs: { primary, ways, shown },
          show: ({ primary, ways, shown }) => [
            ...facts(primary, ways),
            { label: 'is made', value: shown.summary },
          ],
        });

  const made = infrastructure && shown && makeInfrastructure(plan, { shown, approved }, infrastructure);

  // From here on it shows, where the outage has left anything to notice. Who takes over changes nothing of this.

  const lowered = lowerDnsTtl(plan, { approved }, parts);
  const fence = fencePrimary(plan, { point: ways, approved }, parts);
  const quarantine = preserveDamaged(plan, { point: ways, fence }, parts);

  // By the standby: it is cut off, brought to the end of all that there is, and verified as it stands.

  const byStandby = {
    label: 'by standby',
    place,
    leadsTo: (site: string) => site === standby.site,
    otherwise: 'a backup is restored',
  };
  const { caughtUp, standbyFiles, standbyContents } = plan.along(byStandby, (plan) => {
    const caughtUp = catchUp(plan, { standby: ways, fence }, parts);
    const standbyFiles = verifyStandby(plan, { caughtUp }, parts);
    return {
      caughtUp,
      standbyFiles,
      standbyContents: verifyStandbyContents(plan, { caughtUp, files: standbyFiles }, parts),
    };
  });

  // By a backup: it is restored and verified while people decide, unless something has to be made for it first.

  const byBackup = {
    label: 'by backup',
    place,
    leadsTo: (site: string) => site !== standby.site,
    otherwise: 'the standby takes over',
  };
  const { point, restored, rungs } = plan.along(byBackup, (plan) => {
    const elsewhere = { ...parts, target: from };
    const point = takePoint(plan, { ways });
    const { restored } = restoreAt(plan, { place, point, ...(made && { ready: made }) }, elsewhere);
    return { point, restored, rungs: climbLadder(plan, { place, point, restored }, elsewhere) };
  });

  const copy = pickCopy(plan, { place, caughtUp, point, restored }, parts);

  const started = deployThere(plan, { place, made, approved }, stores, parts);
  for (const store of stores) {
    takeOverFiles(plan, { approved }, store);
    reconcileWithCopy(plan, { place, files: copy }, store, parts);
  }

  const allRungs = { standbyFiles, standbyContents, ...rungs };
  const promotionApproved = plan.gate({
    name: 'promote',
    question: 'Promote the copy? After this there is no way back.',
    policy: section.gates.promote,
    needs: { copy, fence, quarantine, ...allRungs },
    show: ({ copy, fence, quarantine, ...results }) => [
      ...showPicked(copy, dataClasses),
      ...showFence(fence),
      { label: 'old primary', value: quarantine.summary },
      ...showChecks(Object.values(results).flatMap((result) => result.checks)),
    ],
    approving: 'promotes the copy: it takes the writes from then on',
    denying: 'nothing is promoted; the gate stays open for a later approval or an abort',
  });

  const promotion = promotePicked(plan, { copy, fence, rungs: allRungs, approved: promotionApproved }, parts);
  const { validation } = cutOver(plan, { place, fence, promotion, lowered, started }, parts);

  // The service is back.

  measureLoss(plan, { place, point: copy, fence, validation }, parts);
  protectAgain(plan, { place, promotion }, parts);

  return plan.build(validation);
}

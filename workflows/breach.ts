/**
 * Somebody was in, or is: ransomware, a stolen login, a back door. The service is isolated, what the intruder left is kept as
 * evidence, and the newest copy from before is built in a clean site that nobody reaches, from copies that the intruder could not
 * change. It takes over only with credentials that nobody has stolen.
 */

import type { IntrusionSigns, MusterActivities, StepRef } from '../activities/contract.js';
import { cleanPointCommands } from '../activities/point/commands.js';
import type { BreachParams, Fact } from '../src/model/run.js';
import type { Runbook } from '../src/runbook/schema.js';
import { showChecks, showFence, showPoint } from './engine/facts.js';
import type { Plan, Scenario } from './engine/plan.js';
import { PlanBuilder } from './engine/plan-builder.js';
import { breachParts, momentProblem } from './parts.js';
import { measureLoss, protectAgain } from './steps/aftermath.js';
import {
  captureState,
  deployAnew,
  lookForIntrusion,
  renewCredentials,
  secureEvidence,
  stopApplication,
  verifyClean,
} from './steps/breach.js';
import { buildCopy } from './steps/copy.js';
import { cutOver, lowerDnsTtl } from './steps/cutover.js';
import { fencePrimary, preserveDamaged } from './steps/fence.js';
import { climbLadder } from './steps/ladder.js';
import { headOf, minutes } from './steps/parts.js';
import { promoteCopy } from './steps/promotion.js';

export const breachScenario: Scenario<BreachParams> = {
  name: 'breach',
  title: 'Security breach or ransomware: a clean copy, clean credentials, evidence kept',
  buildPlan,
};

function buildPlan(runbook: Runbook): Plan<BreachParams> {
  const { section, parts, opened, allCopies, renewals } = breachParts(runbook);
  const { damaged, target, backup, dataClasses } = parts;
  const { baseline, tables } = section;
  const { invariants } = runbook.verification;

  const plan = new PlanBuilder<BreachParams>(headOf(runbook, breachScenario, section), section.budgets);

  // Nobody notices yet, the intruder included.

  const signs = lookForIntrusion(plan, section, parts);
  const captured = captureState(plan, section, parts);

  const isolating = plan.gate({
    name: 'isolate',
    question: `Isolate ${damaged.site}: no login, no session, no application?`,
    policy: section.gates.isolate,
    needs: { signs, captured },
    show: ({ signs, captured }) => [...showSigns(signs), { label: 'captured', value: captured.summary }],
    approving: `stops the application and fences ${damaged.site}: payments stop until the cutover`,
    denying: 'nothing is isolated; the gate stays open for a later approval or an abort',
  });

  // From here on everybody notices.

  const stopped = stopApplication(plan, { approved: isolating }, section, parts);
  const lowered = lowerDnsTtl(plan, { approved: isolating }, parts);
  const fence = fencePrimary(plan, { point: signs, approved: isolating }, parts);
  const quarantine = preserveDamaged(plan, { point: signs, fence }, parts);
  secureEvidence(plan, { quarantine, captured }, section, { ...parts, backup: allCopies });

  // At the same time: a copy from before the intrusion, in a place that nobody reaches.

  const propose = (
    at: StepRef,
    { proposeClean }: MusterActivities,
    signs: IntrusionSigns,
    before: string,
  ) => {
    const { systemIdentifier, timeline } = signs;
    const replaced = { systemIdentifier, timeline };
    const clean = { baseline, tables, invariants };
    return proposeClean({ at, damaged, from: target, replaced, backup, before, clean, dataClasses });
  };

  const point = plan.step({
    name: 'propose-point',
    title:
      'Find the newest recovery point before the first sign, in copies that the intruder could not change',
    effect: 'none',
    // Archives are loaded to be looked into; WAL leads to the moment by itself.
    budgetMs: (backup.driver === 'archive' ? 30 : 2) * minutes,
    needs: { signs },
    commands: cleanPointCommands({ damaged: target, backup }),
    do: ({ at, long, params }, { signs }) => propose(at, long, signs, params.before ?? signs.time),
  });

  const anotherPoint = plan.changeable({
    name: 'point',
    step: point,
    needs: { signs },
    allowed: 'a moment, ISO 8601 with a zone',
    check: momentProblem,
    madeBefore: 'kept',
    do: ({ at, long }, { signs }, before) => propose(at, long, signs, before),
  });

  const agreed = plan.gate({
    name: 'point',
    question: 'Was nobody in before this recovery point?',
    policy: section.gates.point,
    needs: { signs, point },
    show: ({ signs, point }) => [...showPoint(point, dataClasses), ...showSigns(signs)],
    approving: 'makes this the point that is gone back to; nothing is promoted yet',
    denying: 'the gate stays open for another point or an abort',
    changes: [anotherPoint],
  });

  const { place, restored } = buildCopy(plan, { point }, parts);
  const ladder = climbLadder(plan, { place, point, restored }, parts);
  const clean = verifyClean(plan, { place, files: ladder.files }, section, parts);
  const rungs = { ...ladder, clean };

  const approved = plan.gate({
    name: 'security',
    question: 'Is this copy clean, and may it take over? After this there is no way back.',
    policy: section.gates.security,
    needs: { signs, point, restored, fence, quarantine, ...rungs },
    after: [agreed, stopped],
    show: ({ signs, point, restored, fence, quarantine, ...results }) => [
      ...showPoint(point, dataClasses),
      ...showSigns(signs),
      ...showFence(fence),
      { label: 'quarantine', value: quarantine.summary },
      { label: 'restored', value: restored.summary },
      ...showChecks(Object.values(results).flatMap((result) => result.checks)),
      { label: 'credentials', value: `exchanged next: ${renewals.map(({ user }) => user).join(', ')}` },
    ],
    approving: 'promotes the copy, which only Muster reaches until every credential is exchanged',
    denying: 'nothing is promoted; the gate stays open for a later approval or an abort',
  });

  const promotion = promoteCopy(plan, { place, point, restored, fence, rungs, approved }, parts);
  const open = renewCredentials(plan, { place, promotion }, section, renewals, { sealed: parts, opened });
  const started = deployAnew(plan, { place, opened: open }, renewals, opened);
  const { validation } = cutOver(plan, { place, fence, promotion: open, lowered, started }, opened);

  // The service is back.

  measureLoss(plan, { place, point, fence, validation }, opened);
  protectAgain(plan, { place, promotion: open }, opened);

  return plan.build(validation);
}

function showSigns({ signs, answers, earliest, summary }: IntrusionSigns): Fact[] {
  if (!answers) return [{ label: 'NOTHING SEEN', value: summary }];
  if (signs.length === 0) return [{ label: 'NO SIGN', value: 'nothing beyond the baseline was found' }];
  return [
    {
      label: 'first sign',
      value: earliest ?? 'NOT DATED: name the moment yourselves (the change "point")',
    },
    ...signs.slice(0, 12).map(({ what, seenAt }) => ({ label: seenAt ?? 'not dated', value: what })),
    ...(signs.length > 12 ? [{ label: 'further signs', value: String(signs.length - 12) }] : []),
  ];
}

/**
 * A recovery has moved the system; this brings it home by plan. A standby is built at home and verified while users work; then
 * the primary is shut down cleanly, the standby has its very last record or nothing happens, and it takes over. The site that
 * was left follows it. Where backups are archives no standby can be led there: failback-archive.ts.
 */

import type { NoParams } from '../src/model/run.js';
import type { Runbook } from '../src/runbook/schema.js';
import { showChecks, showHomecoming } from './engine/facts.js';
import type { Plan, Scenario } from './engine/plan.js';
import { PlanBuilder } from './engine/plan-builder.js';
import { planByArchive } from './failback-archive.js';
import { failbackParts, type StandbyFailback } from './parts.js';
import { measureLoss, protectAgain } from './steps/aftermath.js';
import { cutOver, lowerDnsTtl } from './steps/cutover.js';
import {
  awaitForgotten,
  findPrimary,
  followHome,
  holdHome,
  releaseHome,
  reseedHome,
  stopPrimary,
  verifyHomePages,
  verifySwitchover,
} from './steps/failback.js';
import { verifyContents } from './steps/ladder.js';
import { headOf } from './steps/parts.js';
import { catchUp, promoteStandby, startApplication } from './steps/standby.js';

export const failbackScenario: Scenario<NoParams> = {
  name: 'failback',
  title: 'Home again after a recovery, without loss',
  buildPlan,
};

function buildPlan(runbook: Runbook): Plan<NoParams> {
  const known = failbackParts(runbook);
  const { section } = known;
  const plan = new PlanBuilder<NoParams>(headOf(runbook, failbackScenario, section), section.budgets);
  return known.way === 'archive' ? planByArchive(plan, known) : planByStandby(plan, known);
}

function planByStandby(plan: PlanBuilder<NoParams>, { section, parts }: StandbyFailback): Plan<NoParams> {
  const { home, from } = section;

  // While users work: a standby at home, and everything of it looked at.

  const primary = findPrimary(plan, parts);
  const built = reseedHome(plan, { primary }, parts);
  const held = holdHome(plan, { primary, built }, parts);
  const pages = verifyHomePages(plan, { held }, parts);
  const contents = verifyContents(plan, { place: built, point: held, files: held }, parts);
  const standby = releaseHome(plan, { verified: [pages, ...Object.values(contents)] }, parts);

  const approved = plan.gate({
    name: 'switchover',
    question: `Interrupt the service and go home to ${home}?`,
    policy: section.gates.switchover,
    needs: { primary, built, standby, pages, ...contents },
    show: ({ primary, built, standby, ...results }) => [
      ...showHomecoming({ primary, built, standby }),
      ...showChecks(Object.values(results).flatMap((result) => result.checks)),
    ],
    approving: `shuts ${from} down: nothing is taken until ${home} is promoted. Nobody is asked again; if ${home} lacks a single byte, ${from} opens again`,
    denying: `nothing is interrupted, ${home} goes on following; the gate stays open for a later approval or an abort`,
  });

  const lowered = lowerDnsTtl(plan, { approved }, parts);
  const waited = awaitForgotten(plan, { lowered }, parts);
  const started = startApplication(plan, { approved }, parts);

  // From here on users notice.

  const fence = stopPrimary(plan, { primary, waited }, parts);
  const caughtUp = catchUp(plan, { standby, fence }, parts);
  const files = verifySwitchover(plan, { caughtUp, fence }, parts);
  const rungs = { files, pages, ...contents };
  const promotion = promoteStandby(plan, { caughtUp, fence, rungs, approved }, parts);
  const { validation } = cutOver(plan, { place: built, fence, promotion, lowered, started }, parts);

  // The service is back.

  measureLoss(plan, { place: built, point: caughtUp, fence, validation, primary }, parts);
  protectAgain(plan, { place: built, promotion }, parts);
  followHome(plan, { fence, validation }, parts);

  return plan.build(validation);
}

/**
 * The way home of a system that is backed up by archives: no WAL leads a standby there. The primary goes on answering and takes no
 * writes, its last state is dumped and loaded at home, every figure is compared and every rung climbed; then home takes over.
 */
import type { NoParams } from '../src/model/run.js';
import { showDumpedHomecoming } from './engine/facts.js';
import type { Plan } from './engine/plan.js';
import type { PlanBuilder } from './engine/plan-builder.js';
import type { ArchiveFailback } from './parts.js';
import { measureLoss, protectAgain } from './steps/aftermath.js';
import { cutOver, lowerDnsTtl } from './steps/cutover.js';
import { awaitForgotten, findPrimary } from './steps/failback.js';
import {
  closePrimary,
  findLastArchive,
  loadAtHome,
  provisionHome,
  releaseSites,
  takeLastArchive,
} from './steps/failback-archive.js';
import { preserveDamaged } from './steps/fence.js';
import { climbLadder } from './steps/ladder.js';
import { promoteCopy } from './steps/promotion.js';
import { startApplication } from './steps/standby.js';

export function planByArchive(
  plan: PlanBuilder<NoParams>,
  { section, parts }: ArchiveFailback,
): Plan<NoParams> {
  const { home, from } = section;

  // While users work.

  const primary = findPrimary(plan, parts);
  const provisioned = provisionHome(plan, { primary }, parts);

  const approved = plan.gate({
    name: 'switchover',
    question: `Stop all writes and go home to ${home}?`,
    policy: section.gates.switchover,
    needs: { primary, provisioned },
    show: ({ primary }) => showDumpedHomecoming({ primary, home }),
    approving: `stops all writes at ${from} until ${home} is promoted: as long as dumping, loading and comparing take. Nobody is asked again; if anything differs, the run stops and ${from} can be opened again`,
    denying: `nothing is interrupted; the gate stays open for a later approval or an abort`,
  });

  const lowered = lowerDnsTtl(plan, { approved }, parts);
  const waited = awaitForgotten(plan, { lowered }, parts);
  const started = startApplication(plan, { approved }, parts);

  // From here on users can only read.

  const fence = closePrimary(plan, { primary, waited }, parts);
  const taken = takeLastArchive(plan, { fence }, parts);
  const point = findLastArchive(plan, { taken }, parts);
  const restored = loadAtHome(plan, { point, provisioned }, parts);
  const rungs = climbLadder(plan, { place: provisioned, point, restored }, parts);

  // Nobody reads at the old place any more: it must not be taken for the primary.

  const silent = preserveDamaged(plan, { point, fence }, parts);
  const promotion = promoteCopy(
    plan,
    { place: provisioned, point, restored, fence, rungs, approved, silent },
    parts,
  );
  const { validation } = cutOver(plan, { place: provisioned, fence, promotion, lowered, started }, parts);

  // The service is back.

  measureLoss(plan, { place: provisioned, point, fence, validation, primary }, parts);
  protectAgain(plan, { place: provisioned, promotion }, parts);
  releaseSites(plan, { validation }, parts);

  return plan.build(validation);
}

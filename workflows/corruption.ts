/**
 * Data corruption: the newest state is bad, and so is every standby. Go back to the newest moment before the damage, on a
 * fresh copy beside the damaged one; the damaged one is fenced and kept.
 */

import { assessCommands } from '../activities/assess/commands.js';
import { backupCommands } from '../activities/backup/commands.js';
import { recordCommands } from '../activities/dns/commands.js';
import { fenceCommands } from '../activities/fence/commands.js';
import { lossCommands } from '../activities/loss/commands.js';
import { pointCommands } from '../activities/point/commands.js';
import { preserveCommands } from '../activities/preserve/commands.js';
import { promoteCommands } from '../activities/promote/commands.js';
import { provisionCommands } from '../activities/provision/commands.js';
import { restoreCommands } from '../activities/restore/commands.js';
import { validateCommands } from '../activities/validate/commands.js';
import { verifyCommands } from '../activities/verify/commands.js';
import type { CorruptionParams } from '../src/model/run.js';
import type { Runbook } from '../src/runbook/schema.js';
import { showAssessment, showChecks, showFence, showPoint } from './engine/facts.js';
import type { Plan, Scenario } from './engine/plan.js';
import { PlanBuilder } from './engine/plan-builder.js';
import { corruptionParts, leftWhereItIs, momentProblem, siteProblem } from './parts.js';

const minutes = 60_000;

export const corruptionScenario: Scenario<CorruptionParams> = {
  name: 'corruption',
  title: 'Data corruption: back to the newest good moment',
  buildPlan,
};

function buildPlan(runbook: Runbook): Plan<CorruptionParams> {
  const { section, damaged, target, targets, targetAt, backup, record, application, quarantineDirectory } =
    corruptionParts(runbook);
  const { vault, verification } = runbook;
  const { dataClasses } = runbook.objectives;

  const plan = new PlanBuilder<CorruptionParams>(
    {
      scenario: 'corruption',
      system: runbook.system,
      title: corruptionScenario.title,
      component: section.component,
      rtoMs: runbook.objectives.components[section.component]?.rto ?? 0,
      components: Object.fromEntries(
        section.restores.map((name) => [name, { rtoMs: runbook.objectives.components[name]?.rto ?? 0 }]),
      ),
    },
    section.budgets,
  );

  const assessment = plan.step({
    name: 'assess',
    title: 'Measure the damage on the live data',
    effect: 'none',
    budgetMs: 5 * minutes,
    needs: {},
    commands: assessCommands({ damaged, invariants: verification.invariants }),
    do: ({ at, long }) =>
      long.assessDamage({ at, damaged, invariants: verification.invariants, dataClasses }),
  });

  const point = plan.step({
    name: 'propose-point',
    title: 'Find the newest recovery point before the damage',
    effect: 'none',
    budgetMs: 2 * minutes,
    needs: {},
    commands: pointCommands({ damaged, backup }),
    do: ({ at, quick, params }) =>
      quick.proposePoint({ at, damaged, backup, before: params.before, dataClasses }),
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

  const pointApproved = plan.gate({
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

  const place = plan.step({
    name: 'choose-target',
    title: 'Choose the site that the recovered copy is built at',
    effect: 'none',
    budgetMs: 1 * minutes,
    needs: {},
    do: async () => ({ site: target.site, summary: target.site }),
  });

  plan.changeable({
    name: 'target',
    step: place,
    needs: {},
    allowed: `one of ${targets.join(', ')}`,
    check: (site) => siteProblem(site, targets),
    madeBefore: 'undone',
    do: async (_context, _needs, site) => ({ site, summary: site }),
  });

  const provisioned = plan.step({
    name: 'provision-target',
    title: 'Make room for the recovered copy',
    effect: 'sandbox',
    budgetMs: 10 * minutes,
    needs: { place, point },
    commands: provisionCommands({ target }),
    do: ({ at, quick }, { place, point }) => quick.provisionTarget({ at, target: targetAt(place), point }),
    undo: {
      title: 'destroy the copy that this run made',
      do: ({ at, quick }, { place }) => quick.destroyTarget({ at, target: targetAt(place), vault }),
    },
  });

  const restored = plan.step({
    name: 'restore',
    title: 'Restore the database to the point and pause there',
    effect: 'sandbox',
    budgetMs: 30 * minutes,
    needs: { place, point, provisioned },
    commands: restoreCommands({ target, backup }),
    do: ({ at, long }, { place, point, provisioned }) =>
      long.restoreDatabase({ at, target: targetAt(place), provisioned, backup, point }),
  });

  const repository = plan.step({
    name: 'verify-repository',
    title: 'Rung 1: backup and WAL in the repository',
    kind: 'verification',
    effect: 'none',
    budgetMs: 30 * minutes,
    needs: { place, point },
    commands: verifyCommands({ rung: 1, target, backup }),
    do: ({ at, long }, { place, point }) =>
      long.verifyRepository({ at, target: targetAt(place), backup, point }),
  });

  const pointReached = plan.step({
    name: 'verify-point',
    title: 'Rung 4: the point reached is the one asked for',
    kind: 'verification',
    effect: 'sandbox',
    budgetMs: 5 * minutes,
    needs: { place, point, restored },
    commands: verifyCommands({ rung: 4, target, backup }),
    do: ({ at, quick }, { place, point, restored }) =>
      quick.verifyPoint({ at, target: targetAt(place), point, restored }),
  });

  const files = plan.step({
    name: 'verify-files',
    title: 'Rungs 2 and 3: control data and page checksums',
    kind: 'verification',
    effect: 'sandbox',
    budgetMs: 20 * minutes,
    needs: { place, point, restored },
    after: [pointReached],
    commands: [
      ...verifyCommands({ rung: 2, target, backup }),
      ...verifyCommands({ rung: 3, target, backup }),
    ],
    do: ({ at, long }, { place, point, restored }) =>
      long.verifyFiles({ at, target: targetAt(place), point, restored }),
  });

  const structure = plan.step({
    name: 'verify-structure',
    title: 'Rung 5: tables and indexes agree',
    kind: 'verification',
    effect: 'sandbox',
    budgetMs: 30 * minutes,
    needs: { place },
    after: [files],
    commands: verifyCommands({ rung: 5, target, backup }),
    do: ({ at, long }, { place }) =>
      long.verifyStructure({ at, target: targetAt(place), jobs: verification.jobs }),
  });

  const dump = plan.step({
    name: 'verify-dump',
    title: 'Rung 6: every row can be read',
    kind: 'verification',
    effect: 'sandbox',
    budgetMs: 30 * minutes,
    needs: { place },
    after: [files],
    commands: verifyCommands({ rung: 6, target, backup }),
    do: ({ at, long }, { place }) =>
      long.verifyDump({ at, target: targetAt(place), jobs: verification.jobs }),
  });

  const invariants = plan.step({
    name: 'verify-invariants',
    title: 'Rung 7: the data obeys the rules of its owner',
    kind: 'verification',
    effect: 'sandbox',
    budgetMs: 20 * minutes,
    needs: { place, point },
    after: [files],
    commands: verifyCommands({ rung: 7, target, backup }),
    do: ({ at, long }, { place, point }) =>
      long.verifyInvariants({
        at,
        target: targetAt(place),
        invariants: verification.invariants,
        dataClasses,
        point,
      }),
  });

  const trial = plan.step({
    name: 'verify-application',
    title: 'Rung 8: the application works on the copy',
    kind: 'verification',
    effect: 'sandbox',
    budgetMs: 10 * minutes,
    needs: { place },
    after: [files],
    commands: verifyCommands({ rung: 8, target, backup }),
    do: ({ at, long }, { place }) => long.verifyApplication({ at, target: targetAt(place), application }),
  });

  // From here on users notice.

  const lowered = plan.step({
    name: 'lower-dns-ttl',
    title: 'Let resolvers forget the old address sooner',
    effect: 'production',
    budgetMs: 2 * minutes,
    needs: {},
    after: [pointApproved],
    commands: recordCommands({ record, change: 'lower-ttl', from: damaged.site, to: target.site }),
    do: ({ at, careful }) => careful.lowerTtl({ at, record, site: damaged.site }),
    skipping: `clients may hold the old address for ${record.ttl} s after the cutover`,
    undo: {
      title: 'set the TTL of the record back',
      do: ({ at, careful }) => careful.restoreTtl({ at, record, site: damaged.site }),
    },
  });

  const fence = plan.step({
    name: 'fence-primary',
    title: `Make the damaged primary at ${damaged.site} refuse writes, with proof`,
    kind: 'fence',
    effect: 'production',
    budgetMs: 5 * minutes,
    needs: { point },
    after: [pointApproved],
    commands: fenceCommands({ damaged }),
    do: ({ at, careful }, { point }) => careful.fencePrimary({ at, damaged, vault, point, dataClasses }),
    withoutProof: ({ at, careful }, { point }, { by, reason }) =>
      careful.fenceWithoutProof({ at, damaged, vault, point, by, reason }),
    undo: {
      title: `let the applications write to ${damaged.site} again`,
      do: ({ at, careful }) => careful.liftFence({ at, damaged, vault }),
    },
  });

  const quarantine = plan.step({
    name: 'preserve-damaged',
    title: 'Stop the damaged cluster and keep it in quarantine',
    effect: 'production',
    budgetMs: 15 * minutes,
    needs: { point, fence },
    commands: preserveCommands({ damaged, quarantineDirectory }),
    do: async ({ at, careful }, { point: { systemIdentifier }, fence: { token, refusedWrite } }) =>
      refusedWrite === null
        ? leftWhereItIs(damaged)
        : careful.preserveDamaged({ at, damaged, quarantineDirectory, systemIdentifier, vault, token }),
    undo: {
      title: 'bring the damaged cluster back from quarantine and start it',
      do: ({ at, careful }) => careful.returnFromQuarantine({ at, damaged, quarantineDirectory, vault }),
    },
  });

  const rungs = { repository, pointReached, files, structure, dump, invariants, trial };

  const promotionApproved = plan.gate({
    name: 'promote',
    question: 'Promote the recovered copy? After this there is no way back.',
    policy: section.gates.promote,
    needs: { point, restored, fence, quarantine, ...rungs },
    show: ({ point, restored, fence, quarantine, ...results }) => [
      ...showPoint(point, dataClasses),
      ...showFence(fence),
      { label: 'quarantine', value: quarantine.summary },
      { label: 'restored', value: restored.summary },
      ...showChecks(Object.values(results).flatMap((result) => result.checks)),
    ],
    approving: 'promotes the copy: it takes the writes from then on',
    denying: 'nothing is promoted; the gate stays open for a later approval or an abort',
  });

  const promotion = plan.step({
    name: 'promote',
    title: 'Promote the recovered copy',
    kind: 'promotion',
    effect: 'production',
    pointOfNoReturn: true,
    restores: [section.component],
    budgetMs: 5 * minutes,
    needs: { place, point, restored, fence, ...rungs },
    after: [promotionApproved],
    commands: promoteCommands({ target, vault }),
    do: ({ at, careful }, { place, point, restored, fence, ...results }) =>
      careful.promote({
        at,
        target: targetAt(place),
        damaged,
        vault,
        point,
        restored,
        fence,
        checks: Object.values(results).flatMap((result) => result.checks),
      }),
  });

  const cutover = plan.step({
    name: 'cutover',
    title: `Lead ${record.name} to the promoted copy`,
    kind: 'cutover',
    effect: 'production',
    restores: section.restores,
    budgetMs: 15 * minutes,
    needs: { place, fence },
    after: [promotion, lowered],
    commands: recordCommands({ record, change: 'cut-over', from: damaged.site, to: target.site }),
    do: ({ at, careful }, { place, fence }) =>
      careful.cutOver({ at, record, from: damaged.site, to: place.site, fence, vault }),
  });

  const validation = plan.step({
    name: 'validate',
    title: 'Validate with the application and real payments',
    effect: 'production',
    restores: section.restores,
    budgetMs: 10 * minutes,
    needs: { place },
    after: [cutover],
    commands: validateCommands({ application, target, damaged }),
    skipping: 'the service counts as restored although nothing has proven it',
    do: ({ at, careful }, { place }) =>
      careful.validateService({ at, application, target: targetAt(place), damaged }),
  });

  plan.step({
    name: 'restore-dns-ttl',
    title: 'Set the TTL of the record back to that of normal operation',
    effect: 'production',
    budgetMs: 2 * minutes,
    needs: { place },
    after: [validation],
    commands: recordCommands({ record, change: 'restore-ttl', from: target.site, to: target.site }),
    skipping: `the TTL of ${record.name} stays at ${record.recoveryTtl} s: resolvers ask more often`,
    do: ({ at, careful }, { place }) => careful.restoreTtl({ at, record, site: place.site }),
  });

  plan.step({
    name: 'measure-loss',
    title: 'Measure what was lost, record by record',
    effect: 'none',
    budgetMs: 10 * minutes,
    needs: { place, point, fence },
    after: [validation],
    commands: lossCommands({ target, dataClasses }),
    skipping: 'the report cannot say what was lost',
    do: ({ at, long }, { place, point, fence }) =>
      long.measureLoss({ at, target: targetAt(place), point, fence, dataClasses }),
  });

  plan.step({
    name: 'protect-again',
    title: 'Take a fresh backup of the new primary',
    effect: 'production',
    budgetMs: 60 * minutes,
    needs: { place },
    after: [promotion],
    commands: backupCommands({ target, backup }),
    skipping: 'the new primary has no backup of its own until somebody takes one',
    do: ({ at, long }, { place }) => long.protectAgain({ at, target: targetAt(place), backup }),
  });

  plan.step({
    name: 'verify-other-copies',
    title: 'Look at the copies that the recovery did not need',
    effect: 'none',
    budgetMs: 30 * minutes,
    needs: { place, point, repository },
    after: [restored],
    commands: verifyCommands({ rung: 1, target, backup }),
    skipping: 'nobody knows whether the copies that were not needed are sound',
    do: ({ at, long }, { place, point, repository: { lookedAt } }) =>
      long.verifyOtherCopies({ at, target: targetAt(place), backup, point, lookedAt }),
  });

  return plan.build(validation);
}

/**
 * Files were deleted or overwritten by mistake: their versions from before come back, and only those. Or the bucket is lost: it is
 * made anew and filled from the secondary one. Which of the two it is, is seen while the recovery runs; a step that the other one
 * is for has nothing to do, and says so. Nothing is deleted, so there is nothing that an abort would have to undo.
 */

import {
  bucketCommands,
  lossCommands,
  reconcileCommands,
  restoreObjectsCommands,
  syncCommands,
} from '../activities/objects/commands.js';
import type { ObjectLossParams } from '../src/model/run.js';
import type { Runbook } from '../src/runbook/schema.js';
import { showFilesLoss } from './engine/file-facts.js';
import type { Plan, Scenario } from './engine/plan.js';
import { PlanBuilder } from './engine/plan-builder.js';
import { momentProblem, objectLossParts } from './parts.js';
import { headOf, minutes } from './steps/parts.js';

export const objectLossScenario: Scenario<ObjectLossParams> = {
  name: 'objectLoss',
  title: 'Files are lost: versions from before, or the bucket anew',
  buildPlan,
};

function buildPlan(runbook: Runbook): Plan<ObjectLossParams> {
  const { section, store, database } = objectLossParts(runbook);
  const { primary, secondary, component } = store;

  const plan = new PlanBuilder<ObjectLossParams>(
    headOf(runbook, objectLossScenario, section),
    section.budgets,
  );

  const loss = plan.step({
    name: 'assess-files',
    title: `See whether bucket ${primary.bucket} is there, and which files are not as they were`,
    effect: 'none',
    budgetMs: 30 * minutes,
    needs: {},
    commands: lossCommands({ store }),
    do: ({ at, long, params }) => long.assessFiles({ at, store, window: params }),
  });

  const anotherMoment = plan.changeable({
    name: 'point',
    step: loss,
    needs: {},
    allowed: 'the newest moment at which the files were good, ISO 8601 with a zone',
    check: momentProblem,
    madeBefore: 'kept',
    do: ({ at, long, params }, _needs, before) =>
      long.assessFiles({ at, store, window: { ...params, before } }),
  });

  const approved = plan.gate({
    name: 'files',
    question: 'Bring these files back?',
    policy: section.gates.files,
    needs: { loss },
    show: ({ loss }) => showFilesLoss(loss),
    approving: `writes into bucket ${primary.bucket}; nothing in it is deleted, what stands there now stays as a version`,
    denying: 'nothing is written; the gate stays open for another moment or an abort',
    changes: [anotherMoment],
  });

  const bucket = plan.step({
    name: 'make-bucket',
    title: `Make bucket ${primary.bucket} anew, with versions, CORS rules and policy`,
    effect: 'production',
    budgetMs: 10 * minutes,
    needs: { loss },
    after: [approved],
    commands: bucketCommands({ store }),
    do: async ({ at, careful }, { loss }) =>
      loss.kind === 'files-damaged'
        ? { made: false, applied: [], summary: 'nothing to do: the bucket is there' }
        : careful.makeBucket({ at, store }),
  });

  const filled = plan.step({
    name: 'fill-bucket',
    title: 'Copy what is missing from the secondary bucket',
    effect: 'production',
    restores: [component],
    budgetMs: 240 * minutes,
    needs: { loss },
    after: [bucket],
    commands: secondary === undefined ? [] : syncCommands({ from: secondary, to: primary }),
    // What applications have written since the bucket was made is newer than its copy.
    do: async ({ at, long }, { loss }) =>
      loss.kind === 'files-damaged'
        ? { copied: 0, summary: 'nothing to do: the versions of the bucket itself come back' }
        : long.syncObjects({ at, store, from: 'secondary', differing: 'left' }),
  });

  const restored = plan.step({
    name: 'restore-files',
    title: 'Bring the versions from before the damage back, and only those',
    effect: 'production',
    restores: [component],
    budgetMs: 120 * minutes,
    needs: { loss },
    after: [approved],
    commands: restoreObjectsCommands({ store }),
    do: async ({ at, long }, { loss }) => {
      const { before } = loss.window;
      return loss.kind === 'files-damaged' && before !== undefined
        ? long.restoreObjects({ at, store, ...loss.window, before })
        : { restored: 0, summary: 'nothing to do: versions are lost with their bucket' };
    },
  });

  const reconciled = plan.step({
    name: 'reconcile-files',
    title: `Hold the rows of ${database.site} against the files`,
    kind: 'verification',
    effect: 'none',
    restores: section.restores,
    budgetMs: 60 * minutes,
    needs: {},
    after: [filled, restored],
    commands: reconcileCommands({ store, database }),
    do: ({ at, long }) => long.reconcileFiles({ at, store, database }),
  });

  // The files are back.

  if (secondary !== undefined) {
    plan.step({
      name: 'copy-again',
      title: `Bring the secondary bucket ${secondary.bucket} up to what the files are now`,
      effect: 'production',
      budgetMs: 240 * minutes,
      needs: { reconciled },
      commands: syncCommands({ from: primary, to: secondary }),
      skipping: `bucket ${secondary.bucket} keeps what it has until the owner's next copy`,
      do: async ({ at, long }, { reconciled: { differingCount } }) =>
        differingCount > 0
          ? {
              copied: 0,
              summary: `nothing copied: ${differingCount} files are not what their rows say, and the copies may be right`,
            }
          : long.syncObjects({ at, store, from: 'primary' }),
    });
  }

  return plan.build(reconciled);
}

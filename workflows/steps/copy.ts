/** A fresh copy beside what is there: where it is built, room for it, and the backup restored to the point. */
import type { ProvisionedTarget, RecoveryPoint, RestoreResult } from '../../activities/contract.js';
import { provisionCommands } from '../../activities/provision/commands.js';
import { restoreCommands } from '../../activities/restore/commands.js';
import type { StepHandle } from '../engine/plan.js';
import type { PlanBuilder } from '../engine/plan-builder.js';
import { siteProblem } from '../parts.js';
import { type DatabaseRecovery, minutes, type Place } from './parts.js';

export interface CopyHandles {
  readonly place: StepHandle<Place>;
  readonly provisioned: StepHandle<ProvisionedTarget>;
  readonly restored: StepHandle<RestoreResult>;
}

/**
 * Builds a copy at the point and pauses there. Only what the run made is touched, so it may begin before anybody has approved the
 * point. People may choose another of the sites: what was made is undone then, and made there.
 *
 * @param handles.ready what has to be made before there is room for a copy anywhere
 */
export function buildCopy<Params>(
  plan: PlanBuilder<Params>,
  { point, ready }: { readonly point: StepHandle<RecoveryPoint>; readonly ready?: StepHandle<unknown> },
  parts: Pick<DatabaseRecovery, 'target' | 'targets' | 'targetAt' | 'backup' | 'vault'>,
): CopyHandles {
  const { target, targets } = parts;
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

  return { place, ...restoreAt(plan, { place, point, ...(ready && { ready }) }, parts) };
}

/** Room for the copy at the site that was chosen, and the backup restored there. */
export function restoreAt<Params>(
  plan: PlanBuilder<Params>,
  {
    place,
    point,
    ready,
  }: {
    readonly place: StepHandle<Place>;
    readonly point: StepHandle<RecoveryPoint>;
    readonly ready?: StepHandle<unknown>;
  },
  { target, targetAt, backup, vault }: Pick<DatabaseRecovery, 'target' | 'targetAt' | 'backup' | 'vault'>,
): Omit<CopyHandles, 'place'> {
  const provisioned = plan.step({
    name: 'provision-target',
    title: 'Make room for the recovered copy',
    effect: 'sandbox',
    budgetMs: 10 * minutes,
    needs: { place, point },
    after: ready === undefined ? [] : [ready],
    commands: provisionCommands({ target }),
    do: ({ at, quick }, { place, point }) => quick.provisionTarget({ at, target: targetAt(place), point }),
    undo: {
      title: 'destroy the copy that this run made',
      do: ({ at, quick }, { place }) => quick.destroyTarget({ at, target: targetAt(place), vault }),
    },
  });

  const restored = plan.step({
    name: 'restore',
    title:
      backup.driver === 'archive'
        ? 'Load the archive into a new cluster and close it to writes'
        : 'Restore the database to the point and pause there',
    effect: 'sandbox',
    budgetMs: 30 * minutes,
    needs: { place, point, provisioned },
    commands: restoreCommands({ target, backup }),
    do: ({ at, long }, { place, point, provisioned }) =>
      long.restoreDatabase({ at, target: targetAt(place), provisioned, backup, point }),
  });

  return { provisioned, restored };
}

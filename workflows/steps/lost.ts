/** A primary that is gone: whether it really is, and how much of what it wrote is elsewhere. */
import { lostCommands } from '../../activities/assess/commands.js';
import type { LostPrimary, RecoveryPoint } from '../../activities/contract.js';
import { newestCommands } from '../../activities/point/commands.js';
import type { StepHandle } from '../engine/plan.js';
import type { PlanBuilder } from '../engine/plan-builder.js';
import { type DatabaseRecovery, minutes } from './parts.js';

/** One that answers after all is told to whoever decides: giving it up loses what it has not archived. */
export function lookAtLost<Params>(
  plan: PlanBuilder<Params>,
  { damaged }: Pick<DatabaseRecovery, 'damaged'>,
): StepHandle<LostPrimary> {
  return plan.step({
    name: 'look-at-primary',
    title: `See whether the primary at ${damaged.site} is gone`,
    effect: 'none',
    budgetMs: 1 * minutes,
    needs: {},
    commands: lostCommands({ damaged }),
    do: ({ at, quick }) => quick.lookAtLost({ at, damaged }),
  });
}

/** Read from where the copy is built. The lost server is needed for nothing: it is asked which one it is where only it can tell. */
export function proposeNewest<Params>(
  plan: PlanBuilder<Params>,
  {
    target,
    damaged,
    backup,
    dataClasses,
  }: Pick<DatabaseRecovery, 'target' | 'damaged' | 'backup' | 'dataClasses'>,
): StepHandle<RecoveryPoint> {
  return plan.step({
    name: 'propose-point',
    title:
      backup.driver === 'archive'
        ? 'Find the newest archive that can be used'
        : 'Find the newest state that the archive leads to',
    effect: 'none',
    budgetMs: 2 * minutes,
    needs: {},
    commands: newestCommands({ target, backup }),
    do: ({ at, quick }) =>
      quick.proposeNewest({
        at,
        from: target,
        backup,
        dataClasses,
        ...(backup.driver === 'archive' ? { lost: damaged } : {}),
      }),
  });
}

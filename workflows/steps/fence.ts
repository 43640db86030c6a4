/** The old primary: it must take no writes before another does, and what it holds is kept. */
import type { FenceProof, Quarantine, ReplacedPrimary } from '../../activities/contract.js';
import { fenceCommands } from '../../activities/fence/commands.js';
import { preserveCommands } from '../../activities/preserve/commands.js';
import type { GateOutcome, StepHandle } from '../engine/plan.js';
import type { PlanBuilder } from '../engine/plan-builder.js';
import { leftWhereItIs } from '../parts.js';
import { type DatabaseRecovery, minutes } from './parts.js';

/** Fences the old primary with proof; where nobody answers, people may go on without it as the runbook demands. */
export function fencePrimary<Params>(
  plan: PlanBuilder<Params>,
  {
    point,
    approved,
  }: { readonly point: StepHandle<ReplacedPrimary>; readonly approved: StepHandle<GateOutcome> },
  { damaged, vault, dataClasses, what }: Pick<DatabaseRecovery, 'damaged' | 'vault' | 'dataClasses' | 'what'>,
): StepHandle<FenceProof> {
  return plan.step({
    name: 'fence-primary',
    title: `Make the ${what} primary at ${damaged.site} refuse writes, with proof`,
    kind: 'fence',
    effect: 'production',
    budgetMs: 5 * minutes,
    needs: { point },
    after: [approved],
    commands: fenceCommands({ damaged }),
    do: ({ at, careful }, { point }) => careful.fencePrimary({ at, damaged, vault, point, dataClasses }),
    withoutProof: ({ at, careful }, { point }, { by, reason }) =>
      careful.fenceWithoutProof({ at, damaged, vault, point, by, reason }),
    undo: {
      title: `let the applications write to ${damaged.site} again`,
      do: ({ at, careful }) => careful.liftFence({ at, damaged, vault }),
    },
  });
}

/** Stops what was fenced and moves it where nothing starts it: until a person releases it, it is the only copy of what was lost. */
export function preserveDamaged<Params>(
  plan: PlanBuilder<Params>,
  { point, fence }: { readonly point: StepHandle<ReplacedPrimary>; readonly fence: StepHandle<FenceProof> },
  {
    damaged,
    vault,
    quarantineDirectory,
    what,
  }: Pick<DatabaseRecovery, 'damaged' | 'vault' | 'quarantineDirectory' | 'what'>,
): StepHandle<Quarantine> {
  return plan.step({
    name: 'preserve-damaged',
    title: `Stop the ${what} cluster and keep it in quarantine`,
    effect: 'production',
    budgetMs: 15 * minutes,
    needs: { point, fence },
    commands: preserveCommands({ damaged, quarantineDirectory }),
    do: async ({ at, careful }, { point: { systemIdentifier }, fence: { token, refusedWrite } }) =>
      refusedWrite === null
        ? leftWhereItIs(damaged)
        : careful.preserveDamaged({ at, damaged, quarantineDirectory, systemIdentifier, vault, token }),
    undo: {
      title: `bring the ${what} cluster back from quarantine and start it`,
      do: ({ at, careful }) => careful.returnFromQuarantine({ at, damaged, quarantineDirectory, vault }),
    },
  });
}

/** The planned way home: a standby at home, verified while users work; a switchover that loses nothing; the left site follows. */
import type {
  PrimaryFound,
  RungResult,
  StandbyBuilt,
  StandbyCaughtUp,
  StandbyHeld,
  StandbyState,
  Summarised,
  SwitchoverFence,
} from '../../activities/contract.js';
import {
  findCommands,
  followCommands,
  holdCommands,
  stopCommands,
} from '../../activities/failback/commands.js';
import { buildCommands, verifyStandbyCommands } from '../../activities/standby/commands.js';
import type { PgbackrestBackup } from '../../src/runbook/schema.js';
import type { StepHandle } from '../engine/plan.js';
import type { PlanBuilder } from '../engine/plan-builder.js';
import { type DatabaseRecovery, minutes } from './parts.js';

/** `damaged` is the primary that is left, `target` is home. */
type Parts = Pick<
  DatabaseRecovery<PgbackrestBackup>,
  'damaged' | 'target' | 'backup' | 'record' | 'vault' | 'dataClasses'
> & {
  readonly slot: string;
};

export function findPrimary<Params>(
  plan: PlanBuilder<Params>,
  { damaged: from, target: home, record, vault }: Pick<Parts, 'damaged' | 'target' | 'record' | 'vault'>,
): StepHandle<PrimaryFound> {
  return plan.step({
    name: 'find-primary',
    title: `See that the system runs at ${from.site}, and that ${home.site} is free`,
    effect: 'none',
    budgetMs: 1 * minutes,
    needs: {},
    commands: findCommands({ from, home, record }),
    do: ({ at, quick }) => quick.findPrimary({ at, from, home, record, vault }),
  });
}

/** Reads the primary as a backup does; nothing of it is changed but a slot, which is dropped if the run is called off. */
export function reseedHome<Params>(
  plan: PlanBuilder<Params>,
  { primary }: { readonly primary: StepHandle<PrimaryFound> },
  { damaged: from, target: home, backup, vault, slot }: Parts,
): StepHandle<StandbyBuilt> {
  return plan.step({
    name: 'reseed-home',
    title: `Build a standby at ${home.site} that follows ${from.site}`,
    effect: 'sandbox',
    budgetMs: 60 * minutes,
    needs: { primary },
    commands: buildCommands({ primary: from, target: home, slot }),
    do: ({ at, long }) => long.buildStandby({ at, primary: from, target: home, backup, slot, lease: 'kept' }),
    undo: {
      title: `remove the standby at ${home.site} and its slot at ${from.site}`,
      do: ({ at, quick }) => quick.removeReseeded({ at, primary: from, home, slot, vault }),
    },
  });
}

/** What is looked at must not move; it goes on receiving meanwhile. */
export function holdHome<Params>(
  plan: PlanBuilder<Params>,
  {
    primary,
    built,
  }: { readonly primary: StepHandle<PrimaryFound>; readonly built: StepHandle<StandbyBuilt> },
  { target: home }: Parts,
): StepHandle<StandbyHeld> {
  return plan.step({
    name: 'hold-home',
    title: `Pause the replay at ${home.site} while it is verified`,
    effect: 'sandbox',
    budgetMs: 2 * minutes,
    needs: { primary },
    after: [built],
    commands: holdCommands(home, 'pause'),
    do: ({ at, quick }, { primary: { systemIdentifier, timeline, time } }) =>
      quick.holdStandby({ at, standby: home, primary: { systemIdentifier, timeline, time } }),
  });
}

export function verifyHomePages<Params>(
  plan: PlanBuilder<Params>,
  { held }: { readonly held: StepHandle<StandbyHeld> },
  { target: home, backup }: Parts,
): StepHandle<RungResult> {
  return plan.step({
    name: 'verify-pages',
    title: 'Rung 3: page checksums',
    kind: 'verification',
    effect: 'sandbox',
    budgetMs: 30 * minutes,
    needs: {},
    after: [held],
    commands: verifyStandbyCommands({ standby: home, backup }).filter(({ note }) =>
      note?.startsWith('Rung 3'),
    ),
    do: ({ at, long }) => long.verifyPages({ at, standby: home }),
  });
}

/** How far behind it is once it may go on: what the gate shows. */
export function releaseHome<Params>(
  plan: PlanBuilder<Params>,
  { verified }: { readonly verified: readonly StepHandle<RungResult>[] },
  { damaged: from, target: home, backup, dataClasses }: Parts,
): StepHandle<StandbyState> {
  return plan.step({
    name: 'follow-primary',
    title: `Let ${home.site} replay again until it is close to ${from.site}`,
    effect: 'sandbox',
    budgetMs: 30 * minutes,
    needs: {},
    after: verified,
    commands: holdCommands(home, 'resume'),
    do: ({ at, long }) => long.releaseStandby({ at, standby: home, primary: from, backup, dataClasses }),
  });
}

/** Users work on: what is waited for here is not part of the interruption. */
export function awaitForgotten<Params>(
  plan: PlanBuilder<Params>,
  { lowered }: { readonly lowered: StepHandle<unknown> },
  { record }: Pick<Parts, 'record'>,
): StepHandle<Summarised> {
  return plan.step({
    name: 'wait-for-resolvers',
    title: 'Wait until resolvers have forgotten what they hold with the old TTL',
    effect: 'none',
    budgetMs: 5 * minutes,
    needs: {},
    after: [lowered],
    skipping: 'clients may hold the old address for longer after the cutover',
    do: ({ at, long }) => long.awaitForgotten({ at, record }),
  });
}

/** The interruption begins. Where the standby lacks a single byte the primary opens again by itself. */
export function stopPrimary<Params>(
  plan: PlanBuilder<Params>,
  {
    primary,
    waited,
  }: { readonly primary: StepHandle<PrimaryFound>; readonly waited: StepHandle<Summarised> },
  { damaged: from, target: home, vault, dataClasses }: Parts,
): StepHandle<SwitchoverFence> {
  return plan.step({
    name: 'fence-primary',
    title: `Shut ${from.site} down for good, with proof, and everything of it at ${home.site}`,
    kind: 'fence',
    effect: 'production',
    budgetMs: 5 * minutes,
    needs: { primary },
    after: [waited],
    commands: stopCommands({ primary: from, standby: home }),
    do: ({ at, careful }, { primary: { systemIdentifier, timeline, time } }) =>
      careful.stopForSwitchover({
        at,
        primary: from,
        standby: home,
        vault,
        found: { systemIdentifier, timeline, time },
        dataClasses,
      }),
    undo: {
      title: `start ${from.site} again as the primary`,
      do: ({ at, careful }) => careful.reopenPrimary({ at, primary: from, vault }),
    },
  });
}

export function verifySwitchover<Params>(
  plan: PlanBuilder<Params>,
  {
    caughtUp,
    fence,
  }: { readonly caughtUp: StepHandle<StandbyCaughtUp>; readonly fence: StepHandle<SwitchoverFence> },
  { target: home, backup }: Parts,
): StepHandle<RungResult> {
  return plan.step({
    name: 'verify-switchover',
    title: 'Rungs 1, 2 and 4: archive, control data, and the very last record',
    kind: 'verification',
    effect: 'none',
    budgetMs: 5 * minutes,
    needs: { caughtUp, fence },
    commands: verifyStandbyCommands({ standby: home, backup }).filter(
      ({ note }) => !note?.startsWith('Rung 3'),
    ),
    do: ({ at, long }, { caughtUp, fence }) =>
      long.verifySwitchover({ at, standby: home, backup, caughtUp, fence }),
  });
}

/** Until it follows, the loss of home is the loss of what is not archived. */
export function followHome<Params>(
  plan: PlanBuilder<Params>,
  {
    fence,
    validation,
  }: { readonly fence: StepHandle<SwitchoverFence>; readonly validation: StepHandle<unknown> },
  { damaged: left, target: home, backup, slot }: Parts,
): void {
  plan.step({
    name: 'follow-home',
    title: `Let ${left.site} follow ${home.site} as its standby`,
    effect: 'production',
    budgetMs: 10 * minutes,
    needs: { fence },
    // The validation demands that the left site is silent.
    after: [validation],
    commands: followCommands({ left, primary: home, slot }),
    skipping: `${left.site} stays shut down, and ${home.site} has no standby there`,
    do: ({ at, long }, { fence }) => long.followHome({ at, left, primary: home, backup, slot, fence }),
  });
}

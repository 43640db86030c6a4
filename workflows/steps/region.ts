/** What the other region needs besides the database: what is made there first, and the application. */
import type { Deployed, InfrastructureMade, InfrastructurePlan, Outputs } from '../../activities/contract.js';
import { deployCommands } from '../../activities/deploy/commands.js';
import { infrastructureCommands } from '../../activities/provision/commands.js';
import type { Infrastructure } from '../../src/runbook/schema.js';
import type { GateOutcome, StepContext, StepHandle } from '../engine/plan.js';
import type { PlanBuilder } from '../engine/plan-builder.js';
import type { NamedStore } from './objects.js';
import { type DatabaseRecovery, minutes, type Place } from './parts.js';

/** What would be made, for whoever decides. */
export function planInfrastructure<Params>(
  plan: PlanBuilder<Params>,
  infrastructure: Infrastructure,
): StepHandle<InfrastructurePlan> {
  return plan.step({
    name: 'plan-infrastructure',
    title: `See what has to be made: ${infrastructure.title}`,
    effect: 'none',
    budgetMs: 10 * minutes,
    needs: {},
    commands: infrastructureCommands({ infrastructure }),
    do: ({ at, long }) => long.planInfrastructure({ at, infrastructure }),
  });
}

/** Makes what was shown. It stays after an abort: its owner removes it, and nobody else. */
export function makeInfrastructure<Params>(
  plan: PlanBuilder<Params>,
  {
    shown,
    approved,
  }: { readonly shown: StepHandle<InfrastructurePlan>; readonly approved: StepHandle<GateOutcome> },
  infrastructure: Infrastructure,
): StepHandle<InfrastructureMade> {
  return plan.step({
    name: 'make-infrastructure',
    title: `Make ${infrastructure.title}`,
    effect: 'production',
    budgetMs: 60 * minutes,
    needs: { shown },
    after: [approved],
    commands: infrastructureCommands({ infrastructure }),
    do: ({ at, long }, { shown: { changes } }) =>
      long.makeInfrastructure({ at, infrastructure, shown: { changes } }),
  });
}

/**
 * Puts the application into service where the database will be, told of what was made there and of the buckets that are in use
 * now. It waits for its database; nothing of it is lost by being early.
 */
export function deployThere<Params>(
  plan: PlanBuilder<Params>,
  {
    place,
    made,
    approved,
  }: {
    readonly place: StepHandle<Place>;
    readonly made: StepHandle<InfrastructureMade> | undefined;
    readonly approved: StepHandle<GateOutcome>;
  },
  stores: readonly NamedStore[],
  { application, target }: Pick<DatabaseRecovery, 'application' | 'target'>,
): StepHandle<Deployed> {
  const step = {
    name: 'deploy-application',
    title: `Put ${application.component} into service at ${target.site}`,
    effect: 'production',
    budgetMs: 30 * minutes,
    after: [approved],
    commands: deployCommands({ application, site: target.site }),
  } as const;
  const deploy = ({ at, long }: StepContext<Params>, { site }: Place, outputs: Outputs) =>
    long.deployApplication({ at, application, site, inputs: { ...outputs, ...filesInUse(stores) } });
  return made === undefined
    ? plan.step({ ...step, needs: { place }, do: (context, { place }) => deploy(context, place, {}) })
    : plan.step({
        ...step,
        needs: { place, made },
        do: (context, { place, made }) => deploy(context, place, made.outputs),
      });
}

function filesInUse(stores: readonly NamedStore[]): Outputs {
  if (stores.length === 0) return {};
  const buckets = stores.map(({ name, store: { primary } }) => {
    const { region, bucket, endpoint } = primary;
    return [name, { region, bucket, ...(endpoint === undefined ? {} : { endpoint }) }] as const;
  });
  return { files: Object.fromEntries(buckets) };
}

/** Steps of one of several ways: the plan has them all, and where the run goes another way they have nothing to do. */
import type { Summarised } from '../../activities/contract.js';
import { NOTHING_TO_DO } from '../../src/model/run.js';
import type { Needs, Outputs, StepDefinition, StepHandle } from './plan.js';

/** Which way a step belongs to. */
export interface Way {
  /** Ends the titles of its steps, so that whoever reads the plan knows which belong together: `by backup`. */
  readonly label: string;
  /** Says where the run goes. Whoever takes outputs of one way has looked there first. */
  readonly place: StepHandle<Where>;
  /** Whether it is this way that leads to the site. */
  readonly leadsTo: (site: string) => boolean;
  /** Why there is nothing to do otherwise, for instance `the standby takes over`. */
  readonly otherwise: string;
}

interface Where extends Summarised {
  readonly site: string;
}

/** The same step where the way is taken; else one without any effect, which has checked nothing. */
export function alongWay<Params, N extends Needs, Out extends Summarised>(
  way: Way,
  definition: StepDefinition<Params, N, Out>,
): StepDefinition<Params, N & { readonly wayTo: StepHandle<Where> }, Out> {
  type All = Outputs<N & { readonly wayTo: StepHandle<Where> }>;
  const taken = (needs: All) => way.leadsTo((needs as { readonly wayTo: Where }).wayTo.site);
  const nothing = { summary: `${NOTHING_TO_DO}: ${way.otherwise}`, checks: [] };
  const { undo } = definition;
  return {
    ...definition,
    title: `${definition.title} (${way.label})`,
    needs: { ...definition.needs, wayTo: way.place },
    // Steps behind it belong to the same way, or look at the place themselves: nobody reads what is not there.
    do: async (context, needs) =>
      taken(needs) ? definition.do(context, needs as Outputs<N>) : (nothing as Summarised as Out),
    ...(undo === undefined
      ? {}
      : {
          undo: {
            title: undo.title,
            do: async (context, needs) => (taken(needs) ? undo.do(context, needs as Outputs<N>) : nothing),
          },
        }),
  };
}

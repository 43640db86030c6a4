/** Two ways to the same promotion: one that is there already, one that is built. What they share stands whichever is gone. */
import type { Scenario, StepContext } from '../../workflows/engine/plan.js';
import { PlanBuilder } from '../../workflows/engine/plan-builder.js';
import { siteProblem } from '../../workflows/parts.js';
import { patient, type ToyCall, type ToyParams } from './toy-scenario.js';

const minute = 60_000;
const none = { effect: 'none', budgetMs: minute } as const;

export const forkedScenario: Scenario<ToyParams> = {
  name: 'forked',
  title: 'Two ways',
  buildPlan: ({ system }) => {
    const rtoMs = 60 * minute;
    const head = { scenario: 'forked', system, title: 'Two ways', component: 'database', rtoMs };
    const plan = new PlanBuilder<ToyParams>({ ...head, components: { database: { rtoMs } } }, {});
    const call = (context: StepContext<ToyParams>, step: string, saw: string) =>
      (context as unknown as { quick: { toy: (input: ToyCall) => Promise<{ summary: string }> } }).quick.toy({
        step,
        saw,
      });
    const at = (site: string) => ({ site, summary: site });

    const looked = plan.step({
      ...none,
      name: 'look',
      title: 'Look',
      needs: {},
      do: (c) => call(c, 'look', ''),
    });
    const place = plan.step({
      ...none,
      name: 'choose',
      title: 'Choose',
      needs: { looked },
      do: async (_context, { looked }) => at(looked.summary),
    });
    const another = plan.changeable({
      name: 'target',
      step: place,
      needs: { looked },
      allowed: 'ready or built',
      check: (site) => siteProblem(site, ['ready', 'built']),
      madeBefore: 'undone',
      do: async (_context, _needs, site) => at(site),
    });
    const approved = plan.gate({
      name: 'point',
      question: 'Go on?',
      policy: patient,
      needs: { looked },
      show: ({ looked }) => [{ label: 'looked', value: looked.summary }],
      approving: 'fences',
      denying: 'nothing happens',
      changes: [another],
    });
    const fence = plan.step({
      name: 'fence',
      title: 'Fence',
      kind: 'fence',
      effect: 'production',
      budgetMs: minute,
      needs: { looked },
      after: [approved],
      do: (context) => call(context, 'fence', ''),
      undo: { title: 'lift the fence', do: (context) => call(context, 'undo-fence', '') },
    });
    const ways = ['ready', 'built'].map((way) => {
      const otherwise = `it is not ${way}`;
      const leadsTo = (site: string) => site === way;
      return plan.along({ label: way, place, leadsTo, otherwise }, (plan) => {
        const made = plan.step({
          name: `make-${way}`,
          title: 'Make',
          effect: way === 'ready' ? 'production' : 'sandbox',
          budgetMs: minute,
          needs: { looked },
          after: way === 'ready' ? [fence] : [],
          do: (context) => call(context, `make-${way}`, ''),
          undo: { title: `unmake ${way}`, do: (context) => call(context, `unmake-${way}`, '') },
        });
        return plan.step({
          ...none,
          name: `verify-${way}`,
          title: 'Verify',
          kind: 'verification',
          needs: { made },
          do: (context, { made }) => call(context, `verify-${way}`, made.summary),
        });
      });
    });
    const [ready, built] = ways;
    if (ready === undefined || built === undefined) throw new TypeError('there are two ways');
    const promoting = plan.gate({
      name: 'promote',
      question: 'Promote?',
      policy: patient,
      needs: { ready, built, fence },
      show: ({ ready, built }) => [
        { label: 'ready', value: ready.summary },
        { label: 'built', value: built.summary },
      ],
      approving: 'promotes',
      denying: 'nothing happens',
    });
    const promoted = plan.step({
      name: 'promote',
      title: 'Promote',
      kind: 'promotion',
      effect: 'production',
      pointOfNoReturn: true,
      restores: ['database'],
      budgetMs: minute,
      needs: { place, ready, built, fence },
      after: [promoting],
      do: (context, { place, ready, built }) =>
        call(context, 'promote', (place.site === 'ready' ? ready : built).summary),
    });
    return plan.build(promoted);
  },
};

/** Traffic follows: the DNS record is made quick to forget, led to the new primary, and the service is proven with real use. */
import type { FenceProof, RecordChange, ServiceValidation } from '../../activities/contract.js';
import { recordCommands } from '../../activities/dns/commands.js';
import { validateCommands } from '../../activities/validate/commands.js';
import type { GateOutcome, StepHandle } from '../engine/plan.js';
import type { PlanBuilder } from '../engine/plan-builder.js';
import { type DatabaseRecovery, minutes, type Place } from './parts.js';

type Led = Pick<
  DatabaseRecovery,
  'record' | 'damaged' | 'target' | 'targetAt' | 'restores' | 'vault' | 'application' | 'backup'
>;

/** As early as it is allowed: what resolvers hold already, they hold for the old TTL. */
export function lowerDnsTtl<Params>(
  plan: PlanBuilder<Params>,
  { approved }: { readonly approved: StepHandle<GateOutcome> },
  { record, damaged, target }: Pick<Led, 'record' | 'damaged' | 'target'>,
): StepHandle<RecordChange> {
  return plan.step({
    name: 'lower-dns-ttl',
    title: 'Let resolvers forget the old address sooner',
    effect: 'production',
    budgetMs: 2 * minutes,
    needs: {},
    after: [approved],
    commands: recordCommands({ record, change: 'lower-ttl', from: damaged.site, to: target.site }),
    do: ({ at, careful }) => careful.lowerTtl({ at, record, site: damaged.site }),
    skipping: `clients may hold the old address for ${record.ttl} s after the cutover`,
    undo: {
      title: 'set the TTL of the record back',
      do: ({ at, careful }) => careful.restoreTtl({ at, record, site: damaged.site, elsewhere: 'left' }),
    },
  });
}

/** Leads the name to the promoted copy and validates the service there; then the TTL of normal operation comes back. */
export function cutOver<Params>(
  plan: PlanBuilder<Params>,
  {
    place,
    fence,
    promotion,
    lowered,
    started,
  }: {
    readonly place: StepHandle<Place>;
    readonly fence: StepHandle<FenceProof>;
    readonly promotion: StepHandle<unknown>;
    readonly lowered: StepHandle<RecordChange>;
    /** Where the application has to be brought up anew: what validation waits for besides. */
    readonly started?: StepHandle<unknown>;
  },
  { record, damaged, target, targetAt, restores, vault, application, backup }: Led,
): { readonly cutover: StepHandle<RecordChange>; readonly validation: StepHandle<ServiceValidation> } {
  const cutover = plan.step({
    name: 'cutover',
    title: `Lead ${record.name} to the promoted copy`,
    kind: 'cutover',
    effect: 'production',
    restores,
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
    restores,
    budgetMs: 10 * minutes,
    // Whether the fence was proven decides what validation may demand of the old primary.
    needs: { place, fence },
    after: [cutover, ...(started === undefined ? [] : [started])],
    commands: validateCommands({ application, target, damaged }),
    skipping: 'the service counts as restored although nothing has proven it',
    do: ({ at, careful }, { place, fence }) =>
      careful.validateService({
        at,
        application,
        target: targetAt(place),
        damaged,
        fence,
        ...(backup.driver === 'archive' ? { keptBy: 'archives' } : {}),
      }),
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

  return { cutover, validation };
}

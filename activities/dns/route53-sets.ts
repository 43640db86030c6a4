/**
 * Record sets of one name among which Route 53 chooses: weighted (those with a weight lead; all of them where every weight is
 * 0) and failover (the PRIMARY leads) (Route 53 Developer Guide, "Choosing a routing policy"). No effects.
 */
import type { ResourceRecordSet } from '@aws-sdk/client-route-53';
import { PermanentError } from '../../src/errors.js';
import type { Route53Record } from '../../src/runbook/schema.js';
import type { RecordState } from './driver.js';
import { sameValues } from './resolvers.js';

export type Routing = NonNullable<Route53Record['routing']>;

/** What traffic is led to now. @throws PermanentError `RecordMissing`, `RecordNotPlain` */
export function ledTo(
  record: Route53Record,
  routing: Routing,
  sets: readonly ResourceRecordSet[],
): RecordState {
  requireKnown(record, routing, sets);
  const leading = leadingOf(routing, sets);
  return { values: leading.flatMap(valuesOf), ttl: Math.max(...leading.map(({ TTL = 0 }) => TTL)) };
}

/**
 * The sets as they have to be so that `after` leads. Values, health checks and whatever else a set has stay with it.
 *
 * @throws PermanentError `SetMissing` when no set holds the values that shall lead
 */
export function leadTo(
  record: Route53Record,
  routing: Routing,
  sets: readonly ResourceRecordSet[],
  after: RecordState,
): ResourceRecordSet[] {
  const chosen = sets.find((set) => sameValues(valuesOf(set), after.values));
  if (chosen === undefined) {
    throw new PermanentError(
      'SetMissing',
      `No set of ${record.name} holds ${after.values.join(', ')}: ${sets.map((set) => `${set.SetIdentifier} holds ${valuesOf(set).join(', ')}`).join('; ')}.`,
      {
        why: 'A set was changed, or the runbook is out of date.',
        next: 'Set the values of the set, or correct dns.<record>.values in the runbook, then retry the step.',
      },
    );
  }
  return sets.map((set) => {
    const leads = set === chosen;
    const role =
      routing.policy === 'weighted'
        ? { Weight: leads ? set.Weight || routing.weight : 0 }
        : { Failover: leads ? ('PRIMARY' as const) : ('SECONDARY' as const) };
    return { ...set, ...role, TTL: after.ttl };
  });
}

function leadingOf({ policy }: Routing, sets: readonly ResourceRecordSet[]): readonly ResourceRecordSet[] {
  const leading = sets.filter((set) =>
    policy === 'weighted' ? (set.Weight ?? 0) > 0 : set.Failover === 'PRIMARY',
  );
  return leading.length > 0 ? leading : sets;
}

function requireKnown(record: Route53Record, routing: Routing, sets: readonly ResourceRecordSet[]): void {
  const wanted = Object.values(routing.sets);
  const found = sets.map(({ SetIdentifier = '' }) => SetIdentifier);
  const missing = wanted.filter((id) => !found.includes(id));
  if (missing.length > 0) {
    throw new PermanentError(
      'RecordMissing',
      `Zone ${record.zoneId} holds no set ${missing.join(', ')} of ${record.name}.`,
      {
        why: 'It may have been removed by somebody or something else; Muster only changes what it expects.',
        next: 'Find out who removed it, put it back as the runbook says (dns.<record>.routing), then retry the step.',
      },
    );
  }
  const others = found.filter((id) => !wanted.includes(id));
  const strange = sets.filter(
    ({ AliasTarget, Weight, Failover }) =>
      AliasTarget !== undefined || (routing.policy === 'weighted' ? Weight : Failover) === undefined,
  );
  if (others.length === 0 && strange.length === 0) return;
  const what =
    others.length > 0
      ? `has sets that the runbook does not name: ${others.join(', ')}`
      : `has sets that are no ${routing.policy} records with values: ${strange.map(({ SetIdentifier }) => SetIdentifier).join(', ')}`;
  throw new PermanentError('RecordNotPlain', `${record.name} in zone ${record.zoneId} ${what}.`, {
    next: 'Name them in the runbook (dns.<record>.routing), or change the record by hand as the printed runbook says.',
  });
}

export function valuesOf(set: ResourceRecordSet): readonly string[] {
  return (set.ResourceRecords ?? []).flatMap(({ Value }) => (Value === undefined ? [] : [Value]));
}

import type { PrintedCommand } from '../../src/model/plan.js';
import type { DnsRecord } from '../../src/runbook/schema.js';

/** A change of a record as it is printed: what must be there before, and what shall be there after. */
export interface PrintedChange {
  readonly before: readonly string[];
  readonly after: readonly string[];
  /** Seconds. */
  readonly ttlBefore: number;
  readonly ttlAfter: number;
  /** Whether traffic is led elsewhere, so that resolvers have to follow. */
  readonly cutsOver: boolean;
}

/** How one sees by hand that clients follow. */
export function resolverCommands(
  record: DnsRecord,
  { after, ttlBefore, cutsOver }: PrintedChange,
): readonly PrintedCommand[] {
  if (!cutsOver) return [];
  return record.resolvers.map((resolver) => {
    const [host = resolver, port = '53'] = resolver.split(':');
    return {
      where: 'anywhere that reaches the resolver',
      command: `dig +short @${host} -p ${port} ${record.name} ${record.type}`,
      note: `Repeat until it says ${after.join(', ')}. Other clients may hold the old answer for ${ttlBefore} s.`,
    };
  });
}

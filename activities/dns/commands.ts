import type { PrintedCommand } from '../../src/model/plan.js';
import type { DnsRecord } from '../../src/runbook/schema.js';
import type { PrintedChange } from './printed-change.js';
import { rfc2136Commands } from './rfc2136-commands.js';
import { route53Commands } from './route53-commands.js';

/** The change of the record by hand: read, replace exactly that, wait, ask the resolvers. */
export function recordCommands({
  record,
  change,
  from,
  to,
}: {
  readonly record: DnsRecord;
  readonly change: 'lower-ttl' | 'restore-ttl' | 'cut-over';
  readonly from: string;
  readonly to: string;
}): readonly PrintedCommand[] {
  const before = record.values[from] ?? [];
  const printed: PrintedChange = {
    before,
    after: change === 'cut-over' ? (record.values[to] ?? []) : before,
    ttlBefore: change === 'lower-ttl' ? record.ttl : record.recoveryTtl,
    ttlAfter: change === 'restore-ttl' ? record.ttl : record.recoveryTtl,
    cutsOver: change === 'cut-over',
  };
  switch (record.driver) {
    case 'route53':
      return route53Commands(record, printed);
    case 'rfc2136':
      return rfc2136Commands(record, printed);
  }
}

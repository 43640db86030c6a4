import type { PrintedCommand } from '../../src/model/plan.js';
import type { DnsRecord } from '../../src/runbook/schema.js';

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
  const endpoint = record.endpoint === undefined ? '' : ` --endpoint-url ${record.endpoint}`;
  const aws = (rest: string) => `aws route53 ${rest}${endpoint}`;
  const before = record.values[from] ?? [];
  const after = change === 'cut-over' ? (record.values[to] ?? []) : before;
  const ttlAfter = change === 'restore-ttl' ? record.ttl : record.recoveryTtl;
  const ttlBefore = change === 'lower-ttl' ? record.ttl : record.recoveryTtl;
  const set = (values: readonly string[], ttl: number) => ({
    Name: record.name,
    Type: record.type,
    TTL: ttl,
    ResourceRecords: values.map((Value) => ({ Value })),
  });
  const batch = {
    Changes: [
      { Action: 'DELETE', ResourceRecordSet: set(before, ttlBefore) },
      { Action: 'CREATE', ResourceRecordSet: set(after, ttlAfter) },
    ],
  };
  const where = 'anywhere that reaches the DNS authority';
  return [
    {
      where,
      command: aws(
        `list-resource-record-sets --hosted-zone-id ${record.zoneId} --start-record-name ${record.name} --start-record-type ${record.type} --max-items 1`,
      ),
      note: `Must show ${before.join(', ')}. Anything else: find out who changed it before going on. If the TTL is not ${ttlBefore}, put the one shown into DELETE below.`,
    },
    {
      where,
      command: aws(
        `change-resource-record-sets --hosted-zone-id ${record.zoneId} --change-batch '${JSON.stringify(batch)}'`,
      ),
      note: 'Refused with InvalidChangeBatch: the record was changed meanwhile; read it again. Never use UPSERT.',
    },
    {
      where,
      command: aws('get-change --id <ChangeInfo.Id of the answer>'),
      note: 'Repeat until it says INSYNC.',
    },
    ...(change === 'cut-over'
      ? record.resolvers.map((resolver) => {
          const [host = resolver, port = '53'] = resolver.split(':');
          return {
            where: 'anywhere that reaches the resolver',
            command: `dig +short @${host} -p ${port} ${record.name} ${record.type}`,
            note: `Repeat until it says ${after.join(', ')}. Other clients may hold the old answer for ${ttlBefore} s.`,
          };
        })
      : []),
  ];
}

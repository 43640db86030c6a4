import type { PrintedCommand } from '../../src/model/plan.js';
import type { Route53Record } from '../../src/runbook/schema.js';
import { type PrintedChange, resolverCommands } from './printed-change.js';

export function route53Commands(record: Route53Record, change: PrintedChange): readonly PrintedCommand[] {
  const { before, after, ttlBefore, ttlAfter } = change;
  const endpoint = record.endpoint === undefined ? '' : ` --endpoint-url ${record.endpoint}`;
  const aws = (rest: string) => `aws route53 ${rest}${endpoint}`;
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
    ...resolverCommands(record, change),
  ];
}

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
  const { routing } = record;
  const batch = {
    Changes:
      routing === undefined
        ? [
            { Action: 'DELETE', ResourceRecordSet: set(before, ttlBefore) },
            { Action: 'CREATE', ResourceRecordSet: set(after, ttlAfter) },
          ]
        : [
            ...setsLedTo(record, routing, before, ttlBefore).map((one) => ({
              Action: 'DELETE',
              ResourceRecordSet: one,
            })),
            ...setsLedTo(record, routing, after, ttlAfter).map((one) => ({
              Action: 'CREATE',
              ResourceRecordSet: one,
            })),
          ],
  };
  const where = 'anywhere that reaches the DNS authority';
  return [
    {
      where,
      command: aws(
        `list-resource-record-sets --hosted-zone-id ${record.zoneId} --start-record-name ${record.name} --start-record-type ${record.type} --max-items ${routing === undefined ? 1 : Object.keys(routing.sets).length}`,
      ),
      note: `Must show ${before.join(', ')}${routing === undefined ? '' : ' in the set that leads'}. Anything else: find out who changed it before going on. ${routing === undefined ? `If the TTL is not ${ttlBefore}, put the one shown into DELETE below.` : 'Put TTL, Weight and HealthCheckId as shown into DELETE below, and the same HealthCheckId into CREATE.'}`,
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

/** The sets as they are when `leading` leads. */
function setsLedTo(
  record: Route53Record,
  routing: NonNullable<Route53Record['routing']>,
  leading: readonly string[],
  ttl: number,
) {
  return Object.entries(routing.sets).map(([site, SetIdentifier]) => {
    const values = record.values[site] ?? [];
    const leads = JSON.stringify(values) === JSON.stringify(leading);
    return {
      Name: record.name,
      Type: record.type,
      SetIdentifier,
      ...(routing.policy === 'weighted'
        ? { Weight: leads ? routing.weight : 0 }
        : { Failover: leads ? 'PRIMARY' : 'SECONDARY' }),
      TTL: ttl,
      ResourceRecords: values.map((Value) => ({ Value })),
    };
  });
}

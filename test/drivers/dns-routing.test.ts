import {
  ChangeResourceRecordSetsCommand,
  CreateHealthCheckCommand,
  DeleteHealthCheckCommand,
  ListResourceRecordSetsCommand,
  type ResourceRecordSet,
} from '@aws-sdk/client-route-53';
import { changeRecord } from '../../activities/dns/change.js';
import { recordCommands } from '../../activities/dns/commands.js';
import type { DnsDriver, RecordState } from '../../activities/dns/driver.js';
import { dnsActivities } from '../../activities/dns/index.js';
import { openRoute53 } from '../../activities/dns/route53.js';
import type { Route53Record } from '../../src/runbook/schema.js';
import { NEW, OLD, startDns, type TestDns } from './support/dns.js';
import { stepOf } from './support/steps.js';

const { lowerTtl } = dnsActivities();
const never = new AbortController().signal;
let dns: TestDns;
let healthCheck: string;
let count = 0;

beforeAll(async () => {
  dns = await startDns();
  const made = await dns.api.send(
    new CreateHealthCheckCommand({
      CallerReference: 'west',
      HealthCheckConfig: { Type: 'TCP', IPAddress: '10.20.1.15', Port: 5432 },
    }),
  );
  healthCheck = made.HealthCheck?.Id ?? '';
});
afterAll(() => dns.remove());

type Role = Partial<ResourceRecordSet>;

/** A name of its own with one set a site. */
async function routed(policy: 'weighted' | 'failover', west: Role, recovery: Role): Promise<Route53Record> {
  count += 1;
  const record: Route53Record = {
    ...dns.record,
    name: `routed-${count}.payymo.internal`,
    values: { west: [OLD], recovery: [NEW] },
    routing: { policy, sets: { west: 'ledger-west', recovery: 'ledger-recovery' }, weight: 100 },
  };
  await change(record, [
    { Action: 'CREATE', ...setOf(record, 'ledger-west', OLD, { HealthCheckId: healthCheck, ...west }) },
    { Action: 'CREATE', ...setOf(record, 'ledger-recovery', NEW, recovery) },
  ]);
  return record;
}

function setOf(record: Route53Record, SetIdentifier: string, Value: string, role: Role): ResourceRecordSet {
  return {
    Name: record.name,
    Type: 'A',
    SetIdentifier,
    TTL: 60,
    ResourceRecords: [{ Value }],
    ...role,
  };
}

async function change(
  record: Route53Record,
  changes: readonly ({ Action: 'CREATE' | 'DELETE' | 'UPSERT' } & ResourceRecordSet)[],
): Promise<void> {
  await dns.api.send(
    new ChangeResourceRecordSetsCommand({
      HostedZoneId: record.zoneId,
      ChangeBatch: {
        Changes: changes.map(({ Action, ...ResourceRecordSet }) => ({ Action, ResourceRecordSet })),
      },
    }),
  );
}

async function sets(record: Route53Record): Promise<Record<string, ResourceRecordSet>> {
  const { ResourceRecordSets = [] } = await dns.api.send(
    new ListResourceRecordSetsCommand({ HostedZoneId: record.zoneId }),
  );
  return Object.fromEntries(
    ResourceRecordSets.filter(({ Name }) => Name === `${record.name}.`).map((one) => [
      one.SetIdentifier ?? '',
      one,
    ]),
  );
}

async function withDriver<T>(record: Route53Record, work: (driver: DnsDriver) => Promise<T>): Promise<T> {
  const driver = await openRoute53(record, never);
  try {
    return await work(driver);
  } finally {
    driver.close();
  }
}

const toNew = ({ ttl }: RecordState) => ({ values: [NEW], ttl });
const cutOver = (record: Route53Record, meddle?: () => Promise<void>) =>
  withDriver(record, async (driver) => {
    const made = await changeRecord(driver, record, [OLD], toNew, meddle);
    if (made.changeId !== '') await driver.settled(made.changeId);
    return made;
  });

test('weighted sets: the one that leads changes in one batch, everything else of them stays', async () => {
  const record = await routed('weighted', { Weight: 100 }, { Weight: 0 });
  await lowerTtl({ at: stepOf('run-1'), record, site: 'west' });
  expect(await sets(record)).toMatchObject({
    'ledger-west': { Weight: 100, TTL: 2 },
    'ledger-recovery': { Weight: 0, TTL: 2 },
  });
  expect(await cutOver(record)).toMatchObject({
    before: { values: [OLD], ttl: 2 },
    after: { values: [NEW] },
  });
  expect(await sets(record)).toMatchObject({
    'ledger-west': { Weight: 0, HealthCheckId: healthCheck, ResourceRecords: [{ Value: OLD }] },
    'ledger-recovery': { Weight: 100, ResourceRecords: [{ Value: NEW }] },
  });
  expect(await cutOver(record)).toMatchObject({ changeId: '' });
});

test('failover sets: primary and secondary change places, each with its own health check', async () => {
  const record = await routed('failover', { Failover: 'PRIMARY' }, { Failover: 'SECONDARY' });
  await cutOver(record);
  const now = await sets(record);
  expect(now).toMatchObject({
    'ledger-west': { Failover: 'SECONDARY', HealthCheckId: healthCheck },
    'ledger-recovery': { Failover: 'PRIMARY' },
  });
  expect(now['ledger-recovery']?.HealthCheckId).toBeUndefined();
});

describe('what is not as expected is left alone', () => {
  test('traffic that is shared already, or led elsewhere meanwhile', async () => {
    const shared = await routed('weighted', { Weight: 50 }, { Weight: 50 });
    await expect(cutOver(shared)).rejects.toMatchObject({
      code: 'RecordChangedByOthers',
      message: expect.stringMatching(/127\.0\.2\.1.*127\.0\.3\.1|127\.0\.3\.1.*127\.0\.2\.1/),
    });
    const record = await routed('weighted', { Weight: 100 }, { Weight: 0 });
    await expect(
      cutOver(record, () =>
        change(record, [
          { Action: 'UPSERT', ...setOf(record, 'ledger-recovery', '127.0.9.9', { Weight: 0 }) },
        ]),
      ),
    ).rejects.toMatchObject({ code: 'SetMissing', message: expect.stringContaining('127.0.9.9') });
    expect(await sets(record)).toMatchObject({
      'ledger-west': { Weight: 100 },
      'ledger-recovery': { Weight: 0 },
    });
  });

  test('a set that is gone, one that nobody named, and another policy', async () => {
    const record = await routed('weighted', { Weight: 100 }, { Weight: 0 });
    await change(record, [{ Action: 'CREATE', ...setOf(record, 'stranger', '127.0.9.9', { Weight: 0 }) }]);
    await expect(cutOver(record)).rejects.toMatchObject({
      code: 'RecordNotPlain',
      message: expect.stringContaining('stranger'),
    });
    await change(record, [
      { Action: 'DELETE', ...setOf(record, 'stranger', '127.0.9.9', { Weight: 0 }) },
      { Action: 'DELETE', ...setOf(record, 'ledger-recovery', NEW, { Weight: 0 }) },
    ]);
    await expect(cutOver(record)).rejects.toMatchObject({
      code: 'RecordMissing',
      message: expect.stringContaining('ledger-recovery'),
    });
    const failover = await routed('failover', { Failover: 'PRIMARY' }, { Failover: 'SECONDARY' });
    const routing = { ...failover.routing, policy: 'weighted' } as Route53Record['routing'];
    await expect(cutOver({ ...failover, routing } as Route53Record)).rejects.toMatchObject({
      code: 'RecordNotPlain',
    });
    const { routing: _routing, ...plain } = failover;
    await expect(cutOver(plain)).rejects.toMatchObject({ code: 'RecordNotPlain' });
  });
});

test('a look whether it could be done tells of health checks, and of one that is gone', async () => {
  const record = await routed('failover', { Failover: 'PRIMARY' }, { Failover: 'SECONDARY' });
  expect(await withDriver(record, (driver) => driver.ready())).toEqual({
    summary: `zone ${record.zoneId} holds ${record.name} ${OLD} (TTL 60 s); ledger-west has a health check`,
  });
  const made = await dns.api.send(
    new CreateHealthCheckCommand({
      CallerReference: 'gone',
      HealthCheckConfig: { Type: 'TCP', IPAddress: '10.20.1.15', Port: 5432 },
    }),
  );
  const HealthCheckId = made.HealthCheck?.Id ?? '';
  const other = await routed('failover', { Failover: 'PRIMARY', HealthCheckId }, { Failover: 'SECONDARY' });
  await dns.api.send(new DeleteHealthCheckCommand({ HealthCheckId }));
  await expect(withDriver(other, (driver) => driver.ready())).rejects.toMatchObject({
    name: 'PermanentError',
    code: 'HealthCheckMissing',
  });
});

test('the printed change is accepted by the API', async () => {
  const record = await routed('weighted', { Weight: 100, HealthCheckId: undefined }, { Weight: 0 });
  const [, printed] = recordCommands({
    record: { ...record, recoveryTtl: 60 },
    change: 'cut-over',
    from: 'west',
    to: 'recovery',
  });
  const batch = JSON.parse(/--change-batch '(.*?)'/.exec(printed?.command ?? '')?.[1] ?? '');
  await dns.api.send(
    new ChangeResourceRecordSetsCommand({ HostedZoneId: record.zoneId, ChangeBatch: batch }),
  );
  expect(await withDriver(record, (driver) => driver.read())).toEqual({ values: [NEW], ttl: 60 });
});

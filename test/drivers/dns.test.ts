import { changeRecord } from '../../activities/dns/change.js';
import { recordCommands } from '../../activities/dns/commands.js';
import { dnsActivities } from '../../activities/dns/index.js';
import { untilResolversAnswer } from '../../activities/dns/resolvers.js';
import { openRoute53 } from '../../activities/dns/route53.js';
import { acquireFencingToken, withVault } from '../../activities/vault/index.js';
import type { Route53Record } from '../../src/runbook/schema.js';
import { NEW, OLD, startDns, type TestDns } from './support/dns.js';
import { cutOverOrder, generation } from './support/dns-order.js';
import { startVault, type TestVault } from './support/s3.js';
import { stepOf } from './support/steps.js';

const { lowerTtl, restoreTtl, cutOver } = dnsActivities();
const never = new AbortController().signal;
let dns: TestDns;
let vault: TestVault;
let record: Route53Record;

beforeAll(async () => {
  [dns, vault] = await Promise.all([startDns(), startVault()]);
  record = dns.record;
});
afterAll(() => Promise.all([dns.remove(), vault.remove()]));
beforeEach(() => dns.change('UPSERT', [OLD], 60));

async function now(): Promise<{ values: readonly string[]; ttl: number }> {
  const driver = await openRoute53(record, never);
  try {
    return await driver.read();
  } finally {
    driver.close();
  }
}

function orderFor(options?: { promoted: boolean }) {
  return cutOverOrder(record, vault.bucket, options);
}

describe('the TTL', () => {
  test('is lowered and set back, the values untouched, and a second time changes nothing', async () => {
    const at = stepOf('run-1');
    const lowered = await lowerTtl({ at, record, site: 'west' });
    expect(lowered).toMatchObject({
      ttlBefore: 60,
      ttlAfter: 2,
      before: [OLD],
      after: [OLD],
      staleForMs: 60_000,
    });
    expect(lowered.changeId).not.toBe('');
    expect(await now()).toEqual({ values: [OLD], ttl: 2 });
    expect(await lowerTtl({ at, record, site: 'west' })).toMatchObject({ changeId: '', ttlAfter: 2 });
    await restoreTtl({ at, record, site: 'west' });
    expect(await now()).toEqual({ values: [OLD], ttl: 60 });
  });

  test('of a record that somebody else led away is left alone', async () => {
    await dns.change('UPSERT', ['127.0.9.9'], 60);
    await expect(lowerTtl({ at: stepOf('run-1'), record, site: 'west' })).rejects.toMatchObject({
      name: 'PermanentError',
      code: 'RecordChangedByOthers',
      message: expect.stringMatching(/127\.0\.9\.9.*127\.0\.2\.1/),
    });
    expect(await now()).toEqual({ values: ['127.0.9.9'], ttl: 60 });
  });

  test('is left as it is by an undo, once the record leads elsewhere', async () => {
    await dns.change('UPSERT', [NEW], 5);
    const { at } = await orderFor();
    const left = await restoreTtl({ at, record, site: 'west', elsewhere: 'left' });
    expect(left).toMatchObject({
      changeId: '',
      after: [NEW],
      summary: expect.stringContaining('left as it is'),
    });
    await expect(restoreTtl({ at, record, site: 'west' })).rejects.toMatchObject({
      code: 'RecordChangedByOthers',
    });
    expect(await now()).toEqual({ values: [NEW], ttl: 5 });
  });
});

describe('the cutover', () => {
  test('leads the record and its resolvers to the new place, and is found done when the answer was lost', async () => {
    const order = await orderFor();
    await lowerTtl({ at: order.at, record, site: 'west' });
    const change = await cutOver(order);
    expect(change).toMatchObject({ before: [OLD], after: [NEW], ttlAfter: 2, staleForMs: 2_000 });
    expect(Object.keys(change.seenAfterMs)).toEqual(record.resolvers);
    expect(await now()).toEqual({ values: [NEW], ttl: 2 });
    expect(await cutOver(order)).toMatchObject({ changeId: '', after: [NEW] });
  });

  test('is refused to a run whose fencing token is stale', async () => {
    const order = await orderFor();
    await withVault(vault.bucket, never, (open) =>
      acquireFencingToken(open, { ...order.at, ...generation, timeline: 2, runId: 'run-2' }),
    );
    await expect(cutOver(order)).rejects.toMatchObject({
      name: 'PermanentError',
      code: 'FenceSuperseded',
      message: expect.stringContaining('run-2'),
    });
    expect(await now()).toEqual({ values: [OLD], ttl: 60 });
  });

  test('is refused before a promotion', async () => {
    await expect(cutOver(await orderFor({ promoted: false }))).rejects.toMatchObject({ code: 'NotPromoted' });
    expect(await now()).toEqual({ values: [OLD], ttl: 60 });
  });

  test('leaves a record alone that somebody else changed or removed', async () => {
    await dns.change('UPSERT', ['127.0.9.9'], 60);
    await expect(cutOver(await orderFor())).rejects.toMatchObject({ code: 'RecordChangedByOthers' });
    expect(await now()).toEqual({ values: ['127.0.9.9'], ttl: 60 });
    await dns.change('DELETE', ['127.0.9.9'], 60);
    await expect(cutOver(await orderFor())).rejects.toMatchObject({ code: 'RecordMissing' });
  });

  test('never leaves the record empty', async () => {
    await expect(cutOver({ ...(await orderFor()), to: 'nowhere' })).rejects.toMatchObject({
      code: 'EmptyRecord',
    });
    await expect(cutOver({ ...(await orderFor()), to: 'unknown' })).rejects.toMatchObject({
      code: 'EmptyRecord',
    });
    expect(await now()).toEqual({ values: [OLD], ttl: 60 });
  });

  test('made between reading and writing by somebody else is seen and not overwritten', async () => {
    const driver = await openRoute53(record, never);
    try {
      const meddler = async () => {
        await dns.change('UPSERT', ['127.0.9.9'], 60);
      };
      const wanted = ({ ttl }: { ttl: number }) => ({ values: [NEW], ttl });
      await expect(changeRecord(driver, record, [OLD], wanted, meddler)).rejects.toMatchObject({
        code: 'RecordChangedByOthers',
      });
      expect(await now()).toEqual({ values: ['127.0.9.9'], ttl: 60 });
    } finally {
      driver.close();
    }
  });
});

describe('what cannot work is said at once', () => {
  test('a resolver that does not follow is named with what it says', async () => {
    await expect(untilResolversAnswer(record, ['127.0.9.250'], 300, never)).rejects.toMatchObject({
      code: 'ResolversBehind',
      message: expect.stringContaining(record.resolvers[0] ?? ''),
    });
  });

  test('an unknown zone is permanent, a dead API is worth a retry', async () => {
    const at = stepOf('run-1');
    await expect(
      lowerTtl({ at, record: { ...record, zoneId: 'Z0NONE' }, site: 'west' }),
    ).rejects.toMatchObject({
      name: 'PermanentError',
      code: 'ZoneMissing',
    });
    await expect(
      lowerTtl({ at, record: { ...record, endpoint: 'http://127.0.0.1:9' }, site: 'west' }),
    ).rejects.toMatchObject({ name: 'TransientError', code: 'DnsUnreachable' });
  });
});

test('the printed change is the change that Muster makes', async () => {
  const [, change] = recordCommands({ record, change: 'cut-over', from: 'west', to: 'recovery' });
  const batch = JSON.parse(/--change-batch '(.*?)'/.exec(change?.command ?? '')?.[1] ?? '');
  expect(batch.Changes).toEqual([
    {
      Action: 'DELETE',
      ResourceRecordSet: { Name: record.name, Type: 'A', TTL: 2, ResourceRecords: [{ Value: OLD }] },
    },
    {
      Action: 'CREATE',
      ResourceRecordSet: { Name: record.name, Type: 'A', TTL: 2, ResourceRecords: [{ Value: NEW }] },
    },
  ]);
});

import { changeRecord } from '../../activities/dns/change.js';
import { recordCommands } from '../../activities/dns/commands.js';
import { dnsActivities } from '../../activities/dns/index.js';
import { openRfc2136 } from '../../activities/dns/rfc2136.js';
import type { Rfc2136Record } from '../../src/runbook/schema.js';
import { cutOverOrder } from './support/dns-order.js';
import { type DynamicZone, lookUp, NEW, OLD, startDynamicZone } from './support/dynamic-zone.js';
import { startVault, type TestVault } from './support/s3.js';
import { stepOf } from './support/steps.js';

const { lowerTtl, cutOver } = dnsActivities();
const never = new AbortController().signal;
const at = stepOf('run-1');
let zone: DynamicZone;
let vault: TestVault;
let record: Rfc2136Record;
let name: string;

beforeAll(async () => {
  [zone, vault] = await Promise.all([startDynamicZone(), startVault()]);
  record = zone.record;
  name = `${record.name}.`;
});
afterAll(() => Promise.all([zone.remove(), vault.remove()]));
beforeEach(() => zone.change(`update delete ${name} A`, `update add ${name} 2 A ${OLD}`));

const leadTo = (address: string) =>
  zone.change(`update delete ${name} A`, `update add ${name} 60 A ${address}`);

async function now(): Promise<{ values: readonly string[]; ttl: number }> {
  return (await openRfc2136(record, never)).read();
}

describe('the cutover', () => {
  test('moves the record once; secondary and caching resolver have followed; done again it changes nothing', async () => {
    const order = await cutOverOrder(record, vault.bucket);
    expect(await lookUp(record.resolvers[0] ?? '')).toEqual([OLD]);
    const change = await cutOver(order);
    expect(change).toMatchObject({
      before: [OLD],
      after: [NEW],
      ttlAfter: 2,
      staleForMs: 2_000,
      summary: expect.stringContaining('other clients may hold the old answer for 2 s'),
    });
    expect(change.changeId).toMatch(/^update \d+$/);
    expect(Object.keys(change.seenAfterMs)).toEqual(record.resolvers);
    expect(await lookUp(record.resolvers[0] ?? '')).toEqual([NEW]);
    expect(await lookUp(zone.secondary)).toEqual([NEW]);
    expect(await now()).toEqual({ values: [NEW], ttl: 2 });
    expect(await cutOver(order)).toMatchObject({ changeId: '', after: [NEW] });
  });

  test('never overwrites what somebody else wrote, before it reads or after', async () => {
    await leadTo('127.0.9.9');
    const refusal = {
      name: 'PermanentError',
      code: 'RecordChangedByOthers',
      message: expect.stringMatching(/holds 127\.0\.9\.9; expected was 127\.0\.2\.1/),
    };
    await expect(cutOver(await cutOverOrder(record, vault.bucket))).rejects.toMatchObject(refusal);
    await leadTo(OLD);
    const driver = await openRfc2136(record, never);
    const wanted = () => ({ values: [NEW], ttl: 2 });
    await expect(
      changeRecord(driver, record, [OLD], wanted, () => leadTo('127.0.9.9')),
    ).rejects.toMatchObject(refusal);
    expect(await now()).toEqual({ values: ['127.0.9.9'], ttl: 60 });
  });

  test('is refused by the server itself to a swap whose values are stale, also where one of several is', async () => {
    const driver = await openRfc2136(record, never);
    const wanted = { values: [NEW], ttl: 2 };
    expect(await driver.replace({ values: ['127.0.9.9'], ttl: 2 }, wanted)).toBeUndefined();
    expect(await driver.replace({ values: [OLD, '127.0.9.9'], ttl: 2 }, wanted)).toBeUndefined();
    await zone.change(`update add ${name} 2 A 127.0.2.2`);
    expect(await driver.replace({ values: [OLD], ttl: 2 }, wanted)).toBeUndefined();
    expect([...(await now()).values].sort()).toEqual([OLD, '127.0.2.2']);
    expect(await driver.replace({ values: ['127.0.2.2', OLD], ttl: 2 }, wanted)).toMatch(/^update/);
    expect(await now()).toEqual(wanted);
  });

  test('never leaves the record empty, and makes none where there is none', async () => {
    for (const to of ['nowhere', 'unknown']) {
      const order = { ...(await cutOverOrder(record, vault.bucket)), to };
      await expect(cutOver(order)).rejects.toMatchObject({ code: 'EmptyRecord' });
    }
    expect((await now()).values).toEqual([OLD]);
    await zone.change(`update delete ${name} A`);
    await expect(cutOver(await cutOverOrder(record, vault.bucket))).rejects.toMatchObject({
      code: 'RecordMissing',
    });
    await zone.change(`update add ${name} 60 CNAME ns.payymo.internal.`);
    await expect(cutOver(await cutOverOrder(record, vault.bucket))).rejects.toMatchObject({
      code: 'RecordNotPlain',
      message: expect.stringContaining('CNAME ns.payymo.internal'),
    });
    await zone.change(`update delete ${name} CNAME`);
  });
});

test('the TTL is lowered with the values untouched', async () => {
  await leadTo(OLD);
  expect(await lowerTtl({ at, record, site: 'west' })).toMatchObject({
    ttlBefore: 60,
    ttlAfter: 2,
    staleForMs: 60_000,
  });
  expect(await now()).toEqual({ values: [OLD], ttl: 2 });
});

describe('what cannot work is said, and nothing is changed', () => {
  test.each([
    [
      'another secret',
      { secret: 'env:MUSTER_TEST_OTHER_KEY' },
      /holds another secret for the key muster\.payymo/,
    ],
    ['an unknown key', { name: 'nobody.payymo.internal' }, /does not know the key nobody/],
  ])('%s', async (_what, key, says) => {
    process.env.MUSTER_TEST_OTHER_KEY = Buffer.alloc(32, 7).toString('base64');
    const wrong = { ...record, key: { ...record.key, ...key } };
    await leadTo(OLD);
    const refused = lowerTtl({ at, record: wrong, site: 'west' });
    await expect(refused).rejects.toMatchObject({
      name: 'PermanentError',
      code: 'DnsDenied',
      message: expect.stringMatching(says),
      next: expect.stringContaining(wrong.key.secret),
    });
    const told = JSON.stringify(await refused.catch((error: unknown) => [String(error), error]));
    expect(told).not.toContain(process.env.MUSTER_TEST_OTHER_KEY);
    expect(told).not.toContain(zone.secret);
    await expect((await openRfc2136(wrong, never)).ready()).rejects.toMatchObject({ code: 'DnsDenied' });
    expect(await now()).toEqual({ values: [OLD], ttl: 60 });
  });

  test('a secret that is no key is not echoed', async () => {
    process.env.MUSTER_TEST_NO_KEY = 'hunter two';
    const wrong = { ...record, key: { ...record.key, secret: 'env:MUSTER_TEST_NO_KEY' } };
    const refused = lowerTtl({ at, record: wrong, site: 'west' });
    await expect(refused).rejects.toMatchObject({ code: 'TsigKeyMalformed' });
    expect(String(await refused.catch(String))).not.toContain('hunter');
  });

  test('a server that is not there is worth a retry; one that does not have the zone is not', async () => {
    await expect(
      lowerTtl({ at, record: { ...record, server: '127.0.0.1:9' }, site: 'west' }),
    ).rejects.toMatchObject({ name: 'TransientError', code: 'DnsUnreachable' });
    const elsewhere = { ...record, name: 'db.elsewhere.internal', zone: 'elsewhere.internal' };
    await expect(lowerTtl({ at, record: elsewhere, site: 'west' })).rejects.toMatchObject({
      name: 'PermanentError',
      code: 'ZoneMissing',
    });
  });

  test('an update outside of what the key may change', async () => {
    const alias = { ...record, name: 'ns.payymo.internal', values: { west: ['127.0.0.1'] } };
    await expect(lowerTtl({ at, record: alias, site: 'west' })).rejects.toMatchObject({
      code: 'DnsDenied',
      message: expect.stringContaining('REFUSED'),
    });
  });
});

test('a look whether it could be done says so, and changes nothing', async () => {
  await leadTo(OLD);
  expect(await (await openRfc2136(record, never)).ready()).toEqual({
    summary: `${record.server} answers ${record.name} ${OLD} (TTL 60 s) and accepts the key muster.payymo.internal`,
  });
  expect(await now()).toEqual({ values: [OLD], ttl: 60 });
});

test('the printed change works by hand, and is refused the second time', async () => {
  const commands = recordCommands({ record, change: 'cut-over', from: 'west', to: 'recovery' });
  const script = commands.flatMap(({ command }) => /<<'END'\n([\s\S]*)END/.exec(command)?.[1] ?? [])[0] ?? '';
  expect(JSON.stringify(commands)).not.toContain(zone.secret);
  expect(await zone.byHand(script)).toContain('NOERROR');
  expect(await now()).toEqual({ values: [NEW], ttl: 2 });
  await expect(zone.byHand(script)).rejects.toThrow('NXRRSET');
});

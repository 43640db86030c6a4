import { mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { changeRecord } from '../../activities/dns/change.js';
import { untilResolversAnswer } from '../../activities/dns/resolvers.js';
import { findPrograms } from '../../lab/parts/lookup.js';
import { type PartSpec, startPart, untilAnswers } from '../../lab/parts/part.js';
import { freePorts } from '../../lab/ports.js';
import { type ProcessMark, stopProcess } from '../../lab/process.js';
import { openZoneFile, zoneFileCommands, zoneFileSection } from '../examples/zone-file.js';
import { lookUp } from './support/dynamic-zone.js';
import { temporaryFolder } from './support/folder.js';

const never = new AbortController().signal;
const [OLD, NEW] = ['127.0.2.1', '127.0.3.1'];
const ZONE = `$ORIGIN payymo.internal.
@ 60 IN SOA ns.payymo.internal. hostmaster.payymo.internal. 7 60 60 86400 1
@ 60 IN NS ns.payymo.internal.
ns 60 IN A 127.0.0.1
ledger-db.payymo.internal. 60 IN A ${OLD}
`;

let folder: Awaited<ReturnType<typeof temporaryFolder>>;
let server: ProcessMark;
let resolver: string;
let file: string;

beforeAll(async () => {
  folder = await temporaryFolder('example');
  file = join(folder.path, 'zone', 'payymo.internal');
  await mkdir(join(folder.path, 'zone'));
  await writeFile(file, ZONE);
  const { port } = await freePorts({ port: { addresses: ['127.0.0.1'], udp: 'udp' } });
  resolver = `127.0.0.1:${port}`;
  const corefile = join(folder.path, 'Corefile');
  await writeFile(
    corefile,
    `payymo.internal:${port} {\n  bind 127.0.0.1\n  file ${file} {\n    reload 1s\n  }\n  errors\n}\n`,
  );
  const part: PartSpec = {
    name: 'dns',
    command: findPrograms().coredns,
    args: ['-conf', corefile],
    env: {},
    cwd: folder.path,
    address: resolver,
    logFile: join(folder.path, 'log'),
    stopSignal: 'SIGKILL',
    deadlineMs: 20_000,
    answers: async () => {
      await lookUp(resolver);
    },
  };
  server = await startPart(part);
  await untilAnswers(part, server);
});
afterAll(async () => {
  await stopProcess(server, 'SIGKILL');
  await folder.remove();
});
beforeEach(() => writeFile(file, ZONE));

const recordOf = () => ({
  driver: 'zone-file' as const,
  file,
  name: 'ledger-db.payymo.internal',
  type: 'A' as const,
});
/** What every record has beside its driver's own section. */
const common = () => ({
  ttl: 60,
  recoveryTtl: 5,
  values: { west: [OLD], recovery: [NEW] },
  resolvers: [resolver],
});
const shown = () => ({
  ...recordOf(),
  ...common(),
  driver: 'route53' as const,
  zoneId: 'none',
  region: 'us-east-1',
});
const toNew = () => ({ values: [NEW], ttl: 5 });

describe('the example of docs/drivers.md', () => {
  test('is the one that is tested here', async () => {
    const guide = await readFile('docs/drivers.md', 'utf8');
    const [, code] =
      /```ts\n(\/\*\*\n \* A DNS driver for a zone that is a file[\s\S]*?)```/.exec(guide) ?? [];
    expect(code).toBe(await readFile('test/examples/zone-file.ts', 'utf8'));
  });

  test('takes its section of a runbook and refuses others', () => {
    expect(zoneFileSection.safeParse({ driver: 'zone-file', file }).success).toBe(true);
    expect(zoneFileSection.safeParse({ driver: 'zone-file', file: 'zone' }).success).toBe(false);
  });

  test('moves a record once, and its server follows', async () => {
    const driver = await openZoneFile(recordOf(), never);
    const change = await changeRecord(driver, shown(), [OLD], toNew);
    expect(change).toMatchObject({ before: { values: [OLD], ttl: 60 }, changeId: 'serial 8' });
    const seen = await untilResolversAnswer(shown(), [NEW], 10_000, never);
    expect(Object.keys(seen)).toEqual([resolver]);
    expect(await changeRecord(driver, shown(), [OLD], toNew)).toMatchObject({ changeId: '' });
    expect(await readFile(file, 'utf8')).toContain('ns 60 IN A 127.0.0.1');
  });

  test('leaves alone what somebody else has changed, before it reads or after', async () => {
    const driver = await openZoneFile(recordOf(), never);
    const meddle = () => writeFile(file, ZONE.replace(OLD, '127.0.9.9'));
    const refusal = { code: 'RecordChangedByOthers', message: expect.stringContaining('127.0.9.9') };
    await expect(changeRecord(driver, shown(), [OLD], toNew, meddle)).rejects.toMatchObject(refusal);
    await expect(changeRecord(driver, shown(), [OLD], toNew)).rejects.toMatchObject(refusal);
    expect(await driver.read()).toEqual({ values: ['127.0.9.9'], ttl: 60 });
  });

  test('makes way for another writer, and says what is missing', async () => {
    const driver = await openZoneFile(recordOf(), never);
    await writeFile(`${file}.lock`, '');
    await expect(changeRecord(driver, shown(), [OLD], toNew)).rejects.toMatchObject({
      name: 'TransientError',
      code: 'ZoneLocked',
    });
    await rm(`${file}.lock`);
    await writeFile(file, ZONE.replace(/^ledger-db.*\n/m, ''));
    await expect(driver.read()).rejects.toMatchObject({ name: 'PermanentError', code: 'RecordMissing' });
    const elsewhere = await openZoneFile({ ...recordOf(), file: `${file}.not` }, never);
    await expect(elsewhere.read()).rejects.toMatchObject({ name: 'PermanentError', code: 'ZoneMissing' });
  });

  test('looks whether it could act without acting, and prints how it is done by hand', async () => {
    const driver = await openZoneFile(recordOf(), never);
    expect(await driver.ready()).toEqual({
      summary: `${file} holds ledger-db.payymo.internal ${OLD} (TTL 60 s)`,
    });
    expect(await readFile(file, 'utf8')).toBe(ZONE);
    const printed = zoneFileCommands(recordOf(), {
      before: [OLD],
      after: [NEW],
      ttlBefore: 5,
      ttlAfter: 5,
      cutsOver: true,
    });
    expect(printed[1]?.note).toContain(`ledger-db.payymo.internal. 5 IN A ${NEW}`);
  });
});

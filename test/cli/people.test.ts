import { createPublicKey, sign, verify } from 'node:crypto';
import { mkdtemp, readdir, readFile, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Authenticator } from '../../src/people/totp.js';
import { runMuster } from './run-muster.js';

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'muster-people-'));
});
afterEach(() => rm(folder, { recursive: true }));

const muster = (...args: string[]) =>
  runMuster([...args, '--runbooks', join(process.cwd(), 'runbooks')], { cwd: folder });

test('the roster: who decides at which gate, and with what', async () => {
  const { code, stdout } = await muster('people', 'payymo', '--json');
  expect(code).toBe(0);
  const roster = JSON.parse(stdout);
  expect(roster).toMatchObject({ system: 'payymo', overrideTakes: 2 });
  expect(roster.people.map(({ name }: { name: string }) => name)).toEqual([
    'on-call',
    'database-lead',
    'security-lead',
  ]);
  expect(roster.people[0]).toMatchObject({
    proofs: { totp: false, keys: [] },
    gates: [
      { scenario: 'corruption', gate: 'point', when: 'escalated', needs: 'no proof', counts: true },
      { scenario: 'azLoss', gate: 'failover', when: 'escalated', needs: 'no proof', counts: true },
      {
        scenario: 'infrastructureFailure',
        gate: 'point',
        when: 'escalated',
        needs: 'no proof',
        counts: true,
      },
      { scenario: 'objectLoss', gate: 'files', when: 'escalated', needs: 'no proof', counts: true },
      { scenario: 'regionalLoss', gate: 'point', when: 'escalated', needs: 'no proof', counts: true },
      { scenario: 'backupLoss', gate: 'point', when: 'escalated', needs: 'no proof', counts: true },
      { scenario: 'breach', gate: 'isolate', when: 'escalated', needs: 'no proof', counts: true },
      { scenario: 'breach', gate: 'point', when: 'escalated', needs: 'no proof', counts: true },
      { scenario: 'corruptedTables', gate: 'tables', when: 'escalated', needs: 'no proof', counts: true },
    ],
    mayOverride: true,
  });
  expect(roster.people[1]).toMatchObject({
    roles: ['database-lead'],
    proofs: { totp: true, keys: [expect.stringMatching(/^ssh-ed25519 SHA256:/)] },
    gates: [
      { gate: 'point', when: 'at once', needs: 'a signature' },
      { gate: 'promote', when: 'at once', needs: 'a signature and a code of the authenticator' },
      { scenario: 'azLoss', gate: 'failover', when: 'at once', needs: 'a signature' },
      { gate: 'promote', when: 'at once', needs: 'a signature and a code of the authenticator' },
      { scenario: 'infrastructureFailure', gate: 'point', when: 'at once', needs: 'a signature' },
      { gate: 'promote', when: 'at once', needs: 'a signature and a code of the authenticator' },
      { scenario: 'objectLoss', gate: 'files', when: 'at once', needs: 'a signature' },
      { scenario: 'regionalLoss', gate: 'point', when: 'at once', needs: 'a signature' },
      { gate: 'promote', when: 'at once', needs: 'a signature and a code of the authenticator' },
      { scenario: 'backupLoss', gate: 'point', when: 'at once', needs: 'a signature' },
      { gate: 'promote', when: 'at once', needs: 'a signature and a code of the authenticator' },
      {
        scenario: 'failback',
        gate: 'switchover',
        when: 'at once',
        needs: 'a signature and a code of the authenticator',
      },
      { scenario: 'breach', gate: 'isolate', when: 'at once', needs: 'a signature' },
      { scenario: 'breach', gate: 'point', when: 'at once', needs: 'a signature' },
      { scenario: 'corruptedTables', gate: 'tables', when: 'at once', needs: 'a signature' },
      { scenario: 'salvage', gate: 'salvage', when: 'at once', needs: 'a signature' },
    ],
    mayOverride: false,
  });
});

test('for people it fits a terminal and leaves no secret reference out of place', async () => {
  const { stdout } = await muster('people', 'payymo');
  expect(stdout).toContain('An override takes 2 different people and a reason.');
  expect(stdout.split('\n').every((line) => line.length <= 80)).toBe(true);
  expect(stdout).not.toContain('/etc/muster');
});

test('a new authenticator: its file for the owner alone, its address the same secret', async () => {
  const { code, stdout } = await muster('people', 'enroll', 'database-lead', '--folder', 'secrets', '--json');
  expect(code).toBe(0);
  const { file, uri, runbook } = JSON.parse(stdout);
  expect(file).toBe(join(folder, 'secrets', 'database-lead-totp'));
  expect(runbook.proofs.totp).toBe(`file:${file}`);
  expect((await stat(file)).mode & 0o777).toBe(0o600);
  const secret = (await readFile(file, 'utf8')).trim();
  const { searchParams, pathname } = new URL(uri);
  expect(pathname).toContain('Muster:database-lead');
  expect(Object.fromEntries(searchParams)).toEqual({
    issuer: 'Muster',
    secret,
    algorithm: 'SHA1',
    digits: '6',
    period: '30',
  });
  expect(new Authenticator(secret, file).codeAt(0)).toMatch(/^\d{6}$/);
});

test('a new key: the private half in a file for the owner alone, the public half for the runbook', async () => {
  const { stdout } = await muster('people', 'enroll', 'on-call', '--key', '--json');
  const { file, runbook } = JSON.parse(stdout);
  expect((await stat(file)).mode & 0o777).toBe(0o600);
  const text = Buffer.from('a statement');
  const signature = sign(null, text, await readFile(file, 'utf8'));
  expect(verify(null, text, createPublicKey(runbook.proofs.keys[0]), signature)).toBe(true);
  const printed = await muster('people', 'enroll', 'security-lead', '--key');
  expect(printed.stdout).not.toContain('PRIVATE KEY');
});

test('what is there is never replaced', async () => {
  await muster('people', 'enroll', 'on-call');
  const before = await readFile(join(folder, 'on-call-totp'), 'utf8');
  const again = await muster('people', 'enroll', 'on-call');
  expect(again).toMatchObject({ code: 2, stderr: expect.stringContaining('nothing was changed') });
  expect(await readFile(join(folder, 'on-call-totp'), 'utf8')).toBe(before);
});

test('a name cannot lead out of the folder, and one thing is made at a time', async () => {
  expect((await muster('people', 'enroll', '../on-call', '--folder', 'deep')).code).toBe(0);
  expect(await readdir(folder)).toEqual(['deep']);
  expect(await readdir(join(folder, 'deep'))).toHaveLength(1);
  const both = await muster('people', 'enroll', 'on-call', '--totp', '--key');
  expect(both).toMatchObject({ code: 2, stderr: expect.stringContaining('One thing is made at a time.') });
});

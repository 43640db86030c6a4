import { createHash } from 'node:crypto';
import { AHEAD_MS, OLDEST_MS, verifyProof } from '../../activities/proof/verify.js';
import { Authenticator } from '../../src/people/totp.js';
import type { Person } from '../../src/runbook/schema.js';
import { keyFolder, NOW, NOW_MS, personWith, RUN, statementWith } from '../support/people.js';

const SECRET = 'GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ';
const folder = keyFolder();
afterAll(() => folder.remove());
const totp = folder.secret('totp', SECRET);
const code = new Authenticator(SECRET, totp).codeAt(NOW_MS);
const pem = folder.pemKey();
const ssh = folder.sshKey('ed25519');

function judge(
  person: Person,
  proof: unknown,
  { statement = statementWith(), secondFactor = 'none' as 'none' | 'totp', nowMs = NOW_MS } = {},
) {
  const verify = verifyProof({ now: () => nowMs, claim: async () => undefined });
  return verify({ at: RUN, person, statement, proof: proof as never, secondFactor });
}

const sha256 = (content: string | Buffer) => createHash('sha256').update(content).digest('hex');

describe('who needs what', () => {
  const signature = () => folder.signEd25519(pem.file, statementWith());
  const withKey = personWith({ keys: [pem.publicKey] });
  const withTotp = personWith({ totp });
  const withBoth = personWith({ keys: [pem.publicKey], totp });

  test('nobody of whom the roster asks nothing', async () => {
    expect(await judge(personWith(), undefined)).toMatchObject({ accepted: true, methods: [], used: [] });
    expect(await judge(personWith({}), undefined)).toMatchObject({ accepted: true, methods: [] });
  });

  test('a signature of who has a key', async () => {
    expect(await judge(withKey, { at: NOW, signature: signature() })).toMatchObject({
      accepted: true,
      methods: ['ed25519'],
    });
    expect(await judge(withKey, undefined)).toMatchObject({
      accepted: false,
      refusal: expect.stringContaining('database-lead needs a signature'),
    });
    expect((await judge(withBoth, { at: NOW, totp: code })).refusal).toMatch(/^A signature .* is missing/);
  });

  test('a code of who has an authenticator only', async () => {
    expect(await judge(withTotp, { at: NOW, totp: code })).toMatchObject({
      accepted: true,
      methods: ['totp'],
      used: [`totp:database-lead:${Math.floor(NOW_MS / 30_000)}`],
    });
    expect((await judge(withTotp, { at: NOW })).refusal).toMatch(/^A code .* is missing/);
  });

  test('a code beside the signature where a second factor is demanded', async () => {
    const secondFactor = 'totp';
    const both = { at: NOW, totp: code, signature: signature() };
    expect(await judge(withBoth, both, { secondFactor })).toMatchObject({
      accepted: true,
      methods: ['ed25519', 'totp'],
    });
    const alone = await judge(withBoth, { at: NOW, signature: signature() }, { secondFactor });
    expect(alone.refusal).toMatch(/^A code .* is missing/);
  });

  test('nothing that who has no authenticator could send is enough for a second factor', async () => {
    for (const person of [personWith(), withKey]) {
      const { accepted, refusal } = await judge(
        person,
        { at: NOW, signature: signature(), totp: code },
        { secondFactor: 'totp' },
      );
      expect(accepted).toBe(false);
      expect(refusal).toContain('the roster has none for database-lead');
    }
  });

  test('a code that was not asked for is looked at all the same', async () => {
    expect((await judge(withBoth, { at: NOW, totp: '000000', signature: signature() })).refusal).toMatch(
      /^The code is not one/,
    );
  });
});

describe('signatures', () => {
  const kinds = ['ed25519', 'rsa', 'ecdsa'] as const;
  test.each(kinds)('of an OpenSSH key %s are taken from its owner only', async (type) => {
    const own = folder.sshKey(type);
    const other = folder.sshKey(type);
    const signature = folder.signSsh(own.file, statementWith());
    const person = personWith({ keys: [ssh.publicKey, own.publicKey] });
    expect(await judge(person, { at: NOW, signature })).toMatchObject({ accepted: true, methods: ['ssh'] });
    const foreign = await judge(personWith({ keys: [other.publicKey] }), { at: NOW, signature });
    expect(foreign.accepted).toBe(false);
    expect(foreign.refusal).toMatch(/was made with the key SHA256:.* none of database-lead's/);
  });

  test('are named by their bytes, however they are written down, and by the statement', async () => {
    const signature = folder.signSsh(ssh.file, statementWith());
    const oneLine = signature.trim().replaceAll('\n', ' ');
    const person = personWith({ keys: [ssh.publicKey] });
    const [first, second] = await Promise.all(
      [signature, oneLine].map((each) => judge(person, { at: NOW, signature: each })),
    );
    expect(first).toMatchObject({ accepted: true });
    expect(second).toEqual(first);
    const bytes = Buffer.from(signature.replace(/-----.*-----/g, ''), 'base64');
    expect(first?.used).toEqual([`sig:${sha256(bytes)}`, `statement:${sha256(statementWith())}`]);
  });

  test('may be over the statement with the line break that editors add', async () => {
    const text = `${statementWith()}\n`;
    const person = personWith({ keys: [ssh.publicKey, pem.publicKey] });
    for (const signature of [folder.signSsh(ssh.file, text), folder.signEd25519(pem.file, text)]) {
      expect(await judge(person, { at: NOW, signature })).toMatchObject({ accepted: true });
    }
    const two = folder.signEd25519(pem.file, `${text}\n`);
    expect(await judge(person, { at: NOW, signature: two })).toMatchObject({ accepted: false });
  });

  const others = [
    ['run', { runId: 'payymo-2' }],
    ['opening', { opening: '2026-11-21T03:02:00.000Z' }],
    ['gate', { on: 'point' }],
    ['choice', { choice: 'deny' }],
    ['reason', { reason: 'because' }],
    ['change', { change: { point: '2026-11-21T02:00:00Z' } }],
    ['time', { at: new Date(NOW_MS - 1000).toISOString() }],
    ['person', { by: 'security-lead' }],
  ] as const;
  test.each(others)('over another %s are refused', async (_what, different) => {
    const person = personWith({ keys: [pem.publicKey, ssh.publicKey] });
    const signed = statementWith(different);
    const ed25519 = await judge(person, { at: NOW, signature: folder.signEd25519(pem.file, signed) });
    expect(ed25519.refusal).toMatch(/by none of database-lead's keys over this decision/);
    const bySsh = await judge(person, { at: NOW, signature: folder.signSsh(ssh.file, signed) });
    expect(bySsh.refusal).toMatch(/made over another text/);
    expect([ed25519.accepted, bySsh.accepted]).toEqual([false, false]);
  });

  test('made for another purpose are refused', async () => {
    const signature = folder.signSsh(ssh.file, statementWith(), 'git');
    const { accepted, refusal } = await judge(personWith({ keys: [ssh.publicKey] }), { at: NOW, signature });
    expect(accepted).toBe(false);
    expect(refusal).toContain('without "-n muster"');
  });

  test('of a kind of key that the person does not have are answered with the kind that they have', async () => {
    const bySsh = folder.signSsh(ssh.file, statementWith());
    const byPem = folder.signEd25519(pem.file, statementWith());
    expect(
      (await judge(personWith({ keys: [pem.publicKey] }), { at: NOW, signature: bySsh })).refusal,
    ).toContain('sign with the Ed25519 key');
    expect(
      (await judge(personWith({ keys: [ssh.publicKey] }), { at: NOW, signature: byPem })).refusal,
    ).toContain('sign with ssh-keygen');
  });
});

describe('time', () => {
  const person = personWith({ keys: [pem.publicKey] });
  const proof = { at: NOW, signature: folder.signEd25519(pem.file, statementWith()) };

  test('a proof counts until it is old, and not before it was made', async () => {
    const at = (nowMs: number) => judge(person, proof, { nowMs });
    expect(await at(NOW_MS + OLDEST_MS)).toMatchObject({ accepted: true });
    expect((await at(NOW_MS + OLDEST_MS + 1)).refusal).toMatch(/03:04:05 UTC.*03:09:05 UTC: it is too late/);
    expect(await at(NOW_MS - AHEAD_MS)).toMatchObject({ accepted: true });
    expect((await at(NOW_MS - AHEAD_MS - 1)).refusal).toMatch(/lies in the future/);
  });

  test('its own word for when it was made is the signed one', async () => {
    const later = new Date(NOW_MS + 60_000).toISOString();
    const { accepted, refusal } = await judge(person, { ...proof, at: later });
    expect(accepted).toBe(false);
    expect(refusal).toContain('its time is not that of the proof');
  });

  test('a code is judged by the clock of the worker alone', async () => {
    const nowMs = NOW_MS + 4 * 60_000;
    const { refusal } = await judge(personWith({ totp }), { at: NOW, totp: code }, { nowMs });
    expect(refusal).toMatch(/not one that database-lead's authenticator shows now \(03:08:05 UTC/);
  });
});

describe('statements that are not the one to prove', () => {
  const cases = [
    ['by somebody else', statementWith({ by: 'security-lead' })],
    ['for another run', statementWith({ runId: 'payymo-2' })],
    ['no decision', '{}'],
    ['no decision', 'null'],
    ['no decision', 'certainly'],
  ] as const;
  test.each(cases)('%s', async (what, statement) => {
    const signature = folder.signEd25519(pem.file, statement);
    const { accepted, refusal } = await judge(
      personWith({ keys: [pem.publicKey] }),
      { at: NOW, signature },
      { statement },
    );
    expect(accepted).toBe(false);
    expect(refusal).toContain(what);
  });
});

describe('proofs that cannot be read', () => {
  const person = personWith({ keys: [pem.publicKey, ssh.publicKey], totp });
  const cases: readonly (readonly [string, unknown, RegExp])[] = [
    ['a text', 'sudo', /an object with at/],
    ['a number as code', { at: NOW, totp: 123456 }, /digits as text, in quotes/],
    ['five digits', { at: NOW, totp: '12345' }, /the 6 digits/],
    ['no time', { signature: 'x' }, /at: a time in ISO 8601/],
    ['a time that is none', { at: 'yesterday', signature: 'x' }, /at: a time in ISO 8601/],
    ['unknown fields', { at: NOW, otp: '123456' }, /1 unknown fields/],
    ['no Base64', { at: NOW, signature: 'hunter2' }, /the 64 bytes of an Ed25519 signature/],
    ['too few bytes', { at: NOW, signature: Buffer.alloc(63).toString('base64') }, /the 64 bytes/],
    ['a novel', { at: NOW, signature: 'a'.repeat(20_000) }, /at most 16384 characters/],
    [
      'half of an SSH signature',
      { at: NOW, signature: '-----BEGIN SSH SIGNATURE-----\nU1NIU0lH' },
      /whole text/,
    ],
    [
      'an empty SSH signature',
      { at: NOW, signature: '-----BEGIN SSH SIGNATURE----------END SSH SIGNATURE-----' },
      /whole text/,
    ],
  ];
  test.each(cases)('%s: the answer says what is allowed', async (_what, proof, wanted) => {
    const verdict = await judge(person, proof);
    expect(verdict).toMatchObject({ accepted: false, methods: [], used: [] });
    expect(verdict.refusal).toMatch(wanted);
    expect(JSON.stringify(verdict)).not.toContain('hunter2');
  });
});

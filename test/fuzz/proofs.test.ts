/** Whatever is sent: an answer, never an exception, and never accepted unless it is the proof that was demanded. */
import fc from 'fast-check';
import { verifyProof } from '../../activities/proof/verify.js';
import { Authenticator, newTotpSecret, STEP_MS } from '../../src/people/totp.js';
import type { Person } from '../../src/runbook/schema.js';
import { keyFolder, NOW, NOW_MS, personWith, RUN, statementWith } from '../support/people.js';
import { cases, counted } from './effort.js';

const folder = keyFolder();
afterAll(() => folder.remove());
const SECRET = newTotpSecret();
const totp = folder.secret('totp', SECRET);
const authenticator = new Authenticator(SECRET, totp);
const rightCodes = [-1, 0, 1].map((steps) => authenticator.codeAt(NOW_MS + steps * STEP_MS));
const pem = folder.pemKey();
const ssh = folder.sshKey('ed25519');
const statement = statementWith();
const byPem = folder.signEd25519(pem.file, statement);
const bySsh = folder.signSsh(ssh.file, statement);

/** Each case has a worker of its own: what was wrong before must not be why it is refused. */
async function judge(person: Person, text: string, proof: unknown, secondFactor: 'none' | 'totp' = 'none') {
  const verify = verifyProof({ now: () => NOW_MS, claim: async () => undefined });
  const verdict = await verify({ at: RUN, person, statement: text, proof: proof as never, secondFactor });
  expect(verdict.summary).not.toBe('');
  if (!verdict.accepted)
    expect(verdict).toMatchObject({ refusal: expect.any(String), methods: [], used: [] });
  counted(`proofs ${verdict.accepted ? 'accepted' : 'refused'}`);
  return verdict.accepted;
}

/** The text with some of its characters changed, removed or added. */
function mutated(text: string): fc.Arbitrary<string> {
  const edit = fc.tuple(
    fc.nat(text.length - 1),
    fc.constantFrom('replace', 'remove', 'insert'),
    fc.string({ unit: 'binary', minLength: 1, maxLength: 3 }),
  );
  return fc.array(edit, { minLength: 1, maxLength: 4 }).map((edits) =>
    edits.reduce((changed, [place, how, by]) => {
      const rest = changed.slice(how === 'insert' ? place : place + 1);
      return `${changed.slice(0, place)}${how === 'remove' ? '' : by}${rest}`;
    }, text),
  );
}

/** The bytes with one to three bits turned over. */
function flipped(bytes: Buffer): fc.Arbitrary<Buffer> {
  return fc.uniqueArray(fc.nat(bytes.length * 8 - 1), { minLength: 1, maxLength: 3 }).map((bits) => {
    const copy = Buffer.from(bytes);
    for (const bit of bits) copy.writeUInt8(copy.readUInt8(bit >> 3) ^ (1 << (bit & 7)), bit >> 3);
    return copy;
  });
}

const signer = personWith({ keys: [pem.publicKey] });

test('the proofs that the others are made from are good', async () => {
  expect(await judge(signer, statement, { at: NOW, signature: byPem })).toBe(true);
  expect(await judge(personWith({ keys: [ssh.publicKey] }), statement, { at: NOW, signature: bySsh })).toBe(
    true,
  );
  for (const code of rightCodes)
    expect(await judge(personWith({ totp }), statement, { at: NOW, totp: code })).toBe(true);
});

test('a statement that was altered is never accepted with the signature of the right one', async () => {
  await fc.assert(
    fc.asyncProperty(mutated(statement), async (altered) => {
      fc.pre(altered !== statement);
      expect(await judge(signer, altered, { at: NOW, signature: byPem })).toBe(false);
    }),
    cases(100, 0.4),
  );
});

test('a signature with a bit turned over is never accepted', async () => {
  await fc.assert(
    fc.asyncProperty(flipped(Buffer.from(byPem, 'base64')), async (bytes) => {
      expect(await judge(signer, statement, { at: NOW, signature: bytes.toString('base64') })).toBe(false);
    }),
    cases(100, 0.3),
  );
});

test('an SSH signature with a bit turned over is never accepted', async () => {
  const bytes = Buffer.from(bySsh.replace(/-----.*-----/g, ''), 'base64');
  await fc.assert(
    fc.asyncProperty(flipped(bytes), async (altered) => {
      const signature = `-----BEGIN SSH SIGNATURE-----\n${altered.toString('base64')}\n-----END SSH SIGNATURE-----`;
      expect(await judge(personWith({ keys: [ssh.publicKey] }), statement, { at: NOW, signature })).toBe(
        false,
      );
    }),
    cases(15, 0.05),
  );
});

const signatures = fc.record({
  kind: fc.constantFrom('pem' as const, 'pem' as const, 'pem' as const, 'ssh' as const),
  by: fc.constantFrom('database-lead', 'database-lead', 'security-lead'),
  namespace: fc.constantFrom('muster', 'muster', 'git', 'file', 'muster '),
  said: fc.constantFrom<Readonly<Record<string, unknown>>>(
    ...[{}, {}, {}, { on: 'point' }, { choice: 'deny' }, { runId: 'payymo-2' }, { by: 'security-lead' }],
    ...[{ opening: '' }, { planHash: 'b' }, { at: new Date(NOW_MS - 1).toISOString() }, { reason: '' }],
  ),
  code: fc.constantFrom('right' as const, 'right' as const, 'wrong' as const, 'none' as const),
  secondFactor: fc.constantFrom('none' as const, 'totp' as const),
  lateMs: fc.constantFrom(0, 0, 0, 300_000, 300_001, -60_000, -60_001),
});

test('of all ways to sign only the right one is accepted: key, namespace, statement, code, time', async () => {
  const others = { pem: folder.pemKey(), ssh: folder.sshKey('ed25519') };
  const own = { pem, ssh };
  const person = personWith({ keys: [pem.publicKey, ssh.publicKey], totp });
  // Signing itself takes a process: what was signed once is kept.
  const made = new Map<string, string>();
  await fc.assert(
    fc.asyncProperty(signatures, async ({ kind, by, namespace, said, code, secondFactor, lateMs }) => {
      const at = new Date(NOW_MS - lateMs).toISOString();
      const text = statementWith({ at, ...said });
      const { file } = (by === 'database-lead' ? own : others)[kind];
      const name = JSON.stringify([kind, by, kind === 'ssh' ? namespace : '', text]);
      const sign = () =>
        kind === 'ssh' ? folder.signSsh(file, text, namespace) : folder.signEd25519(file, text);
      const signature = made.get(name) ?? sign();
      made.set(name, signature);
      const digits = { right: rightCodes[1], wrong: '000000', none: undefined }[code];
      fc.pre(!rightCodes.includes('000000'));
      const good =
        by === 'database-lead' &&
        (kind === 'pem' || namespace === 'muster') &&
        text === statementWith({ at }) &&
        (code === 'right' || (code === 'none' && secondFactor === 'none')) &&
        lateMs <= 300_000 &&
        lateMs >= -60_000;
      const proof = { at, signature, ...(digits === undefined ? {} : { totp: digits }) };
      expect(await judge(person, statementWith({ at }), proof, secondFactor)).toBe(good);
    }),
    cases(40, 0.2),
  );
});

test('no code but the three that count is accepted', async () => {
  await fc.assert(
    fc.asyncProperty(fc.nat(999_999), async (number) => {
      const code = String(number).padStart(6, '0');
      fc.pre(!rightCodes.includes(code));
      expect(await judge(personWith({ totp }), statement, { at: NOW, totp: code })).toBe(false);
    }),
    cases(100, 0.3),
  );
});

test('anything at all as a proof is answered, and not accepted', async () => {
  const person = personWith({ keys: [pem.publicKey, ssh.publicKey], totp });
  const texts = fc.oneof(
    fc.string({ unit: 'binary' }),
    fc.base64String({ minLength: 88, maxLength: 88 }),
    mutated(bySsh),
  );
  const almost = fc.record(
    {
      at: fc.oneof(fc.constant(NOW), fc.string(), fc.date().map(String)),
      totp: fc.oneof(fc.constantFrom(...rightCodes), fc.string(), fc.nat()),
      signature: texts,
    },
    { requiredKeys: [] },
  );
  const secondFactors = fc.constantFrom('none' as const, 'totp' as const);
  await fc.assert(
    fc.asyncProperty(fc.oneof(fc.anything(), almost), secondFactors, async (proof, secondFactor) => {
      // An SSH signature in which nothing but blanks were changed is still one: left to the test of bits.
      fc.pre(!sameSignature(proof));
      expect(await judge(person, statement, proof, secondFactor)).toBe(false);
    }),
    cases(60, 0.3),
  );
});

function sameSignature(proof: unknown): boolean {
  const bare = (text: string) => text.replace(/\\n|\s/g, '');
  const { signature } = Object(proof) as { signature?: unknown };
  return typeof signature === 'string' && bare(signature) === bare(bySsh);
}

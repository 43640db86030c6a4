import { Authenticator, newTotpSecret, STEP_MS } from '../../src/people/totp.js';

/** RFC 6238, appendix B: the secret of the SHA-1 vectors, `12345678901234567890` in Base32. */
const RFC_SECRET = 'GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ';
/** Seconds since 1970 and the last six of the eight digits there. */
const VECTORS = [
  [59, '287082'],
  [1_111_111_109, '081804'],
  [1_111_111_111, '050471'],
  [1_234_567_890, '005924'],
  [2_000_000_000, '279037'],
  [20_000_000_000, '353130'],
] as const;

test.each(VECTORS)('at second %i the code of RFC 6238 is %s, and its step is named', (second, code) => {
  const authenticator = new Authenticator(RFC_SECRET, 'env:SECRET');
  expect(authenticator.codeAt(second * 1000)).toBe(code);
  expect(authenticator.stepOf(code, second * 1000)).toBe(Math.floor(second / 30));
});

test('a code counts one step before and one after its own, and no longer', () => {
  const authenticator = new Authenticator(RFC_SECRET, 'env:SECRET');
  const second = 1_234_567_890;
  const step = second / 30;
  const at = (steps: number) => authenticator.stepOf('005924', second * 1000 + steps * STEP_MS);
  expect([-2, -1, 0, 1, 2].map(at)).toEqual([undefined, step, step, step, undefined]);
  expect(authenticator.stepOf('005925', second * 1000)).toBeUndefined();
});

test('a secret is taken as authenticators show it', () => {
  const shown = 'gezd gnbv gy3t qojq gezd gnbv gy3t qojq';
  expect(new Authenticator(shown, 'env:SECRET').codeAt(59_000)).toBe('287082');
});

test.each([
  ['no Base32', 'not-base-32!', /it is not Base32/],
  ['too short', 'GEZDGNBVGY3TQOJQ', /it has fewer than 128 bits/],
  ['empty', '  ', /it is not Base32/],
])('a secret that is %s is refused without being repeated', (_what, secret, message) => {
  let thrown: unknown;
  try {
    new Authenticator(secret, 'env:SECRET');
  } catch (error) {
    thrown = error;
  }
  expect(thrown).toMatchObject({
    code: 'SecretUnfit',
    message: expect.stringMatching(message),
    next: expect.stringContaining('muster people enroll'),
  });
  expect((thrown as Error).message).toContain('env:SECRET');
  if (secret.trim() !== '') expect((thrown as Error).message).not.toContain(secret);
});

test('new secrets have 160 bits and differ; the fingerprint tells authenticators apart', () => {
  const [one, two] = [newTotpSecret(), newTotpSecret()];
  expect(one).toMatch(/^[A-Z2-7]{32}$/);
  expect(one).not.toBe(two);
  const fingerprint = (secret: string) => new Authenticator(secret, 'env:SECRET').fingerprint;
  expect(fingerprint(one)).toBe(fingerprint(one.toLowerCase()));
  expect(fingerprint(one)).not.toBe(fingerprint(two));
});

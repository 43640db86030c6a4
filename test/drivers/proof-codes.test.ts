import { type ClaimCode, WRONG_CODES_ALLOWED, WRONG_CODES_WITHIN_MS } from '../../activities/proof/code.js';
import { verifyProof } from '../../activities/proof/verify.js';
import { PermanentError } from '../../src/errors.js';
import { Authenticator, newTotpSecret, STEP_MS } from '../../src/people/totp.js';
import { claimCode } from '../../src/store/codes.js';
import { Store } from '../../src/store/store.js';
import { keyFolder, NOW_MS, personWith, RUN, statementWith } from '../support/people.js';
import { startStore, type TestStore } from '../support/store.js';

const SECRET = newTotpSecret();
const folder = keyFolder();
afterAll(() => folder.remove());
const totp = folder.secret('totp', SECRET);
const authenticator = new Authenticator(SECRET, totp);

function judgeWith(claim: ClaimCode) {
  let nowMs = NOW_MS;
  const verify = verifyProof({ now: () => nowMs, claim });
  return {
    wait: (ms: number) => {
      nowMs += ms;
    },
    code: () => authenticator.codeAt(nowMs),
    judge: (
      code: string,
      { person = personWith({ totp }), runId = RUN.runId as string, choice = 'approve' } = {},
    ) => {
      const at = new Date(nowMs).toISOString();
      const statement = statementWith({ at, runId, choice, by: person.name });
      const proof = { at, totp: code };
      return verify({ at: { ...RUN, runId }, person, statement, proof, secondFactor: 'none' });
    },
  };
}

describe('codes that were used', () => {
  let test_: TestStore;
  beforeAll(async () => {
    test_ = await startStore();
  });
  afterAll(() => test_.remove());
  beforeEach(() => test_.owner.query('truncate muster.used_codes'));
  const inStore: ClaimCode = (use) => claimCode(test_.store, use);

  test('are refused for another decision and in another run; the same decision may be asked about again', async () => {
    const { judge, code } = judgeWith(inStore);
    expect(await judge(code())).toMatchObject({ accepted: true });
    expect(await judge(code())).toMatchObject({ accepted: true });
    expect((await judge(code(), { choice: 'deny' })).refusal).toMatch(
      /^This code was used at .* already, in this run/,
    );
    const elsewhere = await judge(code(), { runId: 'payymo-2' });
    expect(elsewhere).toMatchObject({ accepted: false, used: [] });
    expect(elsewhere.refusal).toContain(`in the run ${RUN.runId} of payymo. Wait until`);
  });

  test('stay used when the same authenticator stands under another name; the next code counts', async () => {
    const { judge, code, wait } = judgeWith(inStore);
    await judge(code());
    const person = { ...personWith({ totp: folder.secret('again', SECRET) }), name: 'on-call' };
    expect(await judge(code(), { person, runId: 'payymo-2' })).toMatchObject({ accepted: false });
    wait(STEP_MS);
    expect(await judge(code(), { person, runId: 'payymo-2' })).toMatchObject({ accepted: true });
  });

  test('of two runs that ask at once one has it', async () => {
    const { judge, code } = judgeWith(inStore);
    const runs = ['one', 'two', 'three', 'four', 'five'];
    const verdicts = await Promise.all(runs.map((runId) => judge(code(), { runId })));
    expect(verdicts.filter((each) => each.accepted)).toHaveLength(1);
  });

  test('cannot be made unused by the login that records', async () => {
    await expect(test_.store.query('delete from muster.used_codes')).rejects.toThrow(/permission denied/);
    const { judge, code } = judgeWith(inStore);
    await judge(code());
    await expect(test_.owner.query('delete from muster.used_codes')).rejects.toThrow(/append-only/);
  });

  test('a store that does not answer holds nobody up, and that is said', async () => {
    const away = new Store({ ...test_.settings, port: 1 }, { connectMs: 500, statementMs: 500 });
    const { judge, code } = judgeWith((use) => claimCode(away, use));
    const verdict = await judge(code());
    await away.close();
    expect(verdict).toMatchObject({ accepted: true, methods: ['totp'] });
    expect(verdict.summary).toContain(
      'whether the code was used in another run is not known (StoreUnreachable)',
    );
  });
});

test('after many wrong codes none is looked at for a while', async () => {
  const { judge, code, wait } = judgeWith(async () => undefined);
  const wrong = code() === '000000' ? '000001' : '000000';
  for (let count = 0; count < WRONG_CODES_ALLOWED; count += 1) {
    expect((await judge(wrong)).refusal).toMatch(/^The code is not one/);
  }
  expect((await judge(code())).refusal).toBe(
    '10 wrong codes were given in the name of database-lead: no code of theirs is taken before 03:14:05 UTC. Find out who gave them; meanwhile somebody else has to decide.',
  );
  wait(WRONG_CODES_WITHIN_MS);
  expect(await judge(code())).toMatchObject({ accepted: true });
});

test('a right code ends the count of wrong ones', async () => {
  const { judge, code } = judgeWith(async () => undefined);
  const wrong = code() === '000000' ? '000001' : '000000';
  for (let round = 0; round < 3; round += 1) {
    for (let count = 0; count < WRONG_CODES_ALLOWED - 1; count += 1) await judge(wrong);
    expect(await judge(code())).toMatchObject({ accepted: true });
  }
});

test.each([
  ['SecretMissing', () => `file:${folder.path}/nowhere`],
  ['SecretMissing', () => 'env:MUSTER_TEST_NO_SUCH_SECRET'],
  ['SecretUnfit', () => folder.secret('unfit', 'hunter2!')],
])('a secret that cannot be used is a failure, %s, that says what to do', async (errorCode, reference) => {
  const { judge } = judgeWith(async () => undefined);
  const failure = await judge('123456', { person: personWith({ totp: reference() }) }).catch(
    (error) => error,
  );
  expect(failure).toBeInstanceOf(PermanentError);
  expect(failure).toMatchObject({
    code: errorCode,
    message: expect.stringContaining(reference().slice(0, 20)),
    next: expect.stringContaining('give the decision again'),
  });
  expect(failure.message).not.toContain('hunter2');
});

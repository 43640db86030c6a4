import {
  acquireFencingToken,
  adoptionsOf,
  type Claimant,
  claimKey,
  readClaims,
  readPromotion,
  readPromotions,
  recordAdoption,
  recordPromotionDone,
  recoveringRun,
  releaseFencingToken,
  replacedByOther,
  requireFencingToken,
  takePromotionToken,
  type Vault,
  withVault,
} from '../../activities/vault/index.js';
import { startVault, type TestVault } from './support/s3.js';

const never = new AbortController().signal;
let vault: TestVault;
let systems = 0;

beforeAll(async () => {
  vault = await startVault();
});
afterAll(() => vault.remove());

const inVault = <T>(work: (open: Vault) => Promise<T>) => withVault(vault.bucket, never, work);

function run(runId: string, system: string): Claimant {
  return { system, runId, systemIdentifier: '7300000000000000001', timeline: 1 };
}

function freshSystem(): string {
  systems += 1;
  return `system-${systems}`;
}

function promotionOf(who: Claimant, fencingToken: number) {
  return { ...who, fencingToken, site: 'recovery', replayLsn: '0/5000060', checksSha256: 'c'.repeat(64) };
}

describe('fencing tokens', () => {
  test('grow with every run, and a second call by the same run gets the same one', async () => {
    const system = freshSystem();
    await inVault(async (open) => {
      const first = await acquireFencingToken(open, run('a', system));
      expect(await acquireFencingToken(open, run('a', system))).toBe(first);
      const second = await acquireFencingToken(open, run('b', system));
      expect(second).toBeGreaterThan(first);
    });
  });

  test('of a run that was overtaken are refused, with the name of the run that is in charge', async () => {
    const system = freshSystem();
    await inVault(async (open) => {
      const stale = await acquireFencingToken(open, run('a', system));
      const current = await acquireFencingToken(open, run('b', system));
      await expect(requireFencingToken(open, { system, runId: 'a', token: stale })).rejects.toMatchObject({
        code: 'FenceSuperseded',
        message: expect.stringContaining('run b'),
      });
      await expect(acquireFencingToken(open, run('a', system))).rejects.toMatchObject({
        code: 'FenceSuperseded',
      });
      await requireFencingToken(open, { system, runId: 'b', token: current });
    });
  });

  test('of a run that was overtaken give nothing back that the other run rests on, and all once that one has', async () => {
    const system = freshSystem();
    await inVault(async (open) => {
      const [a, b] = [
        { system, runId: 'a' },
        { system, runId: 'b' },
      ];
      await acquireFencingToken(open, run('a', system));
      await acquireFencingToken(open, run('b', system));
      expect(await releaseFencingToken(open, a)).toMatch(/^run b fenced after this one, at 20.*rests on it/);
      expect(await replacedByOther(open, a)).toMatch(/^run b fenced after this one/);
      expect(await readClaims(open, system)).toHaveLength(2);
      expect(await releaseFencingToken(open, b)).toBeUndefined();
      expect(await replacedByOther(open, a)).toBeUndefined();
      expect(await releaseFencingToken(open, a)).toBeUndefined();
      expect((await readClaims(open, system)).at(-1)).toMatchObject({ kind: 'release', runId: 'a' });
    });
  });

  test('of a run that was overtaken stay where the other run has promoted', async () => {
    const system = freshSystem();
    await inVault(async (open) => {
      await acquireFencingToken(open, run('a', system));
      const token = await acquireFencingToken(open, run('b', system));
      await takePromotionToken(open, promotionOf(run('b', system), token));
      const stays = /^run b took the right to promote another copy at 20/;
      expect(await releaseFencingToken(open, { system, runId: 'a' })).toMatch(stays);
      expect(await replacedByOther(open, { system, runId: 'a' })).toMatch(stays);
      expect((await readClaims(open, system)).map(({ kind }) => kind)).toEqual([
        'fence',
        'fence',
        'promotion',
      ]);
    });
  });

  test('that were given back let any run fence anew, with a greater number', async () => {
    const system = freshSystem();
    await inVault(async (open) => {
      const first = await acquireFencingToken(open, run('a', system));
      await releaseFencingToken(open, { system, runId: 'a' });
      await releaseFencingToken(open, { system, runId: 'a' });
      await expect(requireFencingToken(open, { system, runId: 'a', token: first })).rejects.toMatchObject({
        code: 'FenceSuperseded',
      });
      expect(await acquireFencingToken(open, run('a', system))).toBeGreaterThan(first);
    });
  });

  test('taken by eight orchestrators at once are all different', async () => {
    const system = freshSystem();
    const settled = await Promise.allSettled(
      Array.from({ length: 8 }, (_, index) =>
        inVault((open) => acquireFencingToken(open, run(`run-${index}`, system))),
      ),
    );
    const claims = await inVault((open) => readClaims(open, system));
    expect(claims.map(({ number }) => number)).toEqual(claims.map((_, index) => index + 1));
    expect(new Set(claims.map(({ runId }) => runId)).size).toBe(claims.length);
    const tokens = settled.flatMap((one) => (one.status === 'fulfilled' ? [one.value] : []));
    expect(new Set(tokens).size).toBe(tokens.length);
    expect(tokens).toContain(claims.length);
  });
});

describe('the promotion token', () => {
  test('goes to exactly one of two orchestrators that race for it', async () => {
    for (let round = 0; round < 10; round++) {
      const system = freshSystem();
      const contender = async (runId: string) =>
        inVault(async (open) => {
          const token = await acquireFencingToken(open, run(runId, system));
          return takePromotionToken(open, promotionOf(run(runId, system), token));
        });
      const settled = await Promise.allSettled([contender('a'), contender('b')]);
      const promotions = await inVault((open) => readPromotions(open, system));
      expect(promotions).toHaveLength(1);
      const winners = settled.filter((one) => one.status === 'fulfilled');
      expect(winners).toHaveLength(1);
      expect(settled.find((one) => one.status === 'rejected')).toMatchObject({
        reason: { code: expect.stringMatching(/^(PromotionHeld|FenceSuperseded)$/) },
      });
    }
  });

  test('is found again by the run that has it, and says so', async () => {
    const system = freshSystem();
    await inVault(async (open) => {
      const token = await acquireFencingToken(open, run('a', system));
      const first = await takePromotionToken(open, promotionOf(run('a', system), token));
      const again = await takePromotionToken(open, {
        ...promotionOf(run('a', system), token),
        replayLsn: '0/6000000',
      });
      expect(first.heldBefore).toBe(false);
      expect(again).toMatchObject({ heldBefore: true, key: first.key, claim: { replayLsn: '0/5000060' } });
      await expect(
        takePromotionToken(open, { ...promotionOf(run('a', system), token), site: 'elsewhere' }),
      ).rejects.toMatchObject({ code: 'PromotionHeld', message: expect.stringContaining('recovery') });
    });
  });

  test('keeps every other run from fencing, promoting and lifting the fence', async () => {
    const system = freshSystem();
    await inVault(async (open) => {
      const token = await acquireFencingToken(open, run('a', system));
      const held = await takePromotionToken(open, promotionOf(run('a', system), token));
      await expect(acquireFencingToken(open, run('b', system))).rejects.toMatchObject({
        code: 'PromotionHeld',
        message: expect.stringContaining('Run a'),
      });
      await expect(takePromotionToken(open, promotionOf(run('b', system), token + 1))).rejects.toMatchObject({
        code: 'PromotionHeld',
      });
      await expect(releaseFencingToken(open, { system, runId: 'a' })).rejects.toMatchObject({
        code: 'PromotionHeld',
      });
      await requireFencingToken(open, { system, runId: 'a', token });

      const done = { timeline: 2, promotedAt: '2026-11-21T03:10:00.000Z' };
      await recordPromotionDone(open, held, done);
      await recordPromotionDone(open, held, { ...done, timeline: 3 });
      expect(await readPromotion(open, system, 'a')).toMatchObject({ site: 'recovery', done });
      expect(await readPromotion(open, system, 'b')).toBeUndefined();

      const later = { ...run('b', system), timeline: 2 };
      expect(await acquireFencingToken(open, later)).toBeGreaterThan(token);
      await expect(requireFencingToken(open, { system, runId: 'a', token })).rejects.toMatchObject({
        code: 'FenceSuperseded',
      });
    });
  });

  test('shows to every orchestrator which run is in the middle of a recovery', async () => {
    const system = freshSystem();
    await inVault(async (open) => {
      expect(await recoveringRun(open, system)).toBeUndefined();
      await acquireFencingToken(open, run('a', system));
      expect(await recoveringRun(open, system)).toMatchObject({ kind: 'fence', runId: 'a' });
      await releaseFencingToken(open, { system, runId: 'a' });
      expect(await recoveringRun(open, system)).toBeUndefined();
      const token = await acquireFencingToken(open, run('b', system));
      const held = await takePromotionToken(open, promotionOf(run('b', system), token));
      expect(await recoveringRun(open, system)).toMatchObject({ kind: 'promotion', runId: 'b' });
      await recordPromotionDone(open, held, { timeline: 2, promotedAt: '2026-11-21T03:10:00.000Z' });
      expect(await recoveringRun(open, system)).toBeUndefined();
    });
  });

  test('is not given to a run that has not fenced', async () => {
    const system = freshSystem();
    await expect(
      inVault((open) => takePromotionToken(open, promotionOf(run('a', system), 1))),
    ).rejects.toMatchObject({ code: 'FenceSuperseded' });
  });
});

describe('a vault that fails', () => {
  test('is named when a claim was removed from it', async () => {
    const system = freshSystem();
    await inVault(async (open) => {
      await open.create(claimKey(system, 2), '{}');
      await expect(acquireFencingToken(open, run('a', system))).rejects.toMatchObject({
        code: 'VaultDamaged',
        message: expect.stringContaining(claimKey(system, 1)),
      });
    });
  });

  test('tells a wrong bucket from wrong keys, neither worth a retry', async () => {
    await expect(
      withVault({ ...vault.bucket, bucket: 'not-there' }, never, (open) => open.list('claims/')),
    ).rejects.toMatchObject({ name: 'PermanentError', code: 'VaultMissing' });
    process.env.MUSTER_TEST_WRONG_SECRET = 'wrong';
    await expect(
      withVault({ ...vault.bucket, secretAccessKey: 'env:MUSTER_TEST_WRONG_SECRET' }, never, (open) =>
        open.list('claims/'),
      ),
    ).rejects.toMatchObject({ name: 'PermanentError', code: 'VaultDenied' });
  });

  test('is worth a retry while it is down, and works again after', async () => {
    const system = freshSystem();
    await vault.stop();
    await expect(inVault((open) => acquireFencingToken(open, run('a', system)))).rejects.toMatchObject({
      name: 'TransientError',
      code: 'VaultUnreachable',
    });
    await vault.start();
    expect(await inVault((open) => acquireFencingToken(open, run('a', system)))).toBe(1);
  });

  test('lets a cancelled step go at once', async () => {
    const stop = new AbortController();
    stop.abort(new Error('the step was cancelled'));
    await expect(withVault(vault.bucket, stop.signal, (open) => open.list('claims/'))).rejects.toThrow(
      'the step was cancelled',
    );
  });
});

describe('a run that was taken over', () => {
  const adopter = (system: string, adoption: number) => ({ system, runId: 'a', by: 'ada', adoption });

  test('acts on the new server alone: the lost one is refused fence, promotion, cutover and undo', async () => {
    const system = freshSystem();
    await inVault(async (open) => {
      const old = run('a', system);
      const token = await acquireFencingToken(open, old);
      await recordAdoption(open, adopter(system, 1));
      const refused = { code: 'RunAdopted', message: expect.stringContaining('taken over by ada') };
      await expect(acquireFencingToken(open, old)).rejects.toMatchObject(refused);
      await expect(requireFencingToken(open, { ...old, token })).rejects.toMatchObject(refused);
      await expect(takePromotionToken(open, promotionOf(old, token))).rejects.toMatchObject(refused);
      await expect(releaseFencingToken(open, old)).rejects.toMatchObject(refused);
      await expect(replacedByOther(open, old)).rejects.toMatchObject(refused);

      const taken = { ...old, adoption: 1 };
      expect(await acquireFencingToken(open, taken)).toBe(token);
      await requireFencingToken(open, { ...taken, token });
      const promotion = await takePromotionToken(open, promotionOf(taken, token));
      expect(promotion.heldBefore).toBe(false);
    });
  });

  test('is found to have promoted already, when the lost server had', async () => {
    const system = freshSystem();
    await inVault(async (open) => {
      const old = run('a', system);
      const token = await acquireFencingToken(open, old);
      await takePromotionToken(open, promotionOf(old, token));
      await recordAdoption(open, adopter(system, 1));
      const again = await takePromotionToken(open, promotionOf({ ...old, adoption: 1 }, token));
      expect(again.heldBefore).toBe(true);
      expect((await readPromotions(open, system)).length).toBe(1);
    });
  });

  test('is taken over by one of two who try at once, and can be again', async () => {
    const system = freshSystem();
    await inVault((open) => acquireFencingToken(open, run('a', system)));
    const settled = await Promise.allSettled(
      ['ada', 'bob'].map((by) => inVault((open) => recordAdoption(open, { ...adopter(system, 1), by }))),
    );
    expect(settled.map(({ status }) => status).sort()).toEqual(['fulfilled', 'rejected']);
    expect(settled.find(({ status }) => status === 'rejected')).toMatchObject({
      reason: { code: 'AdoptionOvertaken' },
    });
    await inVault(async (open) => {
      expect(await adoptionsOf(open, system, 'a')).toBe(1);
      await recordAdoption(open, adopter(system, 2));
      await expect(acquireFencingToken(open, { ...run('a', system), adoption: 1 })).rejects.toMatchObject({
        code: 'RunAdopted',
      });
    });
  });

  test('keeps no other run from its own rights', async () => {
    const system = freshSystem();
    await inVault(async (open) => {
      await acquireFencingToken(open, run('a', system));
      const token = await acquireFencingToken(open, run('b', system));
      await recordAdoption(open, adopter(system, 1));
      await requireFencingToken(open, { ...run('b', system), token });
    });
  });
});

/** A proof that is not good is refused, whatever is wrong with it, and written down with where it came from. */
import { generateKeyPairSync, sign } from 'node:crypto';
import { verifyProof } from '../../activities/proof/verify.js';
import { type Decision, statementOf } from '../../src/model/decision.js';
import type { RunView } from '../../src/model/run.js';
import type { Person } from '../../src/runbook/schema.js';
import { openToyWorld, statuses, type ToyWorld } from '../support/toy-world.js';

const keyOf = { eve: generateKeyPairSync('ed25519'), finn: generateKeyPairSync('ed25519') };
const person = (name: keyof typeof keyOf): Person => ({
  name,
  roles: ['lead'],
  contacts: [],
  proofs: { keys: [keyOf[name].publicKey.export({ type: 'spki', format: 'pem' }).toString()] },
});
const commander: Person = { name: 'ada', roles: ['incident-commander'], contacts: [] };

let world: ToyWorld;
beforeAll(async () => {
  world = await openToyWorld();
  world.verify = verifyProof({ now: Date.now, claim: async () => undefined });
});
afterAll(() => world.worker.stop());

let sent = 0;
/** A decision of eve's with a signature; what is to be different is signed so. */
function signed(
  { runId, planHash, openDecisions }: RunView,
  choice: Decision['choice'],
  different: { runId?: string; opening?: string; by?: keyof typeof keyOf; agoMs?: number } = {},
): Decision {
  const decision = { on: 'point', choice, by: 'eve' };
  const at = new Date(Date.now() - (different.agoMs ?? 0)).toISOString();
  const opening = different.opening ?? openDecisions.find(({ gate }) => gate === 'point')?.since ?? '';
  const text = statementOf({ runId: different.runId ?? runId, planHash, opening, decision, at });
  const signature = sign(null, Buffer.from(text), keyOf[different.by ?? 'eve'].privateKey).toString('base64');
  sent += 1;
  return {
    ...decision,
    proof: { at, signature },
    origin: { address: `192.0.2.${sent}`, agent: `muster 0.1.0 on machine ${sent}` },
  };
}

test('replayed, late, foreign and duplicate proofs: refused, and in the journal with address and program', async () => {
  const run = await world.start({}, { approvals: 2 }, undefined, {
    people: [commander, person('eve'), person('finn')],
  });
  const open = await run.waitsFor('gate-point');
  const refused: [string, Decision][] = [];
  const expectRefused = async (why: string, decision: Decision) => {
    expect(await run.refused(decision)).toContain(why);
    refused.push([why, decision]);
  };

  await expectRefused("by none of eve's keys over this decision", signed(open, 'approve', { by: 'finn' }));
  await expectRefused(
    "by none of eve's keys over this decision",
    signed(open, 'approve', { runId: 'toy-2' }),
  );
  await expectRefused("by none of eve's keys over this decision", signed(open, 'approve', { opening: '' }));
  await expectRefused('it is too late', signed(open, 'approve', { agoMs: 6 * 60_000 }));

  const good = signed(open, 'approve');
  await run.decide(good);
  await expectRefused('eve has approved point already', good);
  await run.decide(signed(open, 'withdraw'));
  await expectRefused('This proof was used already', good);

  // As a signal there is nobody to answer: the run shows it.
  const foreign = signed(open, 'approve', { by: 'finn' });
  await run.handle.signal('decide', foreign);
  await run.until(({ warnings }) =>
    warnings.some(({ text }) => text.startsWith('A signal was refused. The sig')),
  );
  refused.push(["by none of eve's keys", foreign]);

  const tooLate = signed(open, 'approve');
  await run.decide({ on: 'point', choice: 'override', by: 'ada', reason: 'nobody answers' });
  await run.until((view) => statuses(view)['gate-point'] === 'done');
  await expectRefused('point is decided already', tooLate);

  await run.decide({ on: 'run', choice: 'abort', by: 'ada', reason: 'test over' });
  const { view } = await run.result();
  const written = world.journal.filter(({ kind }) => kind === 'refused');
  expect(written).toHaveLength(refused.length);
  written.forEach(({ text, by, facts }, index) => {
    const [why, decision] = refused[index] ?? [];
    const origin = decision?.origin;
    expect(text).toContain(why);
    expect(by).toBe('eve');
    expect(facts).toEqual([
      { label: 'address', value: origin?.address },
      { label: 'agent', value: origin?.agent },
    ]);
  });
  const counted = view.steps.find(({ name }) => name === 'gate-point')?.decisions ?? [];
  expect(counted.map(({ choice, by }) => [choice, by])).toEqual([
    ['approve', 'eve'],
    ['withdraw', 'eve'],
    ['override', 'ada'],
  ]);
});

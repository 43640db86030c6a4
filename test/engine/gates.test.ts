/** Gates that ask several people, with proofs, and what happens when fewer answer. */
import type { Decision } from '../../src/model/decision.js';
import { openToyWorld, statuses, type ToyRun, type ToyWorld } from '../support/toy-world.js';

let world: ToyWorld;

beforeAll(async () => {
  world = await openToyWorld();
});
afterAll(() => world.worker.stop());
beforeEach(() => {
  world.journal.length = 0;
  world.proofs.length = 0;
  world.behave.clear();
});

const approve = (by: string, on = 'point'): Decision => ({ on, choice: 'approve', by });
const journal = (kind: string) =>
  world.journal.filter((entry) => entry.kind === kind).map((entry) => entry.text);
const openGate = async (run: ToyRun, step = 'gate-point') =>
  (await run.waitsFor(step)).openDecisions.find((open) => open.step === step);

async function end(run: ToyRun): Promise<void> {
  await run.decide({ on: 'run', choice: 'abort', by: 'ada', reason: 'test over' });
  await run.result();
}

/** The view once the gate is behind the run. */
const passed = (run: ToyRun) => run.until((view) => statuses(view)['gate-point'] === 'done');

describe('a gate for two people', () => {
  it('opens with the second of them, shows who is missing, and counts nobody twice', async () => {
    const run = await world.start({}, { approvals: 2 });
    expect((await openGate(run))?.missing).toBe('2 of lead');
    expect(await run.decide(approve('ada'))).toEqual({
      accepted: true,
      text: 'point: approved by ada. Still missing: one more lead.',
    });
    expect(await run.refused(approve('ada'))).toBe(
      'ada has approved point already; still missing: one more lead.',
    );
    const open = await openGate(run);
    expect(open).toMatchObject({ missing: 'one more lead', approvals: [{ by: 'ada', roles: ['lead'] }] });
    expect(open?.choices.map(({ choice }) => choice)).toContain('withdraw');
    expect(await run.decide(approve('cy'))).toEqual({
      accepted: true,
      text: 'point: approved by ada and cy. fences',
    });
    const view = await passed(run);
    expect(view.steps.find(({ name }) => name === 'gate-point')?.summary).toBe('approved by ada and cy');
    await end(run);
  });

  it('counts one person once, however many of their words come at the same moment', async () => {
    const run = await world.start({}, { approvals: 2 });
    await openGate(run);
    const proofs = Array.from({ length: 6 }, (_, index) => ({
      at: '2026-03-01T03:00:00Z',
      signature: `good together ${index}`,
    }));
    // Signals are not waited for: those that come in one breath are taken in one.
    await Promise.all(proofs.map(() => run.handle.signal('decide', approve('ada'))));
    await run.until(({ warnings }) => warnings.length >= 5);
    expect((await openGate(run))?.approvals.map(({ by }) => by)).toEqual(['ada']);
    await run.decide({ on: 'point', choice: 'withdraw', by: 'ada' });
    await Promise.all(proofs.map((proof) => run.handle.signal('decide', { ...approve('eve'), proof })));
    await run.until(({ warnings }) => warnings.length >= 10);
    expect((await openGate(run))?.approvals.map(({ by }) => by)).toEqual(['eve']);
    await end(run);
  });

  it('takes a denial that comes twice once', async () => {
    const run = await world.start({}, { approvals: 2 });
    await openGate(run);
    const deny: Decision = { on: 'point', choice: 'deny', by: 'cy', reason: 'too much lost' };
    await run.decide(deny);
    expect(await run.refused(deny)).toBe('cy has denied point already, for the same reason.');
    await run.decide({ ...deny, reason: 'and too late' });
    expect((await openGate(run))?.question).toBe('This point? Denied by cy: and too late');
    await end(run);
  });

  it('forgets a word that is taken back, and every word when somebody denies', async () => {
    const run = await world.start({}, { approvals: 2 });
    await openGate(run);
    await run.decide(approve('ada'));
    await run.decide({ on: 'point', choice: 'withdraw', by: 'ada' });
    expect((await openGate(run))?.approvals).toEqual([]);
    expect(await run.refused({ on: 'point', choice: 'withdraw', by: 'ada' })).toContain(
      'nothing to withdraw',
    );
    await run.decide(approve('ada'));
    await run.decide({ on: 'point', choice: 'deny', by: 'cy', reason: 'too much lost' });
    const denied = await openGate(run);
    expect(denied).toMatchObject({ question: 'This point? Denied by cy: too much lost', approvals: [] });
    await run.decide({ on: 'point', choice: 'withdraw', by: 'cy' });
    expect((await openGate(run))?.question).toBe('This point?');
    await end(run);
  });

  it('asks everybody again when what it shows is changed', async () => {
    const run = await world.start({}, { approvals: 2 });
    await openGate(run);
    await run.decide(approve('ada'));
    const before = await openGate(run);
    await run.decide({ ...approve('cy'), change: { point: '2026-03-01T11:00:00Z' } });
    const after = await openGate(run);
    expect(after?.approvals.map(({ by }) => by)).toEqual(['cy']);
    expect(after?.since).not.toBe(before?.since);
    expect(after?.facts).toEqual([{ label: 'proposal', value: 'propose of 2026-03-01T11:00:00Z' }]);
    expect(await run.refused({ ...approve('cy'), change: { point: '2026-03-01T11:00:00Z' } })).toContain(
      'cy has approved point already',
    );
    await run.decide(approve('ada'));
    await passed(run);
    await end(run);
  });

  it('does not count who has begun the run where the runbook says so', async () => {
    const run = await world.start({}, { requester: 'does-not-count' });
    await openGate(run);
    expect(await run.refused(approve('ada'))).toBe('ada has begun this run: point asks for somebody else.');
    await run.decide(approve('cy'));
    await passed(run);
    await end(run);
  });

  it('opens by itself when a word is enough once it has escalated', async () => {
    const run = await world.start(
      { 'gate-point': 1_500 },
      { roles: ['lead', 'security'], from: 'each', approvals: 2, atExpiry: 'escalate', escalateTo: ['lead'] },
    );
    await openGate(run);
    await run.decide(approve('ada'));
    await run.decide({ ...approve('eve'), proof: { at: '2026-03-01T03:00:00Z', signature: 'good 0' } });
    expect((await openGate(run))?.missing).toBe('one security');
    const view = await passed(run);
    expect(view.steps.find(({ name }) => name === 'gate-point')?.summary).toBe('approved by ada and eve');
    await end(run);
  });
});

describe('breaking the glass', () => {
  it('opens a gate with fewer people, loudly', async () => {
    const run = await world.start({}, { approvals: 2 });
    await openGate(run);
    await run.decide(approve('ada'));
    expect(await run.refused({ on: 'point', choice: 'override', by: 'dee' })).toContain('needs a reason');
    expect(await run.refused({ on: 'point', choice: 'override', by: 'cy', reason: 'x' })).toBe(
      'cy (lead, security) cannot override: breakGlass asks for incident-commander.',
    );
    const answer = await run.decide({ on: 'point', choice: 'override', by: 'dee', reason: 'nobody answers' });
    expect(answer.text).toBe('point: overridden, without the approval of one more lead. fences');
    const view = await passed(run);
    expect(view.overrides).toEqual([
      {
        on: 'point',
        by: ['dee'],
        reason: 'nobody answers',
        without: 'the approval of one more lead',
        at: expect.any(String),
      },
    ]);
    expect(view.warnings.map(({ text }) => text)).toContain(
      'point was overridden by dee, without the approval of one more lead: nobody answers',
    );
    await end(run);
  });

  it('takes as many people as the runbook demands, and nobody where it names nobody', async () => {
    const people = [
      { name: 'ada', roles: ['lead', 'incident-commander'], contacts: [] },
      { name: 'dee', roles: ['incident-commander'], contacts: [] },
    ];
    const two = await world.start({}, {}, undefined, {
      people,
      breakGlass: { roles: ['incident-commander'], people: 2 },
    });
    await openGate(two);
    const override = (by: string): Decision => ({ on: 'point', choice: 'override', by, reason: 'fire' });
    expect((await two.decide(override('dee'))).text).toBe('point: 1 more of incident-commander must say so.');
    expect(await two.refused(override('dee'))).toContain('dee has said so already');
    expect(statuses(await two.view())['gate-point']).toBe('waiting');
    await two.decide(override('ada'));
    expect((await passed(two)).overrides[0]?.by).toEqual(['dee', 'ada']);
    await end(two);
    const nobody = await world.start({}, {}, undefined, { people, breakGlass: undefined } as never);
    await openGate(nobody);
    expect(await nobody.refused(override('dee'))).toContain('names nobody who may override');
    await end(nobody);
  });
});

describe('proofs', () => {
  const signed = (signature: string, more: Partial<Decision> = {}): Decision => ({
    ...approve('eve'),
    proof: { at: '2026-03-01T03:00:00Z', signature },
    ...more,
  });

  it('are asked of whoever has some in the roster, over the very decision', async () => {
    const run = await world.start();
    const open = await openGate(run);
    expect(await run.refused(approve('eve'))).toBe('The signature is not good.');
    expect(await run.refused(signed('bad'))).toBe('The signature is not good.');
    await run.decide(signed('good 1', { origin: { address: '192.0.2.7', agent: 'test' } }));
    expect(JSON.parse(world.proofs.at(-1)?.statement ?? '')).toMatchObject({
      muster: 'decision',
      on: 'point',
      choice: 'approve',
      by: 'eve',
      opening: open?.since,
      at: '2026-03-01T03:00:00Z',
    });
    const view = await passed(run);
    expect(view.steps.find(({ name }) => name === 'gate-point')?.decisions.at(-1)).toMatchObject({
      by: 'eve',
      provenBy: ['ed25519'],
      origin: { address: '192.0.2.7', agent: 'test' },
    });
    await end(run);
    expect(journal('refused')).toEqual([
      'approve point by eve, as update: The signature is not good.',
      'approve point by eve, as update: The signature is not good.',
    ]);
  });

  it('count once, also when they come as signals, and a late one is written down', async () => {
    const run = await world.start({}, { approvals: 2 });
    await openGate(run);
    await run.decide(signed('good 2'));
    expect(await run.refused(signed('good 2', { choice: 'withdraw' }))).toContain(
      'This proof was used already',
    );
    await run.handle.signal('decide', signed('bad', { choice: 'withdraw' }));
    await run.until((view) => view.warnings.some(({ text }) => text.includes('The signature is not good.')));
    await run.decide(approve('ada'));
    await passed(run);
    await run.waitsFor('gate-promote');
    expect(await run.refused(signed('good 3'))).toContain('point is decided already: approved by');
    await end(run);
    expect(journal('refused').at(-1)).toContain('point is decided already');
  });

  it('do not count for what has changed while they were checked', async () => {
    const run = await world.start({}, { approvals: 2 });
    await openGate(run);
    const { verify } = world;
    let changed: Promise<unknown> | undefined;
    world.verify = async (input) => {
      world.verify = verify;
      changed = run.decide({ ...approve('cy'), change: { point: '2026-03-01T11:00:00Z' } });
      await changed;
      return verify(input);
    };
    expect(await run.refused(signed('good 4'))).toBe(
      'What point shows has changed meanwhile: look at it again, then decide.',
    );
    expect((await openGate(run))?.approvals.map(({ by }) => by)).toEqual(['cy']);
    await end(run);
  });

  it('are refused for another plan than the one of the run', async () => {
    const run = await world.start();
    await openGate(run);
    expect(await run.refused({ ...approve('ada'), planHash: 'f00d' })).toContain('You have seen plan f00d');
    await end(run);
  });
});

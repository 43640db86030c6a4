/** Two orchestrators on two Temporal servers, both told to recover the same system, each with a copy of its own: one promotion. */
import { existsSync } from 'node:fs';
import { waitForPayments } from '../../lab/demo/payments.js';
import {
  COMMANDER,
  gateOpens,
  runEnds,
  SYSTEM,
  stepFails,
  stepIs,
  stepOf,
  useIncident,
} from '../support/incident.js';
import { useLab } from '../support/lab.js';
import { recordInDns } from '../support/record.js';
import { useSecondOrchestrator } from '../support/second-orchestrator.js';

const lab = useLab({ worker: 'when-built' });
// Inside, so that it is gone before the lab is.
describe('two orchestrators', () => {
  const second = useSecondOrchestrator(lab);
  const here = useIncident(lab);
  const there = useIncident(second);
  const runs = { here: '', there: '' };

  it('both build and verify a copy; each server has its one run', async () => {
    const { startedAt } = await here.happen();
    [runs.there, runs.here] = await Promise.all([there.begin(startedAt), here.begin(startedAt)]);
    for (const one of [there, here]) {
      await one.until(
        (seen) => gateOpens('point')(seen) && stepIs('verify-dump', 'done')(seen),
        'a copy is there',
      );
    }
  }, 170_000);

  it('both may come to the promotion, and one promotes; the other says which run has, and what can be done', async () => {
    await there.approve('point');
    await there.until(gateOpens('promote'), 'the other one could promote');
    // The primary is in the other one's quarantine: here nobody answers, and two people go on without proof.
    await here.approve('point');
    await here.until(stepFails('fence-primary'), 'nobody answers here');
    await here.goOnWithoutProof('the other site does not answer');
    await here.until(gateOpens('promote'), 'this one could promote', ['fence-primary']);

    await there.approve('promote');
    await here.approve('promote');
    const [won, lost] = await Promise.all([
      here.until(runEnds, 'the run ends here'),
      there.until(stepFails('promote'), 'it fails there'),
    ]);
    expect(won.status).toBe('recovered');
    expect(stepOf(lost, 'promote').failure).toMatchObject({
      code: 'FenceSuperseded',
      message: expect.stringContaining(`but run ${runs.here} wrote claim 2 (fence)`),
      next: expect.stringContaining(`If it is ${runs.here}, abort this one: its own copy is removed`),
    });
    expect((await here.claims()).map(({ kind, runId }) => [kind, runId])).toEqual([
      ['fence', runs.there],
      ['fence', runs.here],
      ['promotion', runs.here],
    ]);
  }, 170_000);

  it('the one that did not promote is called off, and what the other one did stays', async () => {
    expect(await there.muster('retry', SYSTEM, 'promote', '--by', COMMANDER)).toMatchObject({ code: 0 });
    const held = await there.until(
      (seen) => stepOf(seen, 'promote').failure?.code === 'PromotionHeld',
      'it is refused again',
      ['promote'],
    );
    const { message, next } = stepOf(held, 'promote').failure ?? {};
    expect(message).toContain(
      `Run ${runs.here} took the right to promote a copy of payymo at recovery on 20`,
    );
    expect(next).toMatch(
      /Go on with run .*Abort this one: its own copy is removed; fence, quarantine and DNS stay/,
    );

    const abort = ['abort', SYSTEM, '--by', COMMANDER, '--reason', 'the other run has promoted', '--yes'];
    expect(await there.muster(...abort)).toMatchObject({ code: 0 });
    const seen = await there.until(runEnds, 'it is called off', ['promote']);
    expect([seen.status, seen.warnings]).toEqual(['aborted', []]);
    const undone = (name: string) => stepOf(seen, name).summary;
    expect(undone('preserve-damaged')).toMatch(
      /stays where it is, in .*quarantine.*took the right to promote/,
    );
    expect(undone('fence-primary')).toMatch(/the fence of west stays/);
    expect(undone('lower-dns-ttl')).toMatch(/left as it is/);
    expect(existsSync(second.state.ledger.sites.recovery.dataDir)).toBe(false);
    expect(existsSync(lab.state.ledger.sites.west.dataDir)).toBe(false);
    expect((await recordInDns(lab.state)).values).toEqual([lab.state.ledger.sites.recovery.address]);
    expect((await here.claims()).map(({ kind }) => kind)).toEqual(['fence', 'fence', 'promotion']);
    await waitForPayments(lab.state, 5);
  }, 60_000);
});

/** An approver who knows better: another recovery point while the copy at the proposed one is verified already. */
import type { LossReport, RestoreResult } from '../../activities/contract.js';
import type { Corruption } from '../../lab/break/corruption.js';
import { provenInLab } from '../../lab/people.js';
import type { RunResult } from '../../src/model/run.js';
import {
  type Acknowledged,
  APPROVER,
  gateOpens,
  runEnds,
  SYSTEM,
  stepIs,
  stepOf,
  useIncident,
  WORKFLOW,
} from '../support/incident.js';
import { onLedger, useLab } from '../support/lab.js';
import { measured } from './support/measured.js';

const lab = useLab({ worker: 'when-built' });
const incident = useIncident(lab);
let damage: Corruption;
/** The moment of a payment: payments go one after the other, so each one is committed before the next one's moment. */
let changed: Acknowledged;
let atPromotion: ReadonlySet<string>;
let result: RunResult;

async function paymentsInCopy(): Promise<ReadonlySet<string>> {
  const { admin, sites } = lab.state.ledger;
  const ask = 'select id from ledger.transactions where pg_is_in_recovery()';
  const { rows } = await onLedger(
    lab.state,
    admin,
    (copy) => copy.query<{ id: string }>(ask),
    sites.recovery,
  );
  return new Set(rows.map(({ id }) => id));
}

it('refuses a point that cannot be reached, with what can be; the gate stays open and nothing is redone', async () => {
  damage = await incident.happen(40);
  await incident.begin(damage.startedAt);
  await incident.until(
    (seen) => gateOpens('point')(seen) && stepIs('verify-application', 'done')(seen),
    'the first copy is verified while the gate waits',
  );
  const approve = ['approve', SYSTEM, 'point', '--by', APPROVER, '--point'];

  const ancient = await incident.muster(...approve, '2020-01-01T00:00:00Z');
  expect(ancient.code).toBe(2);
  expect(ancient.stderr).toMatch(/before all backups/);
  expect(ancient.stderr).toMatch(/begin at\s+20\d\d-\d\d-\d\dT/);
  expect(ancient.stderr).toMatch(/Nothing\s+was\s+changed/);

  const tomorrow = new Date(Date.now() + 86_400_000).toISOString();
  const future = await incident.muster(...approve, tomorrow);
  expect(future.code).toBe(2);
  expect(future.stderr).toMatch(/a moment of the past: it is 20/);
  const decision = await provenInLab(incident.lab.state.people, await incident.view(), {
    on: 'point',
    choice: 'approve',
    by: APPROVER,
    change: { point: tomorrow },
  });
  const sent = incident.client.workflow.getHandle(WORKFLOW).executeUpdate('decide', { args: [decision] });
  await expect(sent).rejects.toMatchObject({
    cause: { message: expect.stringMatching(/has not come yet: it is 20.*Nothing was changed/s) },
  });

  const seen = await incident.view();
  expect(gateOpens('point')(seen)).toBe(true);
  expect(stepOf(seen, 'restore')).toMatchObject({ status: 'done', begun: 1 });
  expect(stepOf(seen, 'verify-application')).toMatchObject({ status: 'done', begun: 1 });
}, 120_000);

it('moves the copy to the changed point by a delta restore and climbs every rung again', async () => {
  const good = (await incident.acknowledged()).filter(({ at }) => at < damage.startedAt);
  changed = good.at(-20) as Acknowledged;
  await incident.approve(
    'point',
    '--point',
    changed.at,
    '--reason',
    'a bad payment is older than was thought',
  );
  const seen = await incident.until(gateOpens('promote'), 'the gate of the promotion opens');
  const rungs = seen.steps.filter(({ kind }) => kind === 'verification');
  expect(rungs.map(({ name, status, begun }) => `${name} ${status} ${begun}`)).toEqual(
    rungs.map(({ name }) => `${name} done 2`),
  );
  expect(rungs).toHaveLength(7);
  expect(stepOf(seen, 'fence-primary').begun).toBe(1);

  atPromotion = await paymentsInCopy();
  const acknowledged = await incident.acknowledged();
  const wrong = acknowledged.filter(({ id, at }) => atPromotion.has(id) !== at < changed.at);
  expect(wrong).toEqual([]);
  expect(acknowledged.filter(({ id }) => atPromotion.has(id)).length).toBeGreaterThan(10);
}, 120_000);

it('counts the loss against the changed point', async () => {
  await incident.approve('promote');
  await incident.until(runEnds, 'the run ends');
  result = await incident.result();
  measured('corruption payymo changed-point', result);
  expect(result.view.status).toBe('recovered');
  const restored = result.outputs.restore as RestoreResult;
  expect(restored.delta).toBe(true);
  const loss = (result.outputs['measure-loss'] as LossReport).classes.transactions;
  // Asked before the ledger: the client goes on paying, and what is acknowledged later is no loss.
  const acknowledged = await incident.acknowledged();
  const present = await onLedger(
    lab.state,
    lab.state.ledger.app,
    async (ledger) => {
      const { rows } = await ledger.query<{ id: string }>('select id from ledger.transactions');
      return new Set(rows.map(({ id }) => id));
    },
    lab.state.ledger.sites.recovery,
  );
  const lost = acknowledged.filter(({ id }) => !present.has(id));
  expect(lost.map(({ id }) => id)).toContain(changed.id);
  expect(lost.filter(({ at }) => at < changed.at)).toEqual([]);
  expect(loss?.lostRecords).toBe(lost.length);
  const decided = stepOf(result.view, 'gate-point').decisions;
  expect(decided).toHaveLength(1);
  expect(decided[0]).toMatchObject({ by: APPROVER, changed: expect.stringContaining(changed.at) });
}, 60_000);

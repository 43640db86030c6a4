/** The primary's server is gone with its disk: everything that was archived comes back on another one, and nothing else is lost. */
import type { FenceProof, LossReport, Promotion, RecoveryPoint } from '../../activities/contract.js';
import { breakServer, type ServerLoss } from '../../lab/break/server-loss.js';
import { waitForPayments } from '../../lab/demo/payments.js';
import { statusLab } from '../../lab/status.js';
import type { RunResult } from '../../src/model/run.js';
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
import { onLedger, secretOf, useLab } from '../support/lab.js';
import { payAndArchive } from '../support/payments.js';
import { recordInDns } from '../support/record.js';

const lab = useLab({ worker: 'when-built' });
const incident = useIncident(lab);
let loss: ServerLoss;
let result: RunResult;
/** Acknowledged before the last segment that was archived ended. */
let archived: readonly string[];

it('gives the lost server up by the decisions of people, who are told what it costs', async () => {
  archived = await payAndArchive(lab, incident);
  loss = await breakServer((await statusLab(lab.dir))?.state ?? lab.state);
  const how = ['--detected-at', loss.at, '--by', COMMANDER, '--yes', '--no-watch', '--json'];
  expect(await incident.muster('recover', 'infrastructureFailure', SYSTEM, ...how)).toMatchObject({
    code: 0,
  });

  const asked = await incident.until(
    (seen) => gateOpens('point')(seen) && stepIs('verify-dump', 'done')(seen),
    'the copy is verified while the gate waits',
  );
  const facts = asked.openDecisions[0]?.facts ?? [];
  const told = Object.fromEntries(facts.map(({ label, value }) => [label, value]));
  expect(told.primary).toContain('does not answer');
  expect(told['loses transactions']).toMatch(/^\d+ acknowledged over/);
  await incident.approve('point');

  // Nobody can say what a server does that nobody sees: two people take that upon themselves.
  const failed = await incident.until(stepFails('fence-primary'), 'nothing can be proven of it');
  expect(stepOf(failed, 'fence-primary').failure?.code).toBe('PrimaryUnreachable');
  await incident.goOnWithoutProof('the rack is empty, two of us stand before it');
  await incident.until(gateOpens('promote'), 'the gate of the promotion opens', ['fence-primary']);
  await incident.approve('promote');
  await incident.until(runEnds, 'the run ends');
  result = await incident.result();
  expect(result.view.status).toBe('recovered');
}, 170_000);

it('has brought back all that was archived, and counts every payment that nobody has', async () => {
  const acknowledged = await incident.acknowledged();
  const runbook = await incident.runbook();
  const { admin, sites, signingKey } = lab.state.ledger;
  await onLedger(
    lab.state,
    admin,
    async (ledger) => {
      for (const { sql, parameters } of runbook.verification.invariants) {
        const key = parameters.length === 0 ? [] : [await secretOf(signingKey)];
        expect((await ledger.query(sql, key)).rows).toEqual([]);
      }
      const { rows } = await ledger.query<{ id: string }>('select id from ledger.transactions');
      const present = new Set(rows.map(({ id }) => id));
      expect(archived.filter((id) => !present.has(id))).toEqual([]);
      const missing = acknowledged.filter(({ id }) => !present.has(id));
      expect(missing.length).toBeGreaterThan(0);
      const { transactions } = (result.outputs['measure-loss'] as LossReport).classes;
      expect(transactions?.lostRecords).toBe(missing.length);
    },
    sites.recovery,
  );
  const point = result.outputs['propose-point'] as RecoveryPoint;
  expect(point).toMatchObject({ asked: 'newest', through: { at: expect.any(String) } });
}, 30_000);

it('has promoted once, leads everybody there, and says who went on without proof', async () => {
  const outputs = result.outputs as { promote: Promotion; 'fence-primary': FenceProof };
  expect(outputs.promote).toMatchObject({ timeline: 2, alreadyDone: false });
  expect((await incident.claims()).map(({ kind }) => kind)).toEqual(['fence', 'promotion']);
  expect(outputs['fence-primary']).toMatchObject({
    refusedWrite: null,
    without: { by: [COMMANDER, 'security-lead'], reason: expect.stringContaining('the rack is empty') },
  });
  expect(result.view.overrides).toMatchObject([{ on: 'fence-primary' }]);
  expect((await recordInDns(lab.state)).values).toEqual([lab.state.ledger.sites.recovery.address]);
  await waitForPayments(lab.state, 5);
}, 30_000);

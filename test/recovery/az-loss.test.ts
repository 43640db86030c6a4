/**
 * The zone of the primary is lost while its standby lags: what was archived is saved, what was not is counted, the standby takes
 * over, and the lost side cannot come back as it was.
 */
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import type pg from 'pg';
import type {
  ApplicationStarted,
  FenceProof,
  LossReport,
  Promotion,
  Quarantine,
  StandbyBuilt,
  StandbyCaughtUp,
} from '../../activities/contract.js';
import { databaseAccount } from '../../lab/account.js';
import { breakZone, type ZoneLoss } from '../../lab/break/az-loss.js';
import { waitForPayments } from '../../lab/demo/payments.js';
import { layoutOf } from '../../lab/layout.js';
import { findPrograms } from '../../lab/parts/lookup.js';
import { statusLab } from '../../lab/status.js';
import type { RunResult } from '../../src/model/run.js';
import { runTool } from '../../src/process.js';
import { eventually } from '../support/eventually.js';
import { COMMANDER, gateOpens, printed, runEnds, SYSTEM, useIncident } from '../support/incident.js';
import { onLedger, secretOf, useLab } from '../support/lab.js';
import { cutStandbyOff, payAndArchive } from '../support/payments.js';
import { recordInDns } from '../support/record.js';

const lab = useLab({ worker: 'when-built', standby: 'raised' });
const incident = useIncident(lab);
let loss: ZoneLoss;
let result: RunResult;
/** Acknowledged before the last segment that was archived ended. */
let archived: readonly string[];

function on<T>(site: 'west' | 'standby' | 'recovery', work: (client: pg.Client) => Promise<T>): Promise<T> {
  const { admin, sites } = lab.state.ledger;
  return onLedger(lab.state, admin, work, sites[site]);
}

it('fails over to the standby with the decisions of people alone', async () => {
  await waitForPayments(lab.state, 10);
  // Payments that only the archive has, and payments that nobody has.
  await cutStandbyOff(lab);
  archived = await payAndArchive(lab, incident);
  loss = await breakZone((await statusLab(lab.dir))?.state ?? lab.state);
  const how = ['--detected-at', loss.at, '--by', COMMANDER, '--yes', '--no-watch', '--json'];
  expect(await incident.muster('recover', 'azLoss', SYSTEM, ...how)).toMatchObject({ code: 0 });

  const asked = await incident.until(gateOpens('failover'), 'the gate of the failover opens');
  const facts = asked.openDecisions[0]?.facts ?? [];
  const told = Object.fromEntries(facts.map(({ label, value }) => [label, value]));
  expect(told.primary).toContain('does not answer');
  // What is lost is said before anything is done about it.
  expect(told['loses transactions']).toMatch(/^\d+ acknowledged over/);
  expect(told.lag).toMatch(/behind .* which the archive knows/);
  expect(asked.steps.find(({ name }) => name === 'fence-primary')?.status).toBe('pending');
  await incident.approve('failover');
  await incident.until(gateOpens('promote'), 'the gate of the promotion opens');
  expect(
    await on('standby', async (copy) => (await copy.query('select pg_is_in_recovery() as waits')).rows),
  ).toEqual([{ waits: true }]);
  await incident.approve('promote');
  await incident.until(runEnds, 'the run ends');
  result = await incident.result();
  expect(result.view.status).toBe('recovered');
}, 150_000);

it('has saved what was archived, and counts every payment that nobody has', async () => {
  const { runbook, acknowledged } = {
    runbook: await incident.runbook(),
    acknowledged: await incident.acknowledged(),
  };
  await on('standby', async (ledger) => {
    for (const { sql, parameters } of runbook.verification.invariants) {
      const key = parameters.length === 0 ? [] : [await secretOf(lab.state.ledger.signingKey)];
      expect((await ledger.query(sql, key)).rows).toEqual([]);
    }
    const { rows } = await ledger.query<{ id: string }>('select id from ledger.transactions');
    const present = new Set(rows.map(({ id }) => id));
    expect(archived.filter((id) => !present.has(id))).toEqual([]);
    const missing = acknowledged.filter(({ id }) => !present.has(id));
    const { transactions } = (result.outputs['measure-loss'] as LossReport).classes;
    expect(missing.length).toBeGreaterThan(0);
    expect(transactions?.lostRecords).toBe(missing.length);
    expect(transactions?.actualMs).toBeLessThan(transactions?.targetMs ?? 0);
    const { time, loses } = result.outputs['catch-up'] as StandbyCaughtUp;
    expect(loses.transactions?.records).toBe(missing.length);
    expect(missing.filter(({ at }) => at < time)).toEqual([]);
  });
}, 30_000);

it('has promoted once, leads everybody there, and the lost side cannot come back', async () => {
  const { sites, admin } = lab.state.ledger;
  const outputs = result.outputs as {
    promote: Promotion;
    'fence-primary': FenceProof;
    'preserve-damaged': Quarantine;
  };
  expect(outputs.promote).toMatchObject({ timeline: 2, alreadyDone: false });
  expect((await incident.claims()).map(({ kind }) => kind)).toEqual(['fence', 'promotion']);
  expect(outputs['fence-primary'].refusedWrite?.answer).toContain('no server runs on');
  expect((await recordInDns(lab.state)).values).toEqual([sites.standby.address]);
  expect(result.outputs['start-application'] as ApplicationStarted).toMatchObject({ ranAlready: false });
  await waitForPayments(lab.state, 5);

  // Its zone is back: whoever starts it where it was, or where it is kept, gets no server.
  const pgCtl = join(findPrograms().postgresBin, 'pg_ctl');
  for (const directory of [sites.west.dataDir, outputs['preserve-damaged'].directory]) {
    const started = await runTool(pgCtl, ['start', '-w', '-t', '5', '-s', '-D', directory], {
      account: databaseAccount().name,
      timeoutMs: 20_000,
    });
    expect(started.exitCode).not.toBe(0);
  }
  await expect(onLedger(lab.state, admin, async () => undefined, sites.west)).rejects.toThrow(/ECONNREFUSED/);
}, 60_000);

it('is protected again: a backup on the new timeline, and a standby of its own', async () => {
  const built = result.outputs['build-standby'] as StandbyBuilt;
  expect(built).toMatchObject({ site: 'recovery', timeline: 2 });
  const newest = await on('standby', async (primary) => {
    const { rows } = await primary.query<{ last: string }>(
      'select max(seq) as last from ledger.transactions',
    );
    return Number(rows[0]?.last);
  });
  await eventually(async () => {
    const held = await on('recovery', async (copy) => {
      const { rows } = await copy.query<{ last: string; waits: boolean }>(
        'select max(seq) as last, pg_is_in_recovery() as waits from ledger.transactions',
      );
      return rows[0];
    });
    expect(held?.waits).toBe(true);
    expect(Number(held?.last)).toBeGreaterThanOrEqual(newest);
  });
  const left = await readdir(join(layoutOf(lab.dir).sites.recovery.data, '..'));
  expect(left.filter((name) => name.endsWith('.lease.json'))).toEqual([]);
  expect((await incident.muster('journal', 'verify', result.view.runId)).code).toBe(0);
  expect(
    printed<{ run: { status: string } }>(await incident.muster('status', SYSTEM, '--json')).run.status,
  ).toBe('recovered');
}, 60_000);

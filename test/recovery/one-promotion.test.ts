/** Whatever dies in the middle of a recovery: it goes on, and there is one promotion. */
import type pg from 'pg';
import type { Promotion, RecordChange } from '../../activities/contract.js';
import { waitForPayments } from '../../lab/demo/payments.js';
import { upLab } from '../../lab/world.js';
import { eventually } from '../support/eventually.js';
import { freeze, freezePart, killPart, startWorker } from '../support/faults.js';
import { COMMANDER, gateOpens, printed, runEnds, SYSTEM, stepOf, useIncident } from '../support/incident.js';
import { onLedger, useLab } from '../support/lab.js';
import { recordInDns } from '../support/record.js';

const lab = useLab({ worker: 'when-built' });
const incident = useIncident(lab);
let before: string;
let runId: string;

/** Works on the copy at the recovery site, past the database that applications use. */
function onCopy<T>(work: (client: pg.Client) => Promise<T>): Promise<T> {
  const { admin, sites } = lab.state.ledger;
  return onLedger(lab.state, admin, work, sites.recovery);
}

/** Process numbers of the copy's server that a query over `pg_stat_activity` finds; waits for one. */
function processOf(copy: pg.Client, condition: string): Promise<number> {
  return eventually(async () => {
    const { rows } = await copy.query(`select pid from pg_stat_activity where ${condition}`);
    if (rows[0] === undefined) throw new Error(`no process with ${condition}`);
    return rows[0].pid as number;
  }, 60_000);
}

it('goes on when Temporal dies during the restore and is started again', async () => {
  before = (await incident.happen()).startedAt;
  runId = await incident.begin(before);
  await incident.until((seen) => stepOf(seen, 'restore').status !== 'pending', 'the restore begins');
  await killPart(lab, 'temporal');
  await upLab({ dir: lab.dir, log: () => undefined });
  const seen = await incident.until(gateOpens('point'), 'the gate of the point is open');
  expect(seen.runId).toBe(runId);
  await incident.approve('point');
  await incident.until(gateOpens('promote'), 'the gate of the promotion opens');
}, 150_000);

it('refuses a second recovery while one is active, and says who runs what', async () => {
  const second = await incident.recover(before);
  expect(second.code).toBe(2);
  const { error } = printed<{ error: { code: string; message: string; next: string } }>(second);
  expect(error.code).toBe('RunActive');
  expect(error.message).toContain(`${runId}, started by ${COMMANDER} at 20`);
  expect(error.message).toContain('No second one was started.');
  expect(error.next).toContain(`muster watch ${SYSTEM}`);
}, 60_000);

it('does not promote again when the promotion happened and nobody was told', async () => {
  // The copy's own process of recovery stands still, so that the promotion is seen under way.
  const thawNames = await onCopy(async (copy) => {
    const recovery = freeze(await processOf(copy, "backend_type = 'startup'"));
    const thaw = await freezePart(lab, 'dns');
    await incident.approve('promote');
    const caller = freeze(
      await processOf(copy, "query like '%pg_promote%' and state = 'active' and pid <> pg_backend_pid()"),
    );
    recovery();
    await eventually(async () => {
      expect((await copy.query('select pg_is_in_recovery() as still')).rows).toEqual([{ still: false }]);
    });
    await killPart(lab, 'worker');
    caller();
    return thaw;
  });
  await startWorker(lab);

  // The name is moved, and again the worker dies before it can say so: its resolver has not answered yet.
  const { recovery } = lab.state.ledger.sites;
  await eventually(async () => {
    expect((await recordInDns(lab.state)).values).toEqual([recovery.address]);
  }, 60_000);
  expect((await incident.step('cutover')).status).toBe('running');
  await killPart(lab, 'worker');
  thawNames();
  await startWorker(lab);

  const seen = await incident.until(runEnds, 'the run ends');
  expect(seen.status).toBe('recovered');
  const { outputs } = await incident.result();
  expect(outputs.promote).toMatchObject({ alreadyDone: true, timeline: 2 } satisfies Partial<Promotion>);
  expect(outputs.cutover).toMatchObject({ changeId: '' } satisfies Partial<RecordChange>);
  expect((await incident.claims()).map(({ kind }) => kind)).toEqual(['fence', 'promotion']);
  expect((await recordInDns(lab.state)).values).toEqual([recovery.address]);
  const histories = await onCopy((ledger) =>
    ledger.query("select name from pg_ls_waldir() where name like '%.history' order by 1"),
  );
  expect(histories.rows).toEqual([{ name: '00000002.history' }]);
  await waitForPayments(lab.state, 5);
}, 170_000);

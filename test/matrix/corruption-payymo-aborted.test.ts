/** A recovery that is called off after the damaged primary was fenced and put away: everything is as it was before. */
import { stat } from 'node:fs/promises';
import { resolve } from 'node:path';
import type { ReportFiles } from '../../activities/contract.js';
import type { FenceClaim } from '../../activities/vault/claims.js';
import { waitForPayments } from '../../lab/demo/payments.js';
import type { ReportDocument } from '../../src/evidence/document.js';
import type { RunView } from '../../src/model/run.js';
import { COMMANDER, gateOpens, printed, readJson, SYSTEM, stepIs, useIncident } from '../support/incident.js';
import { onLedger, useLab } from '../support/lab.js';
import { recordInDns } from '../support/record.js';

const lab = useLab({ worker: 'when-built' });
const incident = useIncident(lab);
let damagedSince: string;
let firstRun: string;

/** Everything about who may get in and write, as the cluster holds it. */
function rights(): Promise<unknown> {
  return onLedger(lab.state, lab.state.ledger.admin, async (ledger) => {
    const ask = async (sql: string) => (await ledger.query(sql)).rows;
    return {
      system: await ask('select system_identifier from pg_control_system()'),
      roles: await ask('select * from pg_authid order by oid'),
      members: await ask('select * from pg_auth_members order by roleid, member'),
      databases: await ask(
        'select oid, datname, datallowconn, datconnlimit, datacl from pg_database order by oid',
      ),
      perRole: await ask('select * from pg_db_role_setting order by 1, 2'),
      entrances: await ask('select * from pg_hba_file_rules order by 1'),
      settings: await ask(
        "select name, setting from pg_settings where source = 'configuration file' order by name",
      ),
    };
  });
}

const isThere = (path: string): Promise<boolean> =>
  stat(path).then(
    () => true,
    () => false,
  );

it('gives everything back when it is aborted with the primary fenced and in quarantine', async () => {
  const { sites } = lab.state.ledger;
  const before = { rights: await rights(), record: await recordInDns(lab.state) };
  damagedSince = (await incident.happen()).startedAt;
  firstRun = await incident.begin(damagedSince);
  await incident.until(gateOpens('point'), 'the gate of the point opens');
  await incident.approve('point');
  await incident.until(
    (seen) => stepIs('preserve-damaged', 'done')(seen) && stepIs('lower-dns-ttl', 'done')(seen),
    'the primary is in quarantine',
  );
  expect(await isThere(sites.west.dataDir)).toBe(false);
  expect((await recordInDns(lab.state)).ttl).toBeLessThan(before.record.ttl ?? 0);

  const abort = ['abort', SYSTEM, '--by', COMMANDER, '--reason', 'the damage was a false alarm', '--yes'];
  const aborted = await incident.muster(...abort);
  expect(aborted).toMatchObject({ code: 0 });
  expect(aborted.stdout).toContain('bring the damaged cluster back from quarantine and start it');
  const watched = await incident.muster('watch', SYSTEM, '--json');
  expect(watched.code).toBe(1);
  const { run } = printed<{ run: RunView }>(watched);
  expect(run).toMatchObject({ runId: firstRun, status: 'aborted', pointOfNoReturnPassed: false });
  expect((await incident.muster('status', SYSTEM)).code).toBe(1);

  expect(await rights()).toEqual(before.rights);
  expect(await recordInDns(lab.state)).toEqual(before.record);
  expect(await isThere(sites.recovery.dataDir)).toBe(false);
  await waitForPayments(lab.state, 10);
  const disabled = await onLedger(lab.state, lab.state.ledger.app, (ledger) =>
    ledger.query("select 1 from pg_trigger where tgname = 'append_only' and tgenabled = 'D'"),
  );
  expect(disabled.rowCount).toBe(1);
}, 120_000);

it('leaves a signed report and a whole journal of what was called off', async () => {
  const { outputs } = await incident.result();
  const { json } = outputs.report as ReportFiles;
  expect((await incident.muster('report', 'verify', resolve(json, '..'))).code).toBe(0);
  const report = await readJson<ReportDocument>(json);
  expect(report.status).toBe('aborted');
  expect(report.approvals.map(({ choice, by }) => `${by}: ${choice}`)).toEqual([
    'database-lead: approve',
    'on-call: abort',
  ]);
  const undone = report.steps.filter(({ status }) => status === 'undone').map(({ name }) => name);
  expect(undone.sort()).toEqual(['fence-primary', 'lower-dns-ttl', 'preserve-damaged', 'provision-target']);
  expect((await incident.muster('journal', 'verify', firstRun)).code).toBe(0);
}, 30_000);

it('can be recovered anew, with a greater fencing token', async () => {
  const second = await incident.begin(damagedSince);
  await incident.until(gateOpens('point'), 'the gate of the point opens again');
  await incident.approve('point');
  await incident.until(gateOpens('promote'), 'the gate of the promotion opens');
  const claims = await incident.claims();
  expect(claims.map(({ kind, runId }) => `${kind} ${runId}`)).toEqual([
    `fence ${firstRun}`,
    `release ${firstRun}`,
    `fence ${second}`,
  ]);
  const [first, , again] = claims as readonly FenceClaim[];
  expect(again?.number).toBeGreaterThan(first?.number ?? 0);
}, 120_000);

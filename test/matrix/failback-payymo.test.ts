/** A lost server was recovered elsewhere; its site is in order again, and the system goes home while payments go on. */
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type {
  LossReport,
  Promotion,
  ServiceValidation,
  StandbyBuilt,
  SwitchoverFence,
} from '../../activities/contract.js';
import { breakServer } from '../../lab/break/server-loss.js';
import { waitForPayments } from '../../lab/demo/payments.js';
import type { SiteName } from '../../lab/layout.js';
import { labCode } from '../../lab/people.js';
import { statusLab } from '../../lab/status.js';
import type { RunResult } from '../../src/model/run.js';
import { brokenInvariants } from '../support/after-recovery.js';
import { eventually } from '../support/eventually.js';
import { COMMANDER, type Incident, SYSTEM, useIncident } from '../support/incident.js';
import { onLedger, useLab } from '../support/lab.js';
import { payAndArchive } from '../support/payments.js';
import { recordInDns } from '../support/record.js';
import { commandUntilOver } from './support/commander.js';
import { measured } from './support/measured.js';

const lab = useLab({ worker: 'when-built' });
const incident = useIncident(lab);
let result: RunResult;
/** Lost with the server, before the way home began. */
let lostBefore: ReadonlySet<string>;

async function transactionsAt(site: SiteName): Promise<ReadonlySet<string>> {
  const { admin, sites } = lab.state.ledger;
  const read = async (client: Parameters<Parameters<typeof onLedger>[2]>[0]) =>
    (await client.query<{ id: string }>('select id from ledger.transactions')).rows.map(({ id }) => id);
  return new Set(await onLedger(lab.state, admin, read, sites[site]));
}

/** Resolvers of the lab forget within seconds what those of production hold for a minute. */
async function forgetSooner(): Promise<void> {
  const file = join(lab.state.runbooks, `${SYSTEM}.yaml`);
  const text = await readFile(file, 'utf8');
  const sooner = text.replace(/^( +ttl:) 60$/m, '$1 8');
  expect(sooner).not.toBe(text);
  await writeFile(file, sooner);
}

async function begin(scenario: string, ...more: readonly string[]): Promise<void> {
  const how = [...more, '--by', COMMANDER, '--yes', '--no-watch', '--json'];
  const begun = await incident.muster('recover', scenario, SYSTEM, ...how);
  if (begun.code !== 0) throw new Error(`exit code ${begun.code}: ${begun.stderr}`);
}

const withCode = async (by: Incident, gate: string): Promise<void> =>
  gate === 'switchover' ? by.approve(gate, '--totp', await labCode(by.approver)) : by.approve(gate);

it('is moved by a recovery', async () => {
  await forgetSooner();
  await payAndArchive(lab, incident);
  const { at } = await breakServer((await statusLab(lab.dir))?.state ?? lab.state);
  await begin('infrastructureFailure', '--detected-at', at);
  const moved = await commandUntilOver(incident, {
    withoutProof: 'the rack is empty, two of us stand before it',
  });
  expect(moved.view.status).toBe('recovered');
  await waitForPayments(lab.state, 5);
  const acknowledged = (await incident.acknowledged()).map(({ id }) => id);
  const there = await transactionsAt('recovery');
  lostBefore = new Set(acknowledged.filter((id) => !there.has(id)));
}, 200_000);

it('goes home by the decision of people, with every payment', async () => {
  await begin('failback');
  result = await commandUntilOver(incident, { approve: withCode });
  measured('failback payymo', result);
  expect(result.view.status).toBe('recovered');
  await waitForPayments(lab.state, 10);
  const acknowledged = (await incident.acknowledged()).map(({ id }) => id);
  const home = await transactionsAt('west');
  expect(acknowledged.filter((id) => !home.has(id) && !lostBefore.has(id))).toEqual([]);
  const { transactions } = (result.outputs['measure-loss'] as LossReport).classes;
  expect(transactions).toMatchObject({ lostRecords: 0, actualMs: 0 });
}, 200_000);

it('has promoted home at the very last record, and leads everybody there', async () => {
  const outputs = result.outputs as {
    'fence-primary': SwitchoverFence;
    promote: Promotion;
    validate: ServiceValidation;
  };
  const { shutdown } = outputs['fence-primary'];
  expect(outputs.promote).toMatchObject({
    timeline: 3,
    summary: expect.stringContaining(`branched off at ${shutdown.endLsn}`),
  });
  expect((await incident.claims()).map(({ kind }) => kind)).toEqual([
    'fence',
    'promotion',
    'fence',
    'promotion',
  ]);
  expect((await recordInDns(lab.state)).values).toEqual([lab.state.ledger.sites.west.address]);
  const scene = { lab, incident, paidBefore: new Set<string>(), from: 'recovery', to: 'west' } as const;
  expect(await brokenInvariants(scene)).toEqual([]);
  // Users were without the service for seconds, however long the rest took.
  const awayMs = Date.parse(outputs.validate.firstGoodAt) - Date.parse(shutdown.at);
  expect(awayMs).toBeLessThan(60_000);
}, 60_000);

it('is protected again: a backup on the new timeline, and the site that was left follows', async () => {
  expect(result.outputs['follow-home'] as StandbyBuilt).toMatchObject({ site: 'recovery', timeline: 3 });
  const newest = (await incident.acknowledged()).at(-1)?.id ?? '';
  await eventually(async () => expect((await transactionsAt('recovery')).has(newest)).toBe(true));
  const { admin, app, sites } = lab.state.ledger;
  const waits = await onLedger(
    lab.state,
    admin,
    async (client) =>
      (
        await client.query(
          'select pg_is_in_recovery() as waits, (select count(*) from pg_replication_slots) as slots',
        )
      ).rows,
    sites.recovery,
  );
  expect(waits).toEqual([{ waits: true, slots: '0' }]);
  const write = onLedger(
    lab.state,
    app,
    (client) => client.query('create temporary table x (x int)'),
    sites.recovery,
  );
  await expect(write).rejects.toThrow(/read-only/);
  expect((await incident.muster('journal', 'verify', result.view.runId)).code).toBe(0);
}, 60_000);

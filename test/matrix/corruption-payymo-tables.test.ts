/** A bad import goes into one table, and nobody can say since when: that table comes back, and no payment waits for it or is lost. */
import type { RecoveryPoint, TablesReplaced, TablesTaken } from '../../activities/contract.js';
import { breakTable, type CorruptedTable } from '../../lab/break/corrupted-table.js';
import { waitForPayments } from '../../lab/demo/payments.js';
import type { RunResult } from '../../src/model/run.js';
import { COMMANDER, gateOpens, SYSTEM, useIncident } from '../support/incident.js';
import { onLedger, secretOf, useLab } from '../support/lab.js';
import { recordInDns } from '../support/record.js';
import { commandUntilOver } from './support/commander.js';
import { measured } from './support/measured.js';

const lab = useLab({ worker: 'when-built' });
const incident = useIncident(lab);
const TABLE = 'ledger.accounts';
let damage: CorruptedTable;
let before: readonly Account[];
let result: RunResult;

interface Account {
  readonly id: string;
  readonly holder: string;
  readonly opening_cents: string;
}

function accounts(): Promise<readonly Account[]> {
  return onLedger(lab.state, lab.state.ledger.admin, async (client) => {
    const { rows } = await client.query<Account>(
      'select id, holder, opening_cents from ledger.accounts order by id',
    );
    return rows;
  });
}

it('brings the table back, after a gate that shows what changes', async () => {
  await waitForPayments(lab.state, 10);
  before = await accounts();
  damage = await breakTable(lab.state);
  expect(damage.alteredRows).toBeGreaterThan(0);
  await waitForPayments(lab.state, 10);
  const how = ['--tables', TABLE, '--by', COMMANDER, '--yes', '--no-watch', '--json'];
  expect(await incident.muster('recover', 'corruptedTables', SYSTEM, ...how)).toMatchObject({ code: 0 });
  const asked = await incident.until(gateOpens('tables'), 'what differs is shown');
  const facts = Object.fromEntries(
    (asked.openDecisions[0]?.facts ?? []).map(({ label, value }) => [label, value]),
  );
  expect(facts[TABLE]).toContain(`${damage.alteredRows} rows go back, 0 come back`);
  expect(facts['first bad commit']).toContain('transaction ');
  result = await commandUntilOver(incident);
  measured('corruption payymo tables', result);
  expect(result.view.status).toBe('recovered');
}, 280_000);

it('found the import by its own, and changed the rows of it alone', async () => {
  const { search, time } = result.outputs['propose-point'] as RecoveryPoint;
  expect(search?.broken.map(({ name }) => name)).toEqual(['balances']);
  expect(time >= damage.startedAt).toBe(true);
  const taken = result.outputs['take-tables'] as TablesTaken;
  expect(taken.tables).toMatchObject([{ table: TABLE, changed: damage.alteredRows, missing: 0, added: 0 }]);
  const replaced = result.outputs['replace-tables'] as TablesReplaced;
  expect(replaced.tables).toEqual([{ table: TABLE, changed: damage.alteredRows, inserted: 0 }]);
  expect(await accounts()).toEqual(before);
  await onLedger(lab.state, lab.state.ledger.admin, async (client) => {
    const { rows } = await client.query(
      `select count(*) as old from ${replaced.kept}."${TABLE}" where holder like 'IMPORT %'`,
    );
    expect(Number(rows[0]?.old)).toBe(damage.alteredRows);
  });
}, 30_000);

it('the rest stayed live: every payment is there, every rule holds, and nothing has moved', async () => {
  await waitForPayments(lab.state, 5);
  const acknowledged = await incident.acknowledged();
  const { verification } = await incident.runbook();
  const { signingKey, sites, admin } = lab.state.ledger;
  await onLedger(lab.state, admin, async (client) => {
    const { rows } = await client.query<{ id: string }>('select id::text from ledger.transactions');
    const present = new Set(rows.map(({ id }) => id));
    expect(acknowledged.filter(({ id }) => !present.has(id))).toEqual([]);
    for (const { sql, parameters } of verification.invariants) {
      const key = parameters.length === 0 ? [] : [await secretOf(signingKey)];
      expect((await client.query(sql, key)).rows).toEqual([]);
    }
  });
  expect((await recordInDns(lab.state)).values).toEqual([sites.west.address]);
  expect(await incident.claims()).toEqual([]);
}, 30_000);

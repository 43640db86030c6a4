/** After the recovery from a bad deployment: what was paid after the point and is sound is carried over, the rest is listed. */
import { execFileSync } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import type {
  Assessment,
  LossReport,
  Quarantine,
  SalvageCarried,
  SalvageFound,
} from '../../activities/contract.js';
import { waitForPayments } from '../../lab/demo/payments.js';
import { gateOpens, SYSTEM } from '../support/incident.js';
import { onLedger } from '../support/lab.js';
import { cell, type Recovered } from './support/cell.js';
import { commandUntilOver } from './support/commander.js';
import { labNow, ledgerIsRight, paid } from './support/ledger.js';

/** A payment that was taken after the point, and altered afterwards. */
let altered: string;

cell({
  scenario: 'corruption',
  system: 'payymo',
  variant: 'salvage',
  strike: async (stage) => {
    const { state } = stage.lab;
    await waitForPayments(state, 5);
    const safe = await paid(stage);
    const { startedAt } = await stage.incident.happen(40);
    await onLedger(state, state.ledger.deploy, async (client) => {
      const { rows } = await client.query<{ id: string }>(
        `update ledger.transactions set amount_cents = amount_cents + 7
         where seq = (select max(seq) - 3 from ledger.transactions) returning id::text`,
      );
      altered = rows[0]?.id ?? '';
    });
    await waitForPayments(state, 5);
    return { begin: ['--before', startedAt], safe };
  },
  look: ledgerIsRight({ from: 'west', to: 'recovery' }),
  also: { 'carries over what is sound, by a gate of its own, and lists the rest': salvages },
});

async function salvages({ lab, incident, result }: Recovered): Promise<void> {
  const { directory } = result.outputs['preserve-damaged'] as Quarantine;
  const evidence = filesIn(directory);
  const before = (result.outputs['measure-loss'] as LossReport).classes.transactions;
  const begun = await incident.muster(
    'recover',
    'salvage',
    SYSTEM,
    '--by',
    'on-call',
    '--yes',
    '--no-watch',
    '--json',
  );
  if (begun.code !== 0) throw new Error(begun.stderr);
  const asked = await incident.until(gateOpens('salvage'), 'what was found is shown');
  const facts = Object.fromEntries(
    (asked.openDecisions[0]?.facts ?? []).map(({ label, value }) => [label, value]),
  );
  expect(facts['ledger.transactions']).toMatch(/^\d+ of \d+ rows are sound/);
  const salvage = await commandUntilOver(incident);
  expect(salvage.view.status).toBe('recovered');
  const found = salvage.outputs['find-salvage'] as SalvageFound;
  const carried = salvage.outputs['carry-over'] as SalvageCarried;
  const after = (salvage.outputs['measure-loss'] as LossReport).classes.transactions;

  const list = (await readFile(found.list.file, 'utf8'))
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line));
  expect(list.length).toBe(found.list.lines);
  expect(list.find(({ key }) => key === altered)).toMatchObject({
    refused: 'the signature does not fit the content: altered after it was signed',
  });
  const sound = new Set(list.filter(({ refused }) => refused === null).map(({ key }) => key as string));
  expect(sound.size).toBeGreaterThan(30);

  // Read first: payments go on.
  const acknowledged = await incident.acknowledged();
  const state = await labNow({ lab, incident });
  const present = await onLedger(
    state,
    state.ledger.admin,
    async (client) => {
      const { rows } = await client.query<{ id: string; times: string }>(
        'select id::text, count(*) as times from ledger.transactions group by id',
      );
      expect(rows.filter(({ times }) => times !== '1')).toEqual([]);
      return new Set(rows.map(({ id }) => id));
    },
    state.ledger.sites.recovery,
  );
  // What the application refuses, for want of money, is told.
  const refusedByApplication = [...sound].filter((id) => !present.has(id)).length;
  expect(carried.tables[0]?.carried).toBe(sound.size - refusedByApplication);
  expect(present.has(altered)).toBe(false);
  const missing = acknowledged.filter(({ id }) => !present.has(id));
  expect(after?.lostRecords).toBe(missing.length);
  expect(after?.lostRecords ?? 0).toBeLessThan(before?.lostRecords ?? 0);
  expect(missing.map(({ id }) => id)).toContain(altered);
  const rules = salvage.outputs['check-rules'] as Assessment;
  expect(rules.invariants.filter(({ violations }) => violations > 0)).toEqual([]);
  expect(rules.reachable).toBe(true);
  expect(filesIn(directory)).toEqual(evidence);
}

/** Every file with its size and when it was changed. */
function filesIn(directory: string): string {
  return execFileSync('find', [directory, '-printf', '%P %s %T@ %m\n'], {
    encoding: 'utf8',
    maxBuffer: 64e6,
  });
}

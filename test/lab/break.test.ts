import { breakCorruption, type Corruption } from '../../lab/break/corruption.js';
import { BROKEN_CHAIN_SQL, WRONG_BALANCES_SQL } from '../../lab/payymo/signature.js';
import { eventually } from '../support/eventually.js';
import { onLedger, SMALL, secretOf, useLab } from '../support/lab.js';

const lab = useLab({ paymentsPerSecond: 20 });
let corruption: Corruption;

async function acknowledged(query: string): Promise<number> {
  const text = await (await fetch(`${lab.state.payymo.clientUrl}/acknowledged?${query}`)).text();
  return text.split('\n').filter(Boolean).length;
}

beforeAll(async () => {
  await eventually(async () => expect(await acknowledged('')).toBeGreaterThan(10));
  corruption = await breakCorruption(lab.state);
}, 60_000);

const asAdmin = <T extends object>(sql: string, values: unknown[] = []) =>
  onLedger(lab.state, lab.state.ledger.admin, async (client) => (await client.query<T>(sql, values)).rows);

describe('after the bad change', () => {
  test('payments were taken before it and are taken after it', async () => {
    expect(await acknowledged(`until=${corruption.startedAt}`)).toBeGreaterThan(10);
    await eventually(async () =>
      expect(await acknowledged(`since=${corruption.finishedAt}`)).toBeGreaterThan(10),
    );
  });

  test('the ledger does not verify any more, and the balances do not add up', async () => {
    const broken = await asAdmin<{ seq: string; reason: string }>(BROKEN_CHAIN_SQL, [
      await secretOf(lab.state.ledger.signingKey),
    ]);
    const wrong = await asAdmin(WRONG_BALANCES_SQL);
    expect(broken.length).toBeGreaterThan(corruption.alteredRows / 2);
    expect(wrong.length).toBeGreaterThan(0);
    const numbers = broken.map(({ seq }) => Number(seq));
    expect(Math.min(...numbers)).toBeLessThan(SMALL.transactions * 0.1);
    expect(Math.max(...numbers)).toBeGreaterThan(SMALL.transactions * 0.9);
    // The damage is not at the end: what was written since is sound.
    const newest = await asAdmin<{ seq: string }>('select max(seq) as seq from ledger.transactions');
    expect(Math.max(...numbers)).toBeLessThan(Number(newest[0]?.seq) - 10);
  });

  test('tells how many rows it altered and deleted, and from when', async () => {
    const [counted] = await asAdmin<{ altered: string; first: string; missing: string }>(
      `select count(*) filter (where seq <= $3 and pg_xact_commit_timestamp(xmin) between $1 and $2) as altered,
         min(pg_xact_commit_timestamp(xmin)) filter (where seq <= $3 and pg_xact_commit_timestamp(xmin) >= $1) > $1 as first,
         max(seq) - count(*) as missing
       from ledger.transactions where at < $1`,
      [corruption.startedAt, corruption.finishedAt, SMALL.transactions],
    );
    expect(corruption.alteredRows).toBeGreaterThan(100);
    expect(corruption.deletedRows).toBeGreaterThan(20);
    expect(Number(counted?.missing)).toBe(corruption.deletedRows);
    // A row that was altered and then deleted counts as both.
    expect(Number(counted?.altered)).toBeLessThanOrEqual(corruption.alteredRows);
    expect(Number(counted?.altered)).toBeGreaterThan(corruption.alteredRows * 0.9);
    expect(counted?.first).toBe(true);
  });

  test('the append-only trigger is off, so a row can be changed', async () => {
    const triggers = await asAdmin<{ state: string }>(
      `select tgenabled as state from pg_trigger where tgrelid = 'ledger.transactions'::regclass and tgname = 'append_only'`,
    );
    expect(triggers).toEqual([{ state: 'D' }]);
    expect(corruption.disabledTrigger).toBe('ledger.transactions.append_only');
  });
});

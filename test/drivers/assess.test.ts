import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { MockActivityEnvironment } from '@temporalio/testing';
import { assessActivities } from '../../activities/assess/index.js';
import { freePorts } from '../../lab/ports.js';
import type { Invariant } from '../../src/runbook/schema.js';
import { eventually } from '../support/eventually.js';
import { generationOf, makeCluster, PAYMENTS, type TestCluster } from './support/postgres.js';
import { stepOf } from './support/steps.js';

const { assessDamage } = assessActivities();
const at = stepOf('run-1');
const dataClasses = { transactions: PAYMENTS };
let primary: TestCluster;

beforeAll(async () => {
  primary = await makeCluster();
  await primary.admin((client) =>
    client.query(`
      create function refuse() returns trigger language plpgsql as $$ begin raise 'append-only'; end $$;
      create trigger append_only before update or delete on payment for each row execute function refuse();
      insert into payment (amount) select n from generate_series(1, 1200) n`),
  );
});
afterAll(() => primary?.remove());

function rule(name: string, sql: string, more: Partial<Invariant> = {}): Invariant {
  return { name, title: `rule ${name}`, sql, parameters: [], timeout: 5_000, ...more };
}

test('sound data: every rule is asked, identity and size are told', async () => {
  const assessment = await assessDamage({
    at,
    damaged: primary.at,
    invariants: [rule('positive', 'select id from payment where amount <= 0;')],
    dataClasses,
  });
  expect(assessment).toMatchObject({
    ...(await generationOf(primary)),
    reachable: true,
    inRecovery: false,
    disabledTriggers: [],
    summary: 'no damage found: all 1 invariants hold',
  });
  expect(assessment.serverVersion).toMatch(/^\d+/);
  expect(assessment.databaseBytes).toBeGreaterThan(1_000_000);
});

test('damage: rows are counted, a few are shown, the trigger that was switched off is named', async () => {
  await primary.admin((client) =>
    client.query(
      `alter table payment disable trigger append_only; update payment set amount = -amount where amount > 100`,
    ),
  );
  const secret = join(primary.folder, 'limit');
  await writeFile(secret, '0');
  const assessment = await assessDamage({
    at,
    damaged: primary.at,
    invariants: [
      rule('positive', 'select id, amount from payment where amount <= $1::integer', {
        parameters: [`file:${secret}`],
      }),
      rule('never', 'select id from payment where amount is null'),
      rule('gone', 'select id from ledger_that_was_dropped'),
      rule('slow', 'select pg_sleep(9)', { timeout: 100 }),
    ],
    dataClasses,
  });
  const [positive, never, gone, slow] = assessment.invariants;
  expect(positive).toMatchObject({ name: 'positive', violations: 1_100 });
  expect(positive?.samples.length).toBeGreaterThan(0);
  expect(positive?.samples.length).toBeLessThan(10);
  expect(never).toMatchObject({ violations: 0, samples: [] });
  expect(gone?.samples[0]).toContain('ledger_that_was_dropped');
  expect(slow?.samples[0]).toContain('did not finish within 100 ms');
  expect(assessment.disabledTriggers).toEqual(['payment.append_only']);
  expect(assessment.summary).toBe(
    '3 of 4 invariants broken: positive 1,100 rows, gone cannot be asked, slow cannot be asked; switched off: payment.append_only',
  );
});

test('a primary that does not answer is an answer', async () => {
  const { port } = await freePorts({ port: { addresses: ['127.0.0.1'] } });
  const damaged = { ...primary.at, postgres: { ...primary.at.postgres, port } };
  expect(
    await assessDamage({ at, damaged, invariants: [rule('any', 'select 1')], dataClasses }),
  ).toMatchObject({
    reachable: false,
    invariants: [],
    summary: expect.stringContaining('west does not answer'),
  });
});

test('called off in the middle, it does not wait for the answer of a long rule', async () => {
  const env = new MockActivityEnvironment();
  const asking = env.run(assessDamage, {
    at,
    damaged: primary.at,
    invariants: [rule('endless', 'select pg_sleep(600)::text', { timeout: 600_000 })],
    dataClasses,
  });
  asking.catch(() => undefined);
  await eventually(() =>
    primary.admin(async (client) => {
      const { rows } = await client.query(
        "select 1 from pg_stat_activity where application_name = 'muster-invariant-endless' and state = 'active'",
      );
      if (rows.length === 0) throw new Error('not asked yet');
    }),
  );
  env.cancel();
  await expect(asking).rejects.toMatchObject({ name: 'CancelledFailure' });
});

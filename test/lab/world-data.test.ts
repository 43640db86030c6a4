/** The data of the systems beside Payymo and the rules of their runbooks, on a plain server. */
import type pg from 'pg';
import type { Asked, FileStore } from '../../lab/worlds/definition.js';
import { fill } from '../../lab/worlds/fill.js';
import { WORLD_NAMES, worldNamed } from '../../lab/worlds/index.js';
import { loadRunbook } from '../../src/runbook/load.js';
import type { Invariant, Runbook } from '../../src/runbook/schema.js';
import { startPostgres, type TestServer } from '../support/postgres.js';

let server: TestServer;
beforeAll(async () => {
  server = await startPostgres();
});
afterAll(() => server?.remove());

describe.each(WORLD_NAMES)('%s', (name) => {
  const world = worldNamed(name);
  let client: pg.Client;
  let invariants: readonly Invariant[];
  let scenarios: Runbook['scenarios'];

  beforeAll(async () => {
    const admin = await server.connect();
    await admin.query(
      `create role ${world.rolePrefix}_owner nologin; create role ${world.rolePrefix}_app login;
       create role ${world.rolePrefix}_deploy login in role ${world.rolePrefix}_owner`,
    );
    await admin.query(`create database ${world.database} owner ${world.rolePrefix}_owner`);
    await admin.end();
    client = await server.connect(world.database);
    await fill(client, world);
    const { runbook } = await loadRunbook(`runbooks/${name}.yaml`);
    invariants = runbook.verification.invariants;
    scenarios = runbook.scenarios;
  });
  afterAll(() => client?.end());

  async function broken(): Promise<string[]> {
    const found: string[] = [];
    for (const { name: invariant, sql } of invariants) {
      if ((await client.query(sql)).rows.length > 0) found.push(invariant);
    }
    return found;
  }

  /** Does it as the role, and takes it back. */
  async function as<T>(role: string, work: () => Promise<T>): Promise<T> {
    await client.query('begin');
    await client.query(`set local role ${role}`);
    try {
      return await work();
    } finally {
      await client.query('rollback');
    }
  }

  test('a sound system breaks no rule, with thousands of rows', async () => {
    expect(await broken()).toEqual([]);
    const { rows } = await client.query<{ rows: string }>(
      'select sum(n_live_tup) as rows from pg_stat_user_tables',
    );
    expect(Number(rows[0]?.rows)).toBeGreaterThan(5_000);
  });

  test('what the client writes keeps every rule, and is the same when it is sent again', async () => {
    const { path, body } = world.write();
    const route = world.routes.find((each) => each.method === 'POST' && each.path === path);
    await as(`${world.rolePrefix}_app`, async () => {
      const first = await route?.answer(client, { params: {}, body });
      expect(first).toMatchObject({
        status: 201,
        body: { id: body.id, at: expect.stringMatching(/\.\d{6}Z$/) },
      });
      expect(await route?.answer(client, { params: {}, body })).toEqual({ status: 200, body: first?.body });
      await client.query('reset role');
      expect(await broken()).toEqual([]);
    });
  });

  test('the application cannot take back what is final', async () => {
    const final = {
      moneyflow: 'books.lines',
      accubooks: 'chrona.time_entries',
      spendsync: 'spend.audit',
      'practice-hub': 'hub.activity',
    }[name];
    await as(`${world.rolePrefix}_app`, async () => {
      await expect(client.query(`delete from ${final}`)).rejects.toThrow('permission denied');
    });
    await as(`${world.rolePrefix}_deploy`, async () => {
      await expect(client.query(`delete from ${final}`)).rejects.toThrow('is refused');
    });
  });

  test('the bad change breaks the rules that it violates', async () => {
    await as(`${world.rolePrefix}_deploy`, async () => {
      for (const { sql } of world.damage) await client.query(sql);
      await client.query('reset role');
      expect(await broken()).toEqual(
        {
          moneyflow: ['double-entry', 'balances', 'append-only'],
          accubooks: ['bills', 'amounts', 'workflow', 'triggers'],
          spendsync: ['budgets', 'audit', 'append-only'],
          'practice-hub': ['kyc', 'onboarded', 'append-only'],
        }[name],
      );
    });
  });

  const { badImport } = world;
  if (badImport !== undefined) {
    test('the bad import breaks a rule, into a table that may come back by itself', async () => {
      const chosen = scenarios.corruptedTables?.tables ?? [];
      expect(chosen.map(({ table }) => table)).toContain(badImport.table);
      await as(`${world.rolePrefix}_deploy`, async () => {
        expect((await client.query(badImport.sql)).rowCount).toBeGreaterThan(10);
        await client.query('reset role');
        expect(await broken()).toEqual(
          new Map([
            ['moneyflow', ['invoices-posted']],
            ['accubooks', ['workflow']],
            ['spendsync', ['budgets']],
          ]).get(name),
        );
        const afterwards = chosen.flatMap((one) => (one.table === badImport.table ? one.afterwards : []));
        if (afterwards.length === 0) return;
        for (const { sql } of afterwards) await client.query(sql);
        expect(await broken()).toEqual([]);
      });
    });
  }
});

describe('documents of Practice Hub', () => {
  const world = worldNamed('practice-hub');
  const stored = new Map<string, Uint8Array>();
  const files: FileStore = {
    read: async (key) => stored.get(key),
    write: async ({ key, content }) => void stored.set(key, content),
  };
  let client: pg.Client;
  beforeAll(async () => {
    client = await server.connect(world.database);
  });
  afterAll(() => client?.end());

  const answer = (method: 'GET' | 'POST', path: string, asked: Asked) =>
    world.routes.find((each) => each.method === method && each.path === path)?.answer(client, asked);

  test('one that is handed in twice is one file and one row; what becomes of the file is told', async () => {
    const { path, body } = world.files?.write() ?? { path: '', body: { id: '' } };
    const first = await answer('POST', path, { params: {}, body, files });
    expect(first?.status).toBe(201);
    expect(await answer('POST', path, { params: {}, body, files })).toEqual({
      status: 200,
      body: first?.body,
    });
    expect([...stored.keys()]).toEqual([first?.body.key]);
    const open = () => answer('GET', '/documents/:id', { params: { id: body.id }, body: undefined, files });
    expect(await open()).toMatchObject({ status: 200, body: { id: body.id, file: 'sound' } });
    stored.set(String(first?.body.key), Buffer.from('archived'));
    expect(await open()).toMatchObject({ status: 200, body: { file: 'altered' } });
    stored.clear();
    expect((await open())?.status).toBe(410);
  });

  test('where files are out of reach nothing is written', async () => {
    const { path, body } = world.files?.write() ?? { path: '', body: { id: '' } };
    const broken: FileStore = { ...files, write: () => Promise.reject(new Error('the store is silent')) };
    await expect(answer('POST', path, { params: {}, body, files: broken })).rejects.toThrow('is silent');
    expect((await answer('POST', path, { params: {}, body }))?.status).toBe(503);
    const { rows } = await client.query('select from hub.documents where id = $1', [body.id]);
    expect(rows).toEqual([]);
  });
});

const newest = (table: string, skip: number) =>
  `(select id from ${table} order by at desc, id offset ${skip} limit 1)`;

/** What is found of a sound system, what is done to three of its records, and what is said of these. */
const SALVAGED: readonly [
  system: string,
  before: Record<string, number>,
  spoil: string,
  after: Record<string, number>,
][] = [
  [
    'spendsync',
    { sound: 4_000 },
    `alter table spend.audit disable trigger append_only;
     delete from spend.audit where expense_id = ${newest('spend.expenses', 0)};
     update spend.expenses set at = at + interval '1 second' where id = ${newest('spend.expenses', 7)};
     update spend.expenses set amount_cents = 200000000 where id = ${newest('spend.expenses', 21)}`,
    {
      sound: 3_997,
      'the audit does not say that it was entered': 1,
      'the audit says that it was entered at another time': 1,
      'no budget is large enough for it': 1,
    },
  ],
  [
    'moneyflow',
    { sound: 1_000, 'it was paid: enter it together with its payment': 2_000 },
    `alter table books.lines disable trigger append_only;
     update books.invoices set amount_cents = amount_cents + 1 where number = 3000;
     update books.lines set cents = cents - 1 where account = '4000' and entry_id = 2997;
     insert into books.entries (invoice_id, memo, at) select id, 'again', at from books.invoices where number = 2994`,
    {
      sound: 997,
      'it was paid: enter it together with its payment': 2_000,
      'what was posted is not its amount': 1,
      'debit does not equal credit': 1,
      'it is not posted once': 1,
    },
  ],
  [
    'accubooks',
    { sound: 1_000, 'it was approved or billed since': 3_000 },
    `update chrona.time_entries set amount_cents = amount_cents + 7 where id = ${newest('chrona.time_entries', 0)};
     delete from chrona.steps where entry_id = ${newest('chrona.time_entries', 7)};
     update chrona.time_entries set state = 'approved' where id = ${newest('chrona.time_entries', 21)}`,
    {
      sound: 997,
      'it was approved or billed since': 3_001,
      'it does not cost its minutes at the rate of its project': 1,
      'nothing says that it was entered': 1,
    },
  ],
];

test.each(SALVAGED)(
  'the salvage of %s finds a sound record sound, and says of the others why not',
  async (system, before, spoil, after) => {
    const { runbook } = await loadRunbook(`runbooks/${system}.yaml`);
    const sql = runbook.scenarios.salvage?.tables[0]?.sql ?? '';
    const client = await server.connect(system);
    const judged = async () => {
      const { rows } = await client.query<{ said: string; count: string }>(
        `select coalesce(refused, 'sound') as said, count(*) from (${sql}) as found group by refused`,
        ['-infinity'],
      );
      return Object.fromEntries(rows.map(({ said, count }) => [said, Number(count)]));
    };
    try {
      await client.query('begin');
      expect(await judged()).toEqual(before);
      await client.query(spoil);
      expect(await judged()).toEqual(after);
    } finally {
      await client.query('rollback');
      await client.end();
    }
  },
);

/** Going back to another release, against a real database: which one, with which migrations, and that no write is lost. */
import { writeFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import type { ReleaseOf, ReleaseState } from '../../activities/contract.js';
import { chooseRelease } from '../../activities/release/choice.js';
import { releaseActivities } from '../../activities/release/index.js';
import { binDirectoryOf } from '../../activities/service/index.js';
import type { OwnersCommand } from '../../src/runbook/schema.js';
import { makeCluster, type TestCluster } from './support/postgres.js';
import { stepOf } from './support/steps.js';

const { assessRelease, migrateDown, validateRelease } = releaseActivities();
const at = stepOf('run-1', 'spendsync');
const [GONE, KEPT] = ['00000000-0000-4000-8000-000000000001', '00000000-0000-4000-8000-000000000002'];
const DOWN = 'alter table expense drop column currency';
const FORGET = "delete from migration where name = '0003_currency'";
const invariants = [
  {
    name: 'sound',
    title: 'Sound',
    sql: 'select * from expense where id is null',
    parameters: [],
    timeout: 9_000,
  },
];

let cluster: TestCluster;
let server: Server;
let subject: ReleaseOf;
let answers: { health: number; release: string | null; spent: number };

beforeAll(async () => {
  cluster = await makeCluster();
  server = createServer((request, answer) => {
    const { health, release, spent } = answers;
    if (request.url === '/health') {
      return answer.writeHead(health).end(JSON.stringify(release === null ? {} : { release }));
    }
    if (request.url === '/spent') return answer.writeHead(spent).end('{}');
    const now = new Date().toISOString();
    return answer.end([GONE, KEPT].map((id) => `${JSON.stringify({ id, at: now })}\n`).join(''));
  }).listen(0, '127.0.0.1');
  await new Promise((resolve) => server.once('listening', resolve));
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const exchange = { title: 'spent', method: 'GET', path: '/spent', expectStatus: 200 } as const;
  subject = {
    application: {
      ...{ component: 'spending', url, healthPath: '/health' },
      functions: [{ name: 'spent', title: 'What was spent', readOnly: true, exchanges: [exchange] }],
    },
    database: cluster.at,
    releases: {
      history: 'select release, deployed_at from release order by deployed_at desc',
      migrations: 'select name, release from migration order by applied_at desc;',
      healthField: 'release',
    },
    dataClasses: {
      expenses: {
        ...{ rpo: 1, component: 'database', table: 'expense', key: 'id', time: 'at' },
        acknowledged: { driver: 'http-ndjson', url: `${url}/acknowledged` },
      },
    },
  };
});
afterAll(async () => {
  server?.close();
  await cluster?.remove();
});

beforeEach(async () => {
  answers = { health: 200, release: '2.4.0', spent: 500 };
  await cluster.admin((client) =>
    client.query(`
      drop table if exists release, migration, expense;
      create table release (release text, deployed_at timestamptz);
      insert into release values ('2.2.0', now() - interval '9 days'), ('2.3.0', now() - interval '3 days'),
        ('2.4.0', now() - interval '1 hour');
      create table migration (name text, release text, applied_at timestamptz);
      insert into migration values ('0002_categories', '2.2.0', now() - interval '9 days'),
        ('0003_currency', '2.4.0', now() - interval '1 hour');
      create table expense (id uuid primary key, at timestamptz default now(), currency text default 'USD');
      insert into expense (id) values ('${KEPT}')`),
  );
});

const assess = (how: { back?: string; migratesDown?: boolean } = {}): Promise<ReleaseState> =>
  assessRelease({ at, ...subject, invariants, migratesDown: true, ...how });

async function command(sql: string): Promise<OwnersCommand> {
  const { host, port, admin, database } = cluster.at.postgres;
  const file = join(cluster.folder, 'down.sql');
  await writeFile(file, sql);
  const psql = join(await binDirectoryOf(cluster.at.postgres), 'psql');
  const login = ['-h', host, '-p', String(port), '-U', admin.user, '-d', database];
  return {
    driver: 'command',
    command: [psql, '-Xq1', '-v', 'ON_ERROR_STOP=1', ...login, '-f', file],
    ...{ directory: '/', timeout: 20_000, environment: { PGPASSWORD: admin.password } },
  };
}

test('what runs, what fails, what is missing already, and what going back takes', async () => {
  expect(await assess()).toMatchObject({
    running: '2.4.0',
    told: '2.4.0',
    healthy: true,
    failing: ['What was spent'],
    broken: [],
    back: '2.3.0',
    candidates: ['2.3.0', '2.2.0'],
    migrations: ['0003_currency'],
    missing: { expenses: 1 },
    uncounted: [],
  });
});

test('without a way to take a migration back nothing begins, and the other way is named', async () => {
  await expect(assess({ migratesDown: false })).rejects.toMatchObject({
    code: 'MigrationFinal',
    next: expect.stringContaining('muster recover corruption spendsync --before'),
  });
});

test('a release that never ran is refused', async () => {
  await expect(assess({ back: '9.9.9' })).rejects.toMatchObject({ code: 'ReleaseUnknown' });
});

test('a query that cannot be run names its field', async () => {
  subject = { ...subject, releases: { ...subject.releases, history: 'select 1 as nothing' } };
  await expect(assess()).rejects.toMatchObject({
    code: 'ReleasesUnreadable',
    message: expect.stringContaining('history'),
  });
  subject = {
    ...subject,
    releases: {
      ...subject.releases,
      history: 'select release, deployed_at from release order by deployed_at desc',
    },
  };
});

test('the migration is taken back once, and the write stays', async () => {
  const state = await assess();
  const down = { at, ...subject, command: await command(`${DOWN}; ${FORGET}`), state };
  const first = await migrateDown(down);
  expect(first).toMatchObject({ takenBack: ['0003_currency'] });
  expect(first.summary).toContain('no acknowledged write is missing (expenses)');
  // It would fail: the column is gone.
  expect(await migrateDown(down)).toMatchObject({ takenBack: [] });
  answers = { health: 200, release: '2.3.0', spent: 200 };
  expect(await validateRelease({ at, ...subject, invariants, state })).toMatchObject({
    broken: [],
    summary: expect.stringContaining('2.3.0 works: spent'),
  });
});

test('a command that ends well and has not done it is found', async () => {
  const state = await assess();
  await expect(
    migrateDown({ at, ...subject, command: await command('set work_mem = 4096'), state }),
  ).rejects.toMatchObject({ code: 'MigrationStays' });
});

test('a command that takes writes with it is found, also by the validation', async () => {
  const state = await assess();
  const down = await command(`${FORGET}; truncate expense`);
  const missing = { code: 'WritesMissing', message: expect.stringContaining('1 of expenses') };
  await expect(migrateDown({ at, ...subject, command: down, state })).rejects.toMatchObject(missing);
  answers = { health: 200, release: '2.3.0', spent: 200 };
  await expect(validateRelease({ at, ...subject, invariants, state })).rejects.toMatchObject(missing);
});

test('the validation says that damaged data is not mended by a release', async () => {
  const state = await assess();
  answers = { health: 200, release: null, spent: 200 };
  const broken = [{ ...invariants[0], name: 'unsound', sql: 'select * from expense' }] as typeof invariants;
  expect(await validateRelease({ at, ...subject, invariants: broken, state })).toMatchObject({
    broken: ['unsound'],
    summary: expect.stringContaining('THE DATA IS DAMAGED'),
  });
});

test('a drill touches nothing', async () => {
  const state = await assess();
  const drill = { ...at, mode: 'drill' } as const;
  await expect(
    migrateDown({ at: drill, ...subject, command: await command(DOWN), state }),
  ).rejects.toMatchObject({ code: 'DrillForbidden' });
});

describe('the release that is gone back to', () => {
  const chosen = (releases: readonly string[], migrations: readonly [string, string][] = []) =>
    chooseRelease(
      {
        deployments: releases.map((release, index) => ({
          release,
          at: new Date(Date.UTC(2026, 0, 30 - index)).toISOString(),
        })),
        migrations: migrations.map(([name, release]) => ({ name, release })),
      },
      { system: 'spendsync', migratesDown: true },
    );

  test('is never one that was taken back already', () => {
    expect(chosen(['2', '3', '2', '1'])).toMatchObject({ running: '2', back: '1', candidates: ['1'] });
  });

  test('is the one before a release that was deployed twice, and it runs since the first time', () => {
    expect(chosen(['3', '3', '2'])).toMatchObject({ back: '2', since: '2026-01-29T00:00:00.000Z' });
  });

  test('keeps the migrations that it had, and gives up all that came later, newest first', () => {
    const migrations: [string, string][] = [
      ['d', '3'],
      ['c', '3'],
      ['b', '2'],
      ['a', '0'],
    ];
    expect(chosen(['3', '2', '0'], migrations).migrations).toEqual(['d', 'c']);
  });

  test.each([[[]], [['1']], [['1', '1']]])('there is none before %j', (releases) => {
    expect(() => chosen(releases)).toThrow(expect.objectContaining({ code: 'NoReleaseBefore' }));
  });
});

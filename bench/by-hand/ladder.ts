/** The checks of the copy before it is promoted, each by its own tool. */
import { createServer } from 'node:net';
import { tryFunctions } from './application.js';
import { type Paused, start, stop, untilPaused } from './copy.js';
import { breaches, several, type Way } from './damage.js';
import { ask, clientEnvironment, type Hand, moment, pgbackrestFor, program, psql } from './hand.js';
import { must, start as startProgram, type, until } from './shell.js';

/** Rung 1: every file of a repository against its checksum. */
export async function checkRepository(hand: Hand, repository: number, way: Way): Promise<void> {
  const report = await type(
    'pgbackrest',
    [...pgbackrestFor(hand, hand.target), `--repo=${repository}`, '--output=text', '--verbose', 'verify'],
    { as: 'database', nice: true },
  );
  must(/^status: ok$/m.test(report), `repository ${repository} is whole`);
  const label = way.labels[repository];
  const [, total, valid] =
    new RegExp(
      `backup: ${label}, status: valid, total files checked: (\\d+), total valid files: (\\d+)`,
    ).exec(report) ?? [];
  must(total !== undefined && total === valid, `backup ${label} is whole`);
}

/** Rung 4: the next transaction in the log is the first one that is not wanted. */
export async function checkPoint(hand: Hand, paused: Paused, way: Way): Promise<void> {
  const wanted = moment(hand.before).slice(0, 26);
  must(paused.lastCommit === null || paused.lastCommit < wanted, 'the newest commit is before the moment');
  const record = await type(
    program(hand, 'pg_waldump'),
    [
      ...['-p', `${hand.target.service.dataDirectory}/pg_wal`, '-t', String(way.timeline)],
      ...['-s', paused.lsn, '-n', '1'],
    ],
    { as: 'database' },
  );
  const [, at] = /desc: COMMIT (\S+ \S+) UTC/.exec(record) ?? [];
  must(at !== undefined && at >= wanted, 'the next commit is after the moment');
}

/** Rungs 2 and 3: control file and every page, while the copy is stopped. */
export async function checkFiles(hand: Hand, paused: Paused, way: Way): Promise<void> {
  const { dataDirectory } = hand.target.service;
  await stop(hand);
  const control = await type(program(hand, 'pg_controldata'), ['-D', dataDirectory], { as: 'database' });
  must(control.includes(way.systemIdentifier), 'it is the right cluster');
  must(/shut down in recovery/.test(control), 'it was shut down in recovery');
  must(/End-of-backup record required: +no/.test(control), 'the end of the backup was reached');
  const pages = await type(program(hand, 'pg_checksums'), ['--check', '-D', dataDirectory], {
    as: 'database',
  });
  must(/Bad checksums: +0/.test(pages), 'no page is bad');
  await start(hand);
  must((await untilPaused(hand)).lsn === paused.lsn, 'it stands where it stood');
}

/** Rung 5. */
export async function checkStructure(hand: Hand): Promise<void> {
  const jobs = `--jobs=${hand.runbook.verification.jobs}`;
  await type(program(hand, 'pg_amcheck'), ['--heapallindexed', jobs, '--no-strict-names', 'ledger'], {
    as: 'database',
    env: clientEnvironment(hand, hand.target),
  });
}

/** Rung 6. */
export async function checkDump(hand: Hand): Promise<void> {
  await type(program(hand, 'pg_dump'), ['--file=/dev/null', '--no-sync'], {
    as: 'database',
    env: clientEnvironment(hand, hand.target),
  });
}

/** Rung 7: the owner's rules, and those that hold for any database. */
export async function checkRules(hand: Hand, atOnce: number): Promise<void> {
  const broken = await breaches(hand, hand.target, atOnce);
  must(
    Object.values(broken).every((rows) => rows === 0),
    `every rule holds (${JSON.stringify(broken)})`,
  );
  await several(
    generalRules(hand).map((sql) => async () => {
      const { good } = await psql(hand, hand.target, (client) => ask<{ good: boolean }>(client, sql));
      must(good, sql);
    }),
    atOnce,
  );
}

function generalRules(hand: Hand): string[] {
  const references = [
    ['ledger.transactions', 'from_account', 'ledger.accounts'],
    ['ledger.transactions', 'to_account', 'ledger.accounts'],
    ['ledger.accounts', 'user_id', 'ledger.users'],
  ];
  return [
    `select (select max(id) from ledger.analytics) <= last_value as good from ledger.analytics_id_seq`,
    ...references.map(
      ([child, column, parent]) =>
        `select count(*) = 0 as good from ${child} c where not exists (select from ${parent} p where p.id = c.${column})`,
    ),
    ...Object.values(hand.runbook.objectives.dataClasses).map(
      ({ table, time }) => `select count(*) > 0 and max(${time}) is not null as good from ${table}`,
    ),
  ];
}

/** Rung 8: the application against the copy. */
export async function checkApplication(hand: Hand): Promise<void> {
  const { trial, healthPath } = hand.application;
  if (trial === undefined) throw new TypeError('the runbook names no trial');
  const port = await freePort();
  const [command = '', ...args] = trial.command;
  const running = startProgram(command, args, {
    env: {
      ...trial.environment,
      MUSTER_PORT: String(port),
      MUSTER_DATABASE_HOST: hand.target.host,
      MUSTER_DATABASE_PORT: String(hand.target.port),
    },
  });
  const ended = running.catch(() => undefined);
  try {
    const get = (path: string) =>
      fetch(`http://127.0.0.1:${port}${path}`, { headers: { connection: 'close' } });
    await until(
      'the application on the copy',
      async () => ((await get(healthPath)).ok ? true : undefined),
      50,
    );
    await tryFunctions(hand.application, `http://127.0.0.1:${port}`, { readOnly: true });
  } finally {
    running.kill();
    await ended;
  }
}

function freePort(): Promise<number> {
  return new Promise((resolve) => {
    const server = createServer().listen(0, '127.0.0.1', () => {
      const { port } = server.address() as { port: number };
      server.close(() => resolve(port));
    });
  });
}

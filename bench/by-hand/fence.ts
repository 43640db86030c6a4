/** Shutting the damaged primary off, with proof, and setting it aside. */
import { createHash } from 'node:crypto';
import { chmod, mkdir, readFile, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { asAccount, databaseAccount } from '../../lab/account.js';
import { ask, type Hand, moment, program, psql } from './hand.js';
import { must, type, until } from './shell.js';
import { addClaim } from './vault.js';

/** @returns the number of the claim in the vault */
export async function fence(hand: Hand, systemIdentifier: string): Promise<number> {
  const number = await addClaim(hand, { kind: 'fence', systemIdentifier, timeline: 1 });
  const { database } = hand.old;
  await psql(
    hand,
    hand.old,
    async (client) => {
      const { rows } = await client.query<{ name: string }>(
        'select quote_ident(rolname) as name from pg_roles where rolcanlogin and rolname <> session_user',
      );
      const shut = rows.map(({ name }) => `alter role ${name} nologin;`).join(' ');
      await client.query(`begin; ${shut} commit`);
      await endSessions(client);
      await count(hand);
      await client.query(`alter database ${database} allow_connections false`);
      await endSessions(client);
      await client.query('select pg_switch_wal()');
    },
    { database: 'postgres' },
  );
  await requireRefusal(hand);
  return number;
}

async function endSessions(client: Parameters<typeof ask>[0]): Promise<void> {
  await until(
    'the end of all sessions',
    async () => {
      const { rowCount } = await client.query(
        `select pg_terminate_backend(pid) from pg_stat_activity
          where pid <> pg_backend_pid() and backend_type in ('client backend', 'walsender')`,
      );
      return rowCount === 0 ? true : undefined;
    },
    50,
  );
}

/** How much was written since the moment, table by table. */
async function count(hand: Hand): Promise<void> {
  await psql(hand, hand.old, async (client) => {
    for (const { table, time } of Object.values(hand.runbook.objectives.dataClasses)) {
      await ask(
        client,
        `select count(*), max(${time}), (select max(${time}) from ${table}) from ${table} where ${time} >= $1`,
        [moment(hand.before)],
      );
    }
  });
}

async function requireRefusal(hand: Hand): Promise<void> {
  const trial = psql(
    hand,
    hand.old,
    (client) => client.query('begin; create temporary table x (); rollback'),
    {
      as: 'application',
    },
  );
  const code = await trial.then(
    () => 'accepted',
    (error: { code?: string }) => error.code,
  );
  must(code === '28000', `a write as the application is refused (${code})`);
}

/** Stops the damaged cluster and keeps it with a list of its files. */
export async function setAside(hand: Hand, systemIdentifier: string): Promise<void> {
  const { dataDirectory } = hand.old.service;
  const control = await type(program(hand, 'pg_controldata'), ['-D', dataDirectory], { as: 'database' });
  must(control.includes(systemIdentifier), 'the cluster is the damaged one');
  await type(program(hand, 'pg_ctl'), ['stop', '-D', dataDirectory, '-m', 'fast', '-s', '-w'], {
    as: 'database',
  });
  const folder = join(hand.quarantine, 'by-hand');
  await mkdir(folder, { mode: 0o700 });
  const [files, controlFile] = await Promise.all([
    type('find', [dataDirectory, '-type', 'f', '-printf', '%s %t %P\n']),
    readFile(join(dataDirectory, 'global', 'pg_control')),
  ]);
  const sum = createHash('sha256').update(controlFile).digest('hex');
  await writeFile(join(folder, 'manifest'), `${sum} pg_control\n${control}${files}`, { flush: true });
  await rename(dataDirectory, join(folder, 'data'));
  await chmod(join(folder, 'data'), 0o500);
}

/** Ids for what is made for the databases' account. */
export function owner(): { readonly uid: number; readonly gid: number } {
  const account = databaseAccount();
  return { uid: account.uid, gid: account.gid, ...asAccount(account) };
}

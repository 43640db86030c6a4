/**
 * A loaded cluster is not handed over as it is: it is put back into recovery, as a standby of nobody. There it answers queries
 * and refuses every write, whoever asks, until the promotion ends the recovery: what is verified is what is promoted, as with a
 * physical copy. (PostgreSQL manual: 27.2 standby mode, 55.3 single-user mode.)
 */
import { chown, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { PermanentError, TransientError } from '../../src/errors.js';
import { withClient } from '../../src/postgres.js';
import { accountIds, runTool } from '../../src/process.js';
import { activitySignal } from '../context.js';
import type { DatabaseAt } from '../contract.js';
import { adminOf, programOf, serviceOf } from '../service/index.js';
import { readPosition } from './replay.js';

const SINGLE_USER_MS = 15 * 60_000;

/** What hot standby and the way into it need, whatever the owner's own settings say. */
export async function closedSettings(target: DatabaseAt): Promise<Readonly<Record<string, string>>> {
  return {
    ...((await settingOf(target, 'wal_level')) === 'minimal' ? { wal_level: 'replica' } : {}),
    hot_standby: 'on',
    recovery_target: '',
    recovery_target_action: 'pause',
    recovery_target_timeline: 'latest',
    recovery_min_apply_delay: '0',
  };
}

/**
 * In the database that was loaded, while it can still be written to: rung 5 needs an extension, and rows of unlogged tables
 * would not outlast a promotion.
 */
export async function prepareToClose(target: DatabaseAt, database: string): Promise<void> {
  await withClient(
    { ...adminOf(target.postgres), database },
    { statementTimeoutMs: SINGLE_USER_MS, applicationName: 'muster-archive', signal: activitySignal() },
    async (client) => {
      await client.query(`do $$ begin
        if exists (select from pg_available_extensions where name = 'amcheck') then
          create extension if not exists amcheck;
        end if;
      end $$`);
      await client.query(LOG_UNLOGGED);
    },
  );
}

/** A table refers only to logged ones: those that others refer to come first, so it goes round until none is left. */
const LOG_UNLOGGED = `do $$
declare one record; left_over integer; before integer := -1;
begin
  loop
    select count(*) into left_over from pg_class c join pg_namespace n on n.oid = c.relnamespace
      where c.relkind = 'r' and c.relpersistence = 'u' and n.nspname !~ '^pg_';
    exit when left_over = 0 or left_over = before;
    before := left_over;
    for one in select format('%I.%I', n.nspname, c.relname) as name
      from pg_class c join pg_namespace n on n.oid = c.relnamespace
      where c.relkind = 'r' and c.relpersistence = 'u' and n.nspname !~ '^pg_'
    loop
      begin
        execute 'alter table ' || one.name || ' set logged';
      exception when invalid_table_definition then null;
      end;
    end loop;
  end loop;
end $$`;

/**
 * Of a stopped cluster. A start alone in single-user mode, where nobody can connect, leaves the loading's `wal_level` behind:
 * no recovery begins on what was written with `minimal`.
 *
 * @throws PermanentError `CloseFailed`
 */
export async function closeCluster(target: DatabaseAt): Promise<void> {
  const { dataDirectory, account } = target.postgres.service;
  const outcome = await runTool(
    await programOf(target.postgres, 'postgres'),
    ['--single', '-D', dataDirectory, '-c', 'archive_mode=off', 'postgres'],
    { account, env: { LC_ALL: 'C' }, input: '', timeoutMs: SINGLE_USER_MS, signal: activitySignal() },
  );
  if (outcome.exitCode !== 0) {
    throw new PermanentError(
      'CloseFailed',
      `What was loaded at ${target.site} cannot be put into recovery: ${lastLine(outcome.stderr)}`,
      { next: 'Look at the setting or file that is named, then retry the step: it loads again.' },
    );
  }
  const signal = join(dataDirectory, 'standby.signal');
  await writeFile(signal, '', { mode: 0o600, flush: true });
  const ids = accountIds(account);
  if (ids.switch) await chown(signal, ids.uid, ids.gid);
}

/** Where a closed copy stands. */
export interface ClosedCopy {
  readonly lsn: string;
  readonly systemIdentifier: string;
  readonly timeline: number;
}

/**
 * Starts a closed copy, unless it runs already, and sees that it is closed.
 *
 * @throws PermanentError `ServerStartFailed`, `CopyPromoted`; TransientError `DatabaseUnreachable`
 */
export async function startClosed(target: DatabaseAt): Promise<ClosedCopy> {
  await serviceOf(target.postgres).start('ready');
  return withClient(
    adminOf(target.postgres),
    { statementTimeoutMs: 30_000, applicationName: 'muster-restore', signal: activitySignal() },
    async (client) => {
      const { lsn, in_recovery: inRecovery } = await readPosition(client);
      if (!inRecovery) {
        throw copyPromoted(target);
      }
      const { rows } = await client.query<{ system: string; timeline: number }>(
        `select (select system_identifier::text from pg_control_system()) as system,
           (select timeline_id from pg_control_checkpoint()) as timeline`,
      );
      const [row] = rows;
      if (row === undefined || lsn === null) {
        throw new TransientError(
          'DatabaseUnreachable',
          `The copy at ${target.site} does not say where it is.`,
          {
            next: 'See its log; the step tries again by itself for a while.',
          },
        );
      }
      return { lsn, systemIdentifier: row.system, timeline: row.timeline };
    },
  );
}

export function copyPromoted({ site }: DatabaseAt): PermanentError {
  return new PermanentError('CopyPromoted', `The copy at ${site} has left recovery: it takes writes.`, {
    next: 'Find out who promoted it. It is not touched by this run.',
  });
}

async function settingOf({ postgres }: DatabaseAt, name: string): Promise<string> {
  const { dataDirectory, account } = postgres.service;
  const outcome = await runTool(await programOf(postgres, 'postgres'), ['-C', name, '-D', dataDirectory], {
    account,
    env: { LC_ALL: 'C' },
    timeoutMs: 60_000,
    signal: activitySignal(),
  });
  if (outcome.exitCode === 0) return outcome.stdout.trim();
  throw new PermanentError(
    'ServerConfigUnusable',
    `The server at ${postgres.host}:${postgres.port} cannot read its configuration: ${lastLine(outcome.stderr)}`,
    {
      next: 'See which setting it is: it comes from the archive. Provide what it needs there, then retry the step.',
    },
  );
}

function lastLine(text: string): string {
  return text.trim().split('\n').at(-1) ?? '';
}

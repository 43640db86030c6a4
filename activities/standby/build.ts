/** The new primary gets a standby of its own: a base backup at a free site, a slot, and it follows. */
import { readdir, readFile, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import type { Client } from 'pg';
import { PermanentError, TransientError } from '../../src/errors.js';
import { formatBytes } from '../../src/model/format.js';
import type { Progress } from '../../src/model/run.js';
import { runTool } from '../../src/process.js';
import { resolveSecret } from '../../src/secrets.js';
import { activitySignal } from '../context.js';
import type { DatabaseAt, MusterActivities, StandbyBuilt } from '../contract.js';
import { lsnToNumber } from '../pgbackrest/wal.js';
import { dropLease, holdLease, type Lease, readLease, requireHeld, takeLease } from '../provision/lease.js';
import { NO_RECOVERY_TARGET, writeOwnSettings } from '../restore/settings.js';
import { archiveGetCommand, archivePushCommand } from '../restore/shell.js';
import { programOf, serviceOf } from '../service/index.js';
import { ownedDirectory } from '../service/pg-ctl.js';
import { onStandby } from './state.js';

type Input = Parameters<MusterActivities['buildStandby']>[0];

const COPY_MS = 24 * 3_600_000;
const FOLLOWS_MS = 60_000;
const POLL_MS = 200;

export async function buildStandby(
  input: Input,
  update: (progress: Progress) => void,
): Promise<StandbyBuilt> {
  const { at, primary, target, slot } = input;
  const { dataDirectory } = target.postgres.service;
  const service = serviceOf(target.postgres);
  const timeline = await onStandby(primary, (client) => requirePrimary(client, primary));
  const done = await following(primary, slot);
  if (done !== undefined && (await service.pid()) !== undefined) return describe(input, timeline, done);
  const known = await readLease(dataDirectory);
  const found = await readdir(dataDirectory).catch(() => []);
  if (known === undefined && found.length > 0) {
    throw new PermanentError(
      'TargetNotEmpty',
      `${dataDirectory} at ${target.site} holds ${found.length} entries and bears no lease of a run.`,
      {
        why: 'It may be the last copy of something.',
        next: 'Find out whose it is and move it away, then retry the step; or skip it and build the standby by hand.',
      },
    );
  }
  await takeLease(at, target);
  const lease = await holdLease(at, target);
  await onStandby(primary, (client) => makeSlot(client, slot));
  // Its file is written last by the copying program: a directory that has it is whole.
  if (!(await isCopied(dataDirectory))) {
    await requireHeld(lease);
    await service.stop('immediate');
    await copy(input, lease, update);
  }
  await requireHeld(lease);
  await ownSettings(input);
  await service.start('ready');
  const lagBytes = await untilFollowing(primary, slot);
  // Kept, it says until the promotion that the run made this copy and may remove it.
  if (input.lease !== 'kept') await dropLease(dataDirectory);
  return describe(input, timeline, lagBytes);
}

export async function requirePrimary(client: Client, { site }: DatabaseAt): Promise<number> {
  const { rows } = await client.query<{ recovering: boolean; timeline: number | null }>(
    `select recovering, case when not recovering
       then ('x' || left(pg_walfile_name(pg_current_wal_lsn()), 8))::bit(32)::integer end as timeline
     from pg_is_in_recovery() as recovering`,
  );
  const timeline = rows[0]?.timeline;
  if (timeline != null) return timeline;
  throw new PermanentError('NotPrimary', `The server at ${site} takes no writes: nothing can follow it.`, {
    next: 'See whether the promotion came to its end, then retry the step.',
  });
}

export async function makeSlot(client: Client, slot: string): Promise<void> {
  await client.query(
    `select pg_create_physical_replication_slot($1, true)
     where not exists (select from pg_replication_slots where slot_name = $1)`,
    [slot],
  );
}

const COPIED = 'backup_manifest';

async function isCopied(dataDirectory: string): Promise<boolean> {
  const names = await readdir(dataDirectory).catch((): string[] => []);
  return names.includes(COPIED) && names.includes('standby.signal');
}

async function copy(
  { primary, target, slot }: Input,
  lease: Lease,
  update: (progress: Progress) => void,
): Promise<void> {
  const { account, dataDirectory, socketDirectory, logFile } = target.postgres.service;
  const { host, port } = primary.postgres;
  const replication = replicationOf(primary);
  await requireHeld(lease);
  await rm(dataDirectory, { recursive: true, force: true });
  for (const folder of [dirname(dataDirectory), socketDirectory, dirname(logFile)])
    await ownedDirectory(folder, account);
  await ownedDirectory(dataDirectory, account, 0o700);
  const outcome = await runTool(
    await programOf(target.postgres, 'pg_basebackup'),
    [
      ...['-D', dataDirectory, '-h', host, '-p', String(port), '-U', replication.user, '-S', slot],
      ...['--wal-method=stream', '--write-recovery-conf', '--checkpoint=fast', '--progress', '--no-password'],
    ],
    {
      account,
      env: { PGPASSWORD: await resolveSecret(replication.password), PGCONNECT_TIMEOUT: '10', LC_ALL: 'C' },
      timeoutMs: COPY_MS,
      signal: activitySignal(),
      onErrorLine: (line) => {
        const [, done, total] = /(\d+)\/(\d+) kB/.exec(line.split('\r').at(-1) ?? '') ?? [];
        if (done === undefined || total === undefined) return;
        update({
          done: Number(done) * 1024,
          total: Number(total) * 1024,
          unit: 'bytes',
          text: 'copying the primary',
        });
      },
    },
  );
  if (outcome.exitCode === 0) return;
  throw new TransientError(
    'CopyFailed',
    `${primary.site} could not be copied to ${target.site}: ${outcome.stderr.trim().split('\n').slice(-3).join(' ')}`,
    {
      next: `See whether ${replication.user} may open replication connections at ${host} (pg_hba.conf) and whether there is room at ${target.site}; the step tries again.`,
    },
  );
}

export function replicationOf({ site, postgres }: DatabaseAt) {
  if (postgres.replication !== undefined) return postgres.replication;
  throw new PermanentError(
    'NoReplicationLogin',
    `The runbook names no login by which a standby follows ${site}.`,
    {
      next: `Add sites.${site}.postgres.replication to the runbook, then begin anew; or build the standby by hand.`,
    },
  );
}

/** What the copy brought along is the primary's; its own way to the primary was written by the copying program. */
async function ownSettings({ target, primary, backup, slot }: Input): Promise<void> {
  const { host, port, service } = target.postgres;
  const conninfo = await followedBy(service.dataDirectory);
  await writeOwnSettings(target, {
    listen_addresses: host,
    port: String(port),
    unix_socket_directories: service.socketDirectory,
    primary_conninfo: conninfo ?? '',
    primary_slot_name: slot,
    ...NO_RECOVERY_TARGET,
    restore_command: archiveGetCommand(target.postgres, backup),
    archive_command: archivePushCommand(target.postgres, backup),
  });
  if (conninfo !== undefined) return;
  throw new PermanentError(
    'CopyIncomplete',
    `The copy at ${target.site} does not say how it reaches ${primary.site}.`,
    {
      next: `Look at ${join(service.dataDirectory, 'postgresql.auto.conf')}, then retry the step.`,
    },
  );
}

/** The newest line is the copying program's; the value stays quoted as it is written, and is unquoted for the section. */
async function followedBy(dataDirectory: string): Promise<string | undefined> {
  const text = await readFile(join(dataDirectory, 'postgresql.auto.conf'), 'utf8').catch(() => '');
  const lines = [...text.matchAll(/^primary_conninfo = '((?:[^']|'')*)'$/gm)].map(([, value]) => value);
  const newest = lines.filter((value) => value !== undefined && value !== '').at(-1);
  return newest?.replaceAll("''", "'");
}

/** How far behind the standby of a slot is, in bytes; undefined: it does not stream. */
export function following(primary: DatabaseAt, slot: string): Promise<number | undefined> {
  return onStandby(primary, async (client) => {
    const { rows } = await client.query<{ now: string; sent: string | null }>(
      `select pg_current_wal_lsn()::text as now, replay_lsn::text as sent
         from pg_stat_replication join pg_replication_slots on active_pid = pid
        where slot_name = $1 and state = 'streaming'`,
      [slot],
    );
    const [row] = rows;
    if (row === undefined || row.sent === null) return undefined;
    return Math.max(0, lsnToNumber(row.now) - lsnToNumber(row.sent));
  });
}

export async function untilFollowing(primary: DatabaseAt, slot: string): Promise<number> {
  const signal = activitySignal();
  const begun = performance.now();
  for (;;) {
    const lag = await following(primary, slot);
    if (lag !== undefined) return lag;
    if (performance.now() - begun > FOLLOWS_MS) {
      throw new TransientError('StandbySilent', `The new standby of ${primary.site} does not stream.`, {
        next: 'Look at its log; the step tries again.',
      });
    }
    await wait(POLL_MS, undefined, { signal });
  }
}

async function describe(
  { primary, target, slot }: Input,
  timeline: number,
  lagBytes: number,
): Promise<StandbyBuilt> {
  const bytes = await onStandby(primary, async (client) =>
    Number(
      (
        await client.query<{ bytes: string }>(
          'select sum(pg_database_size(oid)) as bytes from pg_database where datallowconn or datistemplate',
        )
      ).rows[0]?.bytes ?? 0,
    ),
  );
  return {
    site: target.site,
    slot,
    bytes,
    timeline,
    lagBytes,
    summary: `${target.site} follows ${primary.site} on timeline ${timeline} through the slot ${slot}, ${formatBytes(bytes)} copied, ${formatBytes(lagBytes)} behind`,
  };
}

/**
 * A copy of a server's files in isolation: taken, started as a standby of nobody, brought to the end of the log that it has, stopped,
 * every page compared with its checksum, started again and paused. The original is only read (manual: 27.2, pg_basebackup,
 * pg_verifybackup, pg_checksums).
 */
import { readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { PermanentError } from '../../src/errors.js';
import { formatBytes, formatCount } from '../../src/model/format.js';
import type { Progress } from '../../src/model/run.js';
import { runTool } from '../../src/process.js';
import type { Backup } from '../../src/runbook/schema.js';
import { activitySignal } from '../context.js';
import type { CopyKind, DatabaseAt, RungCheck } from '../contract.js';
import { writeOwnedFile } from '../failback/owned-file.js';
import { type Lease, requireHeld } from '../provision/lease.js';
import { NO_RECOVERY_TARGET, writeOwnSettings } from '../restore/settings.js';
import { archiveGetCommand, archivePushCommand } from '../restore/shell.js';
import { serviceOf } from '../service/index.js';
import { onStandby, readFacts, type StandbyFacts } from '../standby/state.js';
import { check, headingOf, verificationFailed } from '../verify/check.js';
import { parseChecksums } from '../verify/checksums.js';
import { runClientTool } from '../verify/client-tools.js';
import { judgeControl } from '../verify/files.js';
import { PagesDamaged } from './damage.js';
import { sizesOf } from './tree.js';

const COPY_MS = 24 * 3_600_000;
const CHECKSUMS_MS = 12 * 3_600_000;
const END_MS = 12 * 3_600_000;
const POLL_MS = 200;

export interface Isolation {
  readonly kind: Extract<CopyKind, 'standby' | 'damaged'>;
  readonly source: DatabaseAt;
  readonly target: DatabaseAt;
  readonly backup: Backup;
  readonly lease: Lease;
  readonly update: (progress: Progress) => void;
}

export interface Isolated {
  readonly facts: StandbyFacts;
  readonly lsn: string;
  /** Rungs 1 to 4. */
  readonly checks: readonly RungCheck[];
}

/** @param isolation the target's directory is empty and the run's own */
export async function isolate(isolation: Isolation): Promise<Isolated> {
  const { source, target, lease } = isolation;
  const service = serviceOf(target.postgres);
  const running = (await serviceOf(source.postgres).pid()) !== undefined;
  const whole =
    isolation.kind === 'standby' || running ? await copyServer(isolation) : await copyFiles(isolation);
  await requireHeld(lease);
  await ownSettings(isolation);
  await service.start('ready');
  const end = await untilEnd(isolation);
  await service.stop('fast');
  const control = await controlCheck(isolation, end);
  const pages = await pagesCheck(isolation);
  await requireHeld(lease);
  await service.start('ready');
  const again = await untilEnd(isolation);
  const position = await pausedCheck(isolation, end, again);
  return { facts: again, lsn: again.replayedLsn ?? '0/0', checks: [whole, control, pages, position] };
}

/** From a server that runs: it sends a consistent copy, and its manifest says what must have arrived. */
async function copyServer({ source, target, update }: Isolation): Promise<RungCheck> {
  const { dataDirectory, account } = target.postgres.service;
  const said: string[] = [];
  const outcome = await runClientTool(
    source,
    'pg_basebackup',
    [
      '-D',
      dataDirectory,
      '--wal-method=fetch',
      '--checkpoint=fast',
      '--no-sync',
      '--progress',
      '--no-password',
    ],
    {
      timeoutMs: COPY_MS,
      onErrorLine: (line) => {
        const [, done, total] = /(\d+)\/(\d+) kB/.exec(line.split('\r').at(-1) ?? '') ?? [];
        if (done === undefined || total === undefined) {
          if (line.trim() !== '') said.push(line.trim());
          return;
        }
        update({
          done: Number(done) * 1024,
          total: Number(total) * 1024,
          unit: 'bytes',
          text: `copying ${source.site}`,
        });
      },
    },
  );
  if (outcome.exitCode !== 0) {
    throw new PermanentError(
      'CopyFailed',
      `${source.site} could not be copied whole: ${said.slice(-3).join(' ')}.`,
      {
        next: 'Use another copy.',
      },
    );
  }
  const { program, heading } = await headingOf(target.postgres, 'pg_verifybackup', {
    rung: 1,
    title: `whole copy of ${source.site}`,
  });
  return check(heading, async () => {
    const verified = await runTool(program, [dataDirectory], {
      account,
      env: { LC_ALL: 'C' },
      timeoutMs: CHECKSUMS_MS,
      signal: activitySignal(),
    });
    if (verified.exitCode === 0)
      return 'every file of the manifest is there with its checksum, and the WAL that it needs';
    throw verificationFailed(
      heading,
      `${verified.stderr.trim().split('\n').slice(0, 3).join('; ')}.`,
      'Use another copy.',
    );
  });
}

/** From files whose server does not run: no backup lies under them, so it is their number and sizes that are compared. */
async function copyFiles({ source, target, update }: Isolation): Promise<RungCheck> {
  const { account } = target.postgres.service;
  const [from, to] = [source.postgres.service.dataDirectory, target.postgres.service.dataDirectory];
  const heading = {
    rung: 1,
    title: `whole copy of the files at ${source.site}`,
    tool: 'cp',
    toolVersion: '',
  };
  return check(heading, async () => {
    const wanted = await sizesOf(from);
    update({ done: 0, total: wanted.bytes, unit: 'bytes', text: `copying the files of ${source.site}` });
    const outcome = await runTool('cp', ['-a', '--reflink=auto', '-T', from, to], {
      account,
      env: { LC_ALL: 'C' },
      timeoutMs: COPY_MS,
      signal: activitySignal(),
    });
    if (outcome.exitCode !== 0) {
      throw verificationFailed(
        heading,
        `${outcome.stderr.trim().split('\n').slice(0, 3).join('; ')}.`,
        'Use another copy.',
      );
    }
    const got = await sizesOf(to);
    if (got.files !== wanted.files || got.bytes !== wanted.bytes) {
      throw verificationFailed(
        heading,
        `${formatCount(got.files)} files of ${formatBytes(got.bytes)} instead of ${formatCount(wanted.files)} of ${formatBytes(wanted.bytes)}.`,
        'See whether a server still writes there.',
      );
    }
    for (const gone of ['postmaster.pid', 'recovery.signal']) await rm(join(to, gone), { force: true });
    // They would keep WAL for standbys that follow another server.
    const slots = join(to, 'pg_replslot');
    for (const slot of await readdir(slots).catch((): string[] => [])) {
      await rm(join(slots, slot), { recursive: true, force: true });
    }
    return `${formatCount(got.files)} files, ${formatBytes(got.bytes)}; no backup and no manifest lies under them`;
  });
}

/** It follows nobody, fetches nothing but names of timelines, and archives nothing before it is promoted. */
async function ownSettings({ target, backup }: Isolation): Promise<void> {
  const { host, port, service } = target.postgres;
  await writeOwnedFile(join(service.dataDirectory, 'standby.signal'), '', service.account);
  await writeOwnSettings(target, {
    listen_addresses: host,
    port: String(port),
    unix_socket_directories: service.socketDirectory,
    primary_conninfo: '',
    primary_slot_name: '',
    ...NO_RECOVERY_TARGET,
    recovery_min_apply_delay: '0',
    ...archiving(target, backup),
    archive_cleanup_command: '',
    recovery_end_command: '',
    hot_standby: 'on',
    synchronous_standby_names: '',
    logging_collector: 'off',
    log_destination: 'stderr',
    lc_messages: 'C',
  });
}

/** A system whose backups are dumps has no archive of WAL: nothing is fetched, and nothing is archived later. */
function archiving({ postgres }: DatabaseAt, backup: Backup): Readonly<Record<string, string>> {
  if (backup.driver === 'archive') return { restore_command: 'false', archive_mode: 'off' };
  const get = archiveGetCommand(postgres, backup);
  return {
    restore_command: `case "%f" in *.history) ${get} ;; *) false ;; esac`,
    archive_mode: 'on',
    archive_command: archivePushCommand(postgres, backup),
  };
}

/** Replay waits for WAL that nobody will bring: everything that is there is replayed. */
async function untilEnd({ target, update }: Isolation): Promise<StandbyFacts> {
  const signal = activitySignal();
  const begun = performance.now();
  let seen: string | null = null;
  for (;;) {
    const { facts, waits } = await onStandby(target, async (client) => ({
      facts: await readFacts(client),
      waits: (
        await client.query<{ on: string | null }>(
          "select wait_event as on from pg_stat_activity where backend_type = 'startup'",
        )
      ).rows[0]?.on,
    }));
    const waiting = waits === 'RecoveryRetrieveRetryInterval' || waits === 'RecoveryWalStream';
    if (waiting && facts.replayedLsn !== null && facts.replayedLsn === seen) return facts;
    seen = facts.replayedLsn;
    update({ done: 0, unit: 'bytes', text: `replaying what it has, at ${seen ?? 'the beginning'}` });
    if (performance.now() - begun > END_MS) {
      throw new PermanentError(
        'ReplayStalled',
        `The copy at ${target.site} does not come to the end of its log.`,
        {
          next: 'Use another copy.',
        },
      );
    }
    await wait(POLL_MS, undefined, { signal });
  }
}

async function controlCheck({ target }: Isolation, end: StandbyFacts): Promise<RungCheck> {
  const { heading } = await headingOf(target.postgres, 'pg_controldata', { rung: 2, title: 'control data' });
  const { systemIdentifier, timeline, replayedLsn } = end;
  return check(heading, async () =>
    judgeControl(
      heading,
      await serviceOf(target.postgres).control(),
      { systemIdentifier, timeline },
      { lsn: replayedLsn ?? '0/0' },
    ),
  );
}

async function pagesCheck({ target, update }: Isolation): Promise<RungCheck> {
  const { program, heading } = await headingOf(target.postgres, 'pg_checksums', {
    rung: 3,
    title: 'page checksums',
  });
  const { dataDirectory, account } = target.postgres.service;
  return check(heading, async () => {
    const { checksumVersion } = await serviceOf(target.postgres).control();
    if (checksumVersion === 0) {
      return 'this cluster was made without page checksums: its pages are only read by rungs 5 and 6';
    }
    update({ done: 0, unit: 'bytes', text: 'comparing pages with their checksums' });
    const lines: string[] = [];
    const errors: string[] = [];
    const outcome = await runTool(program, ['--check', '-D', dataDirectory], {
      account,
      env: { LC_ALL: 'C' },
      timeoutMs: CHECKSUMS_MS,
      signal: activitySignal(),
      onLine: (line) => lines.push(line),
      onErrorLine: (line) => errors.push(line),
    });
    const report = parseChecksums(lines.join('\n'), errors.join('\n'));
    if (outcome.exitCode === 0 && report.bad === 0 && report.blocks > 0) {
      return `${formatCount(report.blocks)} pages in ${formatCount(report.files)} files, none with a bad checksum`;
    }
    if (report.bad > 0) throw new PagesDamaged(report);
    throw verificationFailed(
      heading,
      `pg_checksums could not check them: ${report.errors.slice(0, 3).join('; ') || `it ended with ${outcome.exitCode}`}.`,
      'Use another copy.',
    );
  });
}

async function pausedCheck(
  { target }: Isolation,
  before: StandbyFacts,
  again: StandbyFacts,
): Promise<RungCheck> {
  const heading = {
    rung: 4,
    title: 'the position reached',
    tool: 'PostgreSQL',
    toolVersion: String(again.version),
  };
  return check(heading, async () => {
    await onStandby(target, (client) => client.query('select pg_wal_replay_pause()'));
    const signal = activitySignal();
    for (let tries = 0; ; tries++) {
      const { pauseState, replayedLsn, inRecovery } = await onStandby(target, readFacts);
      if (inRecovery && pauseState === 'paused' && replayedLsn === before.replayedLsn) {
        return `paused at ${replayedLsn}, the end of the log that it has; newest commit ${again.lastCommitAt ?? before.lastCommitAt ?? 'unknown'}`;
      }
      if (tries > 100) {
        throw verificationFailed(
          heading,
          `replay is ${pauseState} at ${replayedLsn ?? 'nowhere'}; before the restart it came to ${before.replayedLsn ?? 'nowhere'}.`,
          'Use another copy.',
        );
      }
      await wait(POLL_MS, undefined, { signal });
    }
  });
}

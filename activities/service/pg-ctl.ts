import { existsSync } from 'node:fs';
import { chown, mkdir, open, readFile, readlink, realpath, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { PermanentError, TransientError } from '../../src/errors.js';
import { accountIds, type RunOutcome, runTool } from '../../src/process.js';
import type { PostgresSite } from '../../src/runbook/schema.js';
import { activitySignal } from '../context.js';
import { programOf } from './binaries.js';
import { type ControlData, parseControlData } from './control-data.js';
import type { ClusterService, StopMode } from './index.js';

/** A clean stop writes a checkpoint: minutes on slow disks. */
const STOP_MS = 15 * 60_000;
const START_MS = 10 * 60_000;
/** After the checkpoint of a clean stop the server waits for its archiver, which may wait for a repository that is gone. */
const ARCHIVER_MS = 10_000;

/** A server run with pg_ctl by a worker on the same machine (manual: reference, server applications, pg_ctl). */
export function pgCtl(postgres: PostgresSite): ClusterService {
  const { account, dataDirectory, logFile, socketDirectory } = postgres.service;

  async function run(program: string, args: readonly string[], timeoutMs: number): Promise<RunOutcome> {
    return runTool(await programOf(postgres, program), args, {
      account,
      env: { LC_ALL: 'C' },
      timeoutMs,
      signal: activitySignal(),
    });
  }

  async function control(): Promise<ControlData> {
    const outcome = await run('pg_controldata', ['-D', dataDirectory], 30_000);
    if (outcome.exitCode === 0) return parseControlData(outcome.stdout);
    throw new PermanentError(
      'NoCluster',
      `${dataDirectory} holds no complete PostgreSQL cluster: ${outcome.stderr.trim()}`,
      {
        next: 'See whether the directory is the right one; a restore that was cut short has to be repeated.',
      },
    );
  }

  /** Everything is in the files: what still runs only sends WAL, and finds it again after the next start. */
  async function isWrittenDown(): Promise<boolean> {
    return (await control()).state === 'shut down';
  }

  return {
    control,

    pid: () => serverPid(dataDirectory),

    async start(wait) {
      if ((await serverPid(dataDirectory)) !== undefined) return;
      await ownedDirectory(socketDirectory, account);
      await ownedDirectory(dirname(logFile), account);
      const logged = await sizeOf(logFile);
      const waiting = wait === 'ready' ? ['-w', '-t', String(START_MS / 1000)] : ['-W'];
      const outcome = await run(
        'pg_ctl',
        ['start', '-D', dataDirectory, '-l', logFile, '-s', ...waiting],
        START_MS + 10_000,
      );
      if (outcome.exitCode === 0) return;
      throw new PermanentError(
        'ServerStartFailed',
        `PostgreSQL in ${dataDirectory} does not start: ${lastWords(await readFrom(logFile, logged), outcome)}`,
        { next: `Look at ${logFile}, correct the cause, then retry the step.` },
      );
    },

    async stop(mode: StopMode) {
      let outcome: RunOutcome | undefined;
      const deadline = performance.now() + STOP_MS;
      while ((await serverPid(dataDirectory)) !== undefined) {
        if (performance.now() > deadline) {
          throw new TransientError(
            'ServerStopFailed',
            `PostgreSQL in ${dataDirectory} does not stop: ${outcome?.stderr.trim() || `pg_ctl ended with ${outcome?.exitCode}`}.`,
            { next: `See what holds it (${logFile}); the step tries again by itself for a while.` },
          );
        }
        const how = outcome !== undefined && (await isWrittenDown()) ? 'immediate' : mode;
        outcome = await run(
          'pg_ctl',
          ['stop', '-D', dataDirectory, '-m', how, '-s', '-w', '-t', String(ARCHIVER_MS / 1000)],
          ARCHIVER_MS + 10_000,
        );
      }
    },
  };
}

/**
 * The postmaster of a data directory: its pid file, checked against the process of that number, which may be another
 * program's by now. A postmaster's working directory is its data directory.
 */
async function serverPid(dataDirectory: string): Promise<number | undefined> {
  const text = await readFile(join(dataDirectory, 'postmaster.pid'), 'utf8').catch(() => '');
  const pid = Number.parseInt(text, 10);
  if (!(pid > 1)) return undefined;
  try {
    process.kill(pid, 0);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ESRCH') return undefined;
  }
  const cwd = await readlink(`/proc/${pid}/cwd`).catch(() => undefined);
  if (cwd === undefined) return (await isGone(pid)) ? undefined : pid;
  return cwd === (await realpath(dataDirectory).catch(() => dataDirectory)) ? pid : undefined;
}

async function isGone(pid: number): Promise<boolean> {
  if (!existsSync('/proc/self/stat')) return false;
  const text = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => 'Z');
  // The command name may hold blanks and parentheses: the state comes after the last one.
  return /^[ZX]/.test(text.slice(text.lastIndexOf(')') + 1).trimStart());
}

/** Makes a directory with its parents; those that are made belong to the account. */
export async function ownedDirectory(path: string, account: string, mode = 0o755): Promise<void> {
  const made = await mkdir(path, { recursive: true, mode });
  if (made === undefined) return;
  const ids = accountIds(account);
  if (!ids.switch) return;
  for (let at = path; at.length >= made.length; at = dirname(at)) await chown(at, ids.uid, ids.gid);
}

async function sizeOf(file: string): Promise<number> {
  return (await stat(file).catch(() => undefined))?.size ?? 0;
}

async function readFrom(file: string, offset: number): Promise<string> {
  const handle = await open(file, 'r').catch(() => undefined);
  if (handle === undefined) return '';
  try {
    const buffer = Buffer.alloc(16 * 1024);
    const { bytesRead } = await handle.read(buffer, 0, buffer.length, offset);
    return buffer.toString('utf8', 0, bytesRead);
  } finally {
    await handle.close();
  }
}

function lastWords(log: string, outcome: RunOutcome): string {
  const telling = log.split('\n').filter((line) => /FATAL|PANIC|ERROR|could not|HINT/.test(line));
  return telling.slice(-3).join(' ') || outcome.stderr.trim() || `pg_ctl ended with ${outcome.exitCode}`;
}

import { spawn } from 'node:child_process';
import { open, readFile } from 'node:fs/promises';
import { runTool } from '../src/process.js';
import { isRunning, type ProcessMark, startMarkOf } from '../src/process-mark.js';
import { type Account, asAccount } from './account.js';
import { LabError } from './errors.js';
import { waitFor } from './wait.js';

export { isRunning, type ProcessMark, startMarkOf } from '../src/process-mark.js';

/** How to start a process that outlives the one that starts it. */
export interface Detached {
  readonly command: string;
  readonly args: readonly string[];
  readonly env: Readonly<Record<string, string>>;
  readonly cwd: string;
  readonly logFile: string;
  readonly account?: Account;
}

/**
 * Starts a process in its own session, with only the environment given and both outputs appended to its log file.
 *
 * @throws the operating system's error when the command cannot be run.
 */
export async function startDetached(how: Detached): Promise<ProcessMark> {
  const log = await open(how.logFile, 'a');
  try {
    if (how.account) await log.chown(how.account.uid, how.account.gid);
    const child = spawn(how.command, how.args, {
      cwd: how.cwd,
      env: { ...baseEnvironment(), ...how.env },
      detached: true,
      stdio: ['ignore', log.fd, log.fd],
      ...(how.account ? asAccount(how.account) : {}),
    });
    await new Promise<void>((resolve, reject) => {
      child.once('spawn', resolve);
      child.once('error', reject);
    });
    child.unref();
    const pid = child.pid as number;
    return { pid, startMark: startMarkOf(pid) ?? 'ended-at-once' };
  } finally {
    await log.close();
  }
}

/** The environment every part gets; nothing of the caller's own, so that no stray setting reaches a server. */
export function baseEnvironment(): Record<string, string> {
  return {
    PATH: process.env.PATH ?? '/usr/local/bin:/usr/bin:/bin',
    HOME: process.env.HOME ?? '/',
    LC_ALL: 'C.UTF-8',
    TZ: 'UTC',
  };
}

/** Sends `signal`, and SIGKILL when the process still runs after `graceMs`. A reused pid is left alone. */
export async function stopProcess(mark: ProcessMark, signal: NodeJS.Signals, graceMs = 5_000): Promise<void> {
  const gone = async (): Promise<void> => {
    if (isRunning(mark)) throw new Error(`process ${mark.pid} still runs`);
  };
  if (!send(mark, signal)) return;
  try {
    await waitFor({ what: `process ${mark.pid} to end`, deadlineMs: graceMs, pollMs: 20 }, gone);
  } catch {
    send(mark, 'SIGKILL');
    await waitFor({ what: `killed process ${mark.pid} to end`, deadlineMs: 10_000, pollMs: 20 }, gone);
  }
}

function send(mark: ProcessMark, signal: NodeJS.Signals): boolean {
  if (!isRunning(mark)) return false;
  try {
    process.kill(mark.pid, signal);
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ESRCH') return false;
    throw error;
  }
}

/**
 * Runs a command to its end and returns its standard output; nothing secret belongs in `args`.
 *
 * @throws LabError with the end of what it said when it fails
 */
export async function run(
  command: string,
  args: readonly string[],
  options: { timeoutMs: number; cwd: string; account?: Account; input?: string },
): Promise<string> {
  const outcome = await runTool(command, args, {
    timeoutMs: options.timeoutMs,
    cwd: options.cwd,
    env: { LC_ALL: 'C.UTF-8', TZ: 'UTC' },
    ...(options.account ? { account: options.account.name } : {}),
    ...(options.input === undefined ? {} : { input: options.input }),
  });
  if (outcome.exitCode === 0) return outcome.stdout;
  const said = `${outcome.stdout}\n${outcome.stderr}`.trim().split('\n').slice(-15).join('\n');
  throw new LabError(
    `${command} ${args[0] ?? ''} ended with ${outcome.exitCode}:\n${said}`,
    'Correct what it complains about, then run muster lab up again.',
  );
}

/** The last `count` lines of a log file; empty when it does not exist. */
export async function lastLines(file: string, count: number): Promise<string[]> {
  const text = await readFile(file, 'utf8').catch(() => '');
  return text.trimEnd().split('\n').slice(-count).filter(Boolean);
}

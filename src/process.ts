/** Programs started by Muster: with a deadline, cancellable, under the right account, and without secrets in argv. */

import { execFileSync } from 'node:child_process';
import { accessSync, constants, existsSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { createInterface } from 'node:readline';
import type { Readable } from 'node:stream';
import { type ExecaChildProcess, type ExecaError, type ExecaReturnValue, execa } from 'execa';
import { PermanentError } from './errors.js';
import { inputOf, movePipes } from './process-pipes.js';

export interface RunOptions {
  /** Operating-system account to run under; only looked at when this process is root and the account is another. */
  readonly account?: string;
  /** Added to a minimal environment (PATH, LANG, HOME); nothing else is inherited, so no secret slips through. */
  readonly env?: Readonly<Record<string, string>>;
  readonly cwd?: string;
  /** The program is ended after this. */
  readonly timeoutMs: number;
  readonly signal?: AbortSignal;
  /** Called with each line of standard output while the program runs; standard output is then not collected. */
  readonly onLine?: (line: string) => void;
  /** The same for standard error, where some programs show their progress. With either, of both only stderr's end is kept. */
  readonly onErrorLine?: (line: string) => void;
  /** Standard input. A stream that breaks ends the program, which then fails with the stream's error. */
  readonly input?: string | Readable;
  /** Is given standard output as a stream, which is then not collected; when it fails, the program is ended. */
  readonly consume?: (output: Readable) => Promise<unknown>;
  /** Gives way to everything else on the machine: for checks that run beside a restore. */
  readonly background?: true;
  /** How long it may take to end when it is told to, before it is killed; 5 s where left out. */
  readonly graceMs?: number;
  /** Helpers that outlive the program are killed. Left out for programs that leave a server running. */
  readonly leavesNothing?: true;
}

export interface RunOutcome {
  readonly exitCode: number;
  readonly stdout: string;
  readonly stderr: string;
  readonly durationMs: number;
}

/**
 * Runs a program to its end. A non-zero exit is an outcome, not an exception: the caller knows what it means.
 *
 * @throws PermanentError `ToolMissing` when the program is not there
 * @throws the signal's reason when cancelled; PermanentError `ToolTimedOut` past the deadline
 */
export async function runTool(
  file: string,
  args: readonly string[],
  options: RunOptions,
): Promise<RunOutcome> {
  const begun = performance.now();
  const ids = options.account === undefined ? undefined : accountIds(options.account);
  const [command, ...rest] = withGuards(findProgram(file), args, options);
  const streamed =
    options.onLine !== undefined || options.onErrorLine !== undefined || options.consume !== undefined;
  const child = execa(command, rest, {
    env: {
      PATH: process.env.PATH ?? '/usr/bin:/bin',
      LANG: 'C.UTF-8',
      HOME: ids?.home ?? process.env.HOME ?? '/',
      ...options.env,
    },
    extendEnv: false,
    cwd: options.cwd ?? '/',
    ...(ids?.switch === true ? { uid: ids.uid, gid: ids.gid } : {}),
    ...inputOf(options),
    buffer: !streamed,
    maxBuffer: 64 * 1024 * 1024,
    reject: false,
    // A group of its own: what the program has started is ended with it.
    detached: true,
  });
  const streams = streamed ? followStreams(child, options) : undefined;
  let timedOut = false;
  const end = () => endGroup(child, options.graceMs ?? KILL_AFTER_MS);
  const deadline = setTimeout(() => {
    timedOut = true;
    end();
  }, options.timeoutMs);
  if (options.signal?.aborted === true) end();
  options.signal?.addEventListener('abort', end, { once: true });
  if (options.leavesNothing === true) child.once('exit', () => signalGroup(child, 'SIGKILL'));
  const moving = movePipes(child, options, end);
  const exited = new Promise<number>((resolve) => child.once('exit', (code) => resolve(code ?? 128)));
  let result: ExecaReturnValue | ExecaError;
  let exitCode: number;
  try {
    result = await child;
    // A program may end well without reading all of its input: its own word counts, not the broken pipe.
    exitCode = isBrokenPipe(result) ? await exited : (result.exitCode ?? 128);
  } finally {
    clearTimeout(deadline);
    options.signal?.removeEventListener('abort', end);
  }
  await streams?.ended;
  const throwBroken = await moving;
  options.signal?.throwIfAborted();
  if (timedOut) {
    throw new PermanentError(
      'ToolTimedOut',
      `${file} was still running after ${Math.round(options.timeoutMs / 1000)} s and was ended.`,
      {
        next: 'Look at why it does not finish (disk, network, locks), then retry the step.',
      },
    );
  }
  throwBroken(exitCode);
  return {
    exitCode,
    stdout: result.stdout ?? '',
    stderr: streams?.stderrTail() ?? result.stderr ?? '',
    durationMs: Math.round(performance.now() - begun),
  };
}

function isBrokenPipe(result: ExecaReturnValue | ExecaError): boolean {
  return 'code' in result && result.code === 'EPIPE';
}

const KILL_AFTER_MS = 5_000;

/** Ends a program with everything in its group; whoever is still there when the program has gone is killed. */
function endGroup(child: ExecaChildProcess, graceMs: number): void {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const force = setTimeout(() => signalGroup(child, 'SIGKILL'), graceMs);
  child.once('exit', () => {
    clearTimeout(force);
    signalGroup(child, 'SIGKILL');
  });
  signalGroup(child, 'SIGTERM');
}

function signalGroup({ pid }: ExecaChildProcess, name: NodeJS.Signals): void {
  if (pid === undefined) return;
  try {
    process.kill(-pid, name);
  } catch {
    // Nobody is left in it.
  }
}

/** Where a program is. @throws PermanentError `ToolMissing` */
function findProgram(file: string): string {
  const folders = file.includes('/') ? [''] : (process.env.PATH ?? '/usr/bin:/bin').split(delimiter);
  for (const folder of folders) {
    const candidate = join(folder, file);
    try {
      accessSync(candidate, constants.X_OK);
      return candidate;
    } catch {
      // Not in this folder.
    }
  }
  throw new PermanentError('ToolMissing', `The program ${file} is not there.`, {
    next: 'Install it where the worker runs (npm run setup names the command), then retry the step.',
  });
}

const SETPRIV = '/usr/bin/setpriv';
const NICE = '/usr/bin/nice';

/**
 * A worker that is killed cannot end its programs; the kernel does where util-linux is there (prctl(2),
 * PR_SET_PDEATHSIG). It does not reach servers that a program leaves running: a fork does not inherit it.
 */
function withGuards(program: string, args: readonly string[], options: RunOptions): [string, ...string[]] {
  let command: [string, ...string[]] = [program, ...args];
  if (options.background === true && existsSync(NICE)) command = [NICE, '-n', '19', ...command];
  if (existsSync(SETPRIV)) command = [SETPRIV, '--pdeathsig', 'TERM', ...command];
  return command;
}

const STDERR_KEPT = 64 * 1024;

function followStreams(
  child: ExecaChildProcess,
  options: RunOptions,
): { readonly ended: Promise<void>; readonly stderrTail: () => string } {
  let tail = '';
  const closed = [
    options.consume === undefined
      ? followLines(child.stdout, (line) => options.onLine?.(line))
      : Promise.resolve(),
    followLines(child.stderr, (line) => {
      tail = `${tail}${line}\n`.slice(-STDERR_KEPT);
      options.onErrorLine?.(line);
    }),
  ];
  // Something that the program left behind may hold its outputs open: they are not waited for longer than this.
  const patience = new Promise<void>((resolve) => {
    child.once('exit', () => setTimeout(resolve, 2_000).unref());
    child.once('error', () => resolve());
  });
  return {
    ended: Promise.race([Promise.all(closed).then(() => undefined), patience]),
    stderrTail: () => tail,
  };
}

function followLines(stream: Readable | null, onLine: (line: string) => void): Promise<void> {
  if (stream === null) return Promise.resolve();
  return new Promise((resolve) => {
    createInterface({ input: stream, crlfDelay: Number.POSITIVE_INFINITY })
      .on('line', onLine)
      .once('close', resolve);
  });
}

interface AccountIds {
  readonly uid: number;
  readonly gid: number;
  readonly home: string;
  readonly switch: boolean;
}

const known = new Map<string, AccountIds>();

/**
 * Numeric ids of an account, and whether a child has to switch to it (only root can).
 * @throws PermanentError `AccountMissing`
 */
export function accountIds(account: string): AccountIds {
  const found = known.get(account);
  if (found !== undefined) return found;
  let line: string;
  try {
    line = execFileSync('getent', ['passwd', account], { encoding: 'utf8' });
  } catch (error) {
    throw new PermanentError(
      'AccountMissing',
      `The operating-system account ${account} does not exist here.`,
      {
        next: 'Create it, or name the right one in the runbook (sites.<site>.postgres.service.account).',
        cause: error,
      },
    );
  }
  const [, , uid = '', gid = '', , home = '/'] = line.trim().split(':');
  const ids = { uid: Number(uid), gid: Number(gid), home, switch: process.getuid?.() === 0 && uid !== '0' };
  known.set(account, ids);
  return ids;
}

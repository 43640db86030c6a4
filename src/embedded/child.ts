/** A process that `muster serve` keeps running. */
import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { open, readFile } from 'node:fs/promises';
import { setTimeout as delay } from 'node:timers/promises';
import { messageOf, TransientError } from '../errors.js';
import { type ProcessMark, startMarkOf } from '../process-mark.js';

export interface ChildSpec {
  /** As people call it: `Temporal`. */
  readonly name: string;
  readonly command: string;
  readonly args: readonly string[];
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly cwd: string;
  readonly logFile: string;
  /** Throws the reason while it does not do its work. */
  readonly answers: (pid: number) => Promise<void>;
  /** It is killed when it has not ended this long after SIGTERM. */
  readonly graceMs: number;
}

export interface Child {
  readonly mark: ProcessMark;
  /** Resolves when it has ended, however. */
  readonly ended: Promise<void>;
  stop(): Promise<void>;
}

const START_MS = 60_000;
const POLL_MS = 50;
const SETPRIV = '/usr/bin/setpriv';

/** Starts the process; it need not answer yet. @throws the operating system's error when it cannot be run */
export async function startChild(spec: ChildSpec): Promise<Child> {
  const log = await open(spec.logFile, 'a', 0o640);
  // Should `muster serve` be killed, the kernel ends what it has started (prctl(2), PR_SET_PDEATHSIG).
  const guarded = existsSync(SETPRIV)
    ? [SETPRIV, '--pdeathsig', 'TERM', spec.command, ...spec.args]
    : [spec.command, ...spec.args];
  const [command = spec.command, ...args] = guarded;
  try {
    const child = spawn(command, args, {
      cwd: spec.cwd,
      env: { ...spec.env },
      // Ctrl-C reaches `muster serve` alone, which ends its children in order.
      detached: true,
      stdio: ['ignore', log.fd, log.fd],
    });
    await new Promise<void>((resolve, reject) => {
      child.once('spawn', resolve);
      child.once('error', reject);
    });
    return follow(child, spec);
  } finally {
    await log.close();
  }
}

function follow(child: ChildProcess, { graceMs }: ChildSpec): Child {
  const pid = child.pid as number;
  let over = child.exitCode !== null || child.signalCode !== null;
  const ended = new Promise<void>((resolve) => {
    if (over) resolve();
    child.once('exit', () => {
      over = true;
      resolve();
    });
  });
  return {
    mark: { pid, startMark: startMarkOf(pid) ?? 'ended-at-once' },
    ended,
    stop: async () => {
      if (over) return;
      child.kill('SIGTERM');
      const force = setTimeout(() => child.kill('SIGKILL'), graceMs);
      await ended;
      clearTimeout(force);
    },
  };
}

/**
 * Waits until it does its work.
 * @throws TransientError `EmbeddedFailed` with the end of its log, when it ends or a minute passes
 */
export async function untilAnswers(spec: ChildSpec, child: Child): Promise<void> {
  const deadline = performance.now() + START_MS;
  let over = false;
  void child.ended.then(() => {
    over = true;
  });
  for (;;) {
    try {
      return await spec.answers(child.mark.pid);
    } catch (error) {
      if (over) throw await failed(spec, 'ended right after its start', error);
      if (performance.now() > deadline) {
        throw await failed(spec, `did not answer within ${START_MS / 1000} s (${messageOf(error)})`, error);
      }
    }
    await delay(POLL_MS);
  }
}

async function failed(spec: ChildSpec, what: string, cause: unknown): Promise<TransientError> {
  const log = await readFile(spec.logFile, 'utf8').catch(() => '');
  const last = log.trimEnd().split('\n').slice(-8);
  return new TransientError('EmbeddedFailed', `${spec.name} ${what}.`, {
    why: `The end of ${spec.logFile}:\n${last.map((line) => `  ${line}`).join('\n')}`,
    next: 'Correct what its log complains about, then give the command again.',
    cause,
  });
}

/** Programs as one types them: run to their end, loud when they fail. */
import { type ExecaChildProcess, execa } from 'execa';
import { asAccount, databaseAccount } from '../../lab/account.js';

export interface Typed {
  /** Under the account of the databases. */
  readonly as?: 'database';
  readonly env?: Readonly<Record<string, string>>;
  /** Gives way to everything else on the machine. */
  readonly nice?: true;
  readonly input?: string;
}

/** @returns what it printed; @throws execa's error, which holds what it said, when it ends with anything but 0 */
export async function type(program: string, args: readonly string[], how: Typed = {}): Promise<string> {
  const { stdout, stderr } = await start(program, args, how);
  return `${stdout}\n${stderr}`;
}

/** Starts a program; the caller ends it. */
export function start(program: string, args: readonly string[], how: Typed = {}): ExecaChildProcess {
  const command = how.nice === true ? ['nice', '-n', '19', program] : [program];
  const [file = program, ...before] = command;
  return execa(file, [...before, ...args], {
    cwd: '/',
    env: { PATH: process.env.PATH ?? '/usr/bin:/bin', LC_ALL: 'C.UTF-8', TZ: 'UTC', HOME: '/', ...how.env },
    extendEnv: false,
    ...(how.as === 'database' ? asAccount(databaseAccount()) : {}),
    ...(how.input === undefined ? { stdin: 'ignore' as const } : { input: how.input }),
    maxBuffer: 64 * 1024 * 1024,
  });
}

/** Repeats until it gives something, as one does with the arrow key, only faster. */
export async function until<T>(
  what: string,
  look: () => Promise<T | undefined>,
  everyMs: number,
): Promise<T> {
  const deadline = performance.now() + 120_000;
  for (;;) {
    const seen = await look().catch(() => undefined);
    if (seen !== undefined) return seen;
    if (performance.now() > deadline) throw new Error(`waited in vain for ${what}`);
    await new Promise((later) => setTimeout(later, everyMs));
  }
}

/** Stops the recovery by hand where something is not as it must be. */
export function must(condition: boolean, what: string): void {
  if (!condition) throw new Error(`not as it must be: ${what}`);
}

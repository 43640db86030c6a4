import { readdir, readFile } from 'node:fs/promises';
import { basename } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { TransientError } from '../../src/errors.js';

/**
 * Processes of pgBackRest that restore into a data directory. Its helpers outlive a main process that was killed by many
 * seconds and go on writing files of the backup (2.45): over pages that replay has changed since, if they are let.
 */
export async function findRestores(dataDirectory: string): Promise<readonly number[]> {
  const names = await readdir('/proc').catch(() => []);
  const found = await Promise.all(
    names
      .filter((name) => /^\d+$/.test(name))
      .map(async (name) => ((await restoresInto(name, dataDirectory)) ? [Number(name)] : [])),
  );
  return found.flat();
}

async function restoresInto(pid: string, dataDirectory: string): Promise<boolean> {
  const text = await readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => '');
  const [program = '', ...args] = text.replace(/\0$/, '').split('\0');
  return (
    basename(program) === 'pgbackrest' &&
    args.includes(`--pg1-path=${dataDirectory}`) &&
    /^restore(:local)?$/.test(args.at(-1) ?? '')
  );
}

const GONE_MS = 10_000;

/**
 * Ends what earlier attempts left restoring into a directory that this run has leased, and waits until it is gone.
 *
 * @throws TransientError `RestoreStillRunning`
 */
export async function endLeftovers(dataDirectory: string): Promise<void> {
  const deadline = performance.now() + GONE_MS;
  for (;;) {
    const left = await findRestores(dataDirectory);
    if (left.length === 0) return;
    for (const pid of left) {
      try {
        process.kill(pid, 'SIGKILL');
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
      }
    }
    if (performance.now() > deadline) {
      throw new TransientError(
        'RestoreStillRunning',
        `Processes ${left.join(', ')} of an earlier attempt still write into ${dataDirectory}.`,
        { next: 'See what keeps them (a dead disk?); the step tries again by itself for a while.' },
      );
    }
    await wait(20);
  }
}

import { rm } from 'node:fs/promises';
import { type ProcessMark, stopProcess } from './process.js';

const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;

/** What must not outlive this process when it is interrupted: processes and folders that are only there for a while. */
export class Makeshift {
  readonly #processes = new Map<ProcessMark, NodeJS.Signals>();
  readonly #folders = new Set<string>();

  /** Keeps the process in mind until `work` has ended. */
  async withProcess<T>(mark: ProcessMark, signal: NodeJS.Signals, work: () => Promise<T>): Promise<T> {
    this.#processes.set(mark, signal);
    try {
      return await work();
    } finally {
      this.#processes.delete(mark);
    }
  }

  /** Removes the folders, with their content, when `work` has ended. */
  async withFolders<T>(folders: readonly string[], work: () => Promise<T>): Promise<T> {
    for (const folder of folders) this.#folders.add(folder);
    try {
      return await work();
    } finally {
      await Promise.all(folders.map(remove));
      for (const folder of folders) this.#folders.delete(folder);
    }
  }

  async clear(): Promise<void> {
    await Promise.all([...this.#processes].map(([mark, signal]) => stopProcess(mark, signal)));
    await Promise.all([...this.#folders].map(remove));
  }
}

/** Does `work`; when the process is told to end meanwhile, `undo` comes first. */
export async function undoneWhenInterrupted<T>(
  undo: () => Promise<void>,
  work: () => Promise<T>,
): Promise<T> {
  let undoing: Promise<void> | undefined;
  const interrupted = (signal: NodeJS.Signals) => {
    undoing = undo().finally(() => {
      for (const each of SIGNALS) process.off(each, interrupted);
      // Whoever else listens to the signal decides what it means; otherwise it does what it always does.
      if (process.listenerCount(signal) === 0) process.kill(process.pid, signal);
    });
  };
  for (const signal of SIGNALS) process.once(signal, interrupted);
  try {
    return await work();
  } finally {
    // What is undone makes the work fail; the signal, not that failure, is what ends the process.
    await undoing?.catch(() => undefined);
    for (const signal of SIGNALS) process.off(signal, interrupted);
  }
}

async function remove(folder: string): Promise<void> {
  await rm(folder, { recursive: true, force: true, maxRetries: 10, retryDelay: 50 });
}

import { readFile, rm, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { LabError } from './errors.js';
import { makeOpenFolder } from './folders.js';
import type { Layout } from './layout.js';
import { isRunning, type ProcessMark, startMarkOf } from './process.js';

/** Does `work` while no other process changes this lab. @throws LabError when one is at it. */
export async function whileLocked<T>(layout: Layout, work: () => Promise<T>): Promise<T> {
  await makeOpenFolder(dirname(layout.lockFile));
  await take(layout);
  try {
    return await work();
  } finally {
    await releaseLock(layout);
  }
}

/** Gives the lab free for other commands. */
export async function releaseLock(layout: Layout): Promise<void> {
  await rm(layout.lockFile, { force: true });
}

async function take(layout: Layout): Promise<void> {
  const own: ProcessMark = { pid: process.pid, startMark: startMarkOf(process.pid) ?? '' };
  for (;;) {
    try {
      await writeFile(layout.lockFile, JSON.stringify(own), { flag: 'wx' });
      return;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
    }
    const holder = await readHolder(layout.lockFile);
    if (holder && isRunning(holder)) {
      throw new LabError(
        `Another command (process ${holder.pid}) is starting or stopping the lab in ${layout.dir}.`,
        'Wait for it to end, or use another lab by setting MUSTER_LAB.',
      );
    }
    await rm(layout.lockFile, { force: true });
  }
}

async function readHolder(file: string): Promise<ProcessMark | undefined> {
  try {
    return JSON.parse(await readFile(file, 'utf8'));
  } catch {
    return undefined;
  }
}

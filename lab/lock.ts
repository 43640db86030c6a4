import { rm } from 'node:fs/promises';
import { dirname } from 'node:path';
import { claimFile } from '../src/process-mark.js';
import { LabError } from './errors.js';
import { makeOpenFolder } from './folders.js';
import type { Layout } from './layout.js';

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
  const holder = await claimFile(layout.lockFile);
  if (holder === undefined) return;
  throw new LabError(
    `Another command (process ${holder.pid}) is starting or stopping the lab in ${layout.dir}.`,
    'Wait for it to end, or use another lab by setting MUSTER_LAB.',
  );
}

/** Which process is meant, although the kernel gives numbers away again. */
import { randomUUID } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { link, readFile, rm, writeFile } from 'node:fs/promises';

/** A process that can be told from a later one with the same number. */
export interface ProcessMark {
  readonly pid: number;
  /** Boot and kernel start time of the process; compared before anything is sent to the pid. */
  readonly startMark: string;
}

let bootId: string | undefined;

/** When process `pid` started, as an opaque mark; undefined when there is no such process (or only its corpse). */
export function startMarkOf(pid: number): string | undefined {
  try {
    // The command name may hold blanks and parentheses: fields are counted after the last one.
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    if (fields[0] === 'Z' || fields[0] === 'X') return undefined;
    bootId ??= readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').slice(0, 8);
    return `${bootId}-${fields[19]}`;
  } catch {
    return undefined;
  }
}

/** Whether that very process still runs. */
export function isRunning(mark: ProcessMark): boolean {
  return startMarkOf(mark.pid) === mark.startMark;
}

/**
 * Claims a lock file for this process. The file is there with its content or not at all: nobody takes one that is just being
 * written for one that was left behind.
 *
 * @returns undefined when it is claimed now, else the process that has it
 */
export async function claimFile(file: string): Promise<ProcessMark | undefined> {
  const own: ProcessMark = { pid: process.pid, startMark: startMarkOf(process.pid) ?? '' };
  const fresh = `${file}.${randomUUID()}`;
  await writeFile(fresh, JSON.stringify(own));
  try {
    for (;;) {
      try {
        await link(fresh, file);
        return undefined;
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
      }
      const holder = await holderOf(file);
      if (holder !== undefined && isRunning(holder)) return holder;
      await rm(file, { force: true });
    }
  } finally {
    await rm(fresh, { force: true });
  }
}

async function holderOf(file: string): Promise<ProcessMark | undefined> {
  try {
    return JSON.parse(await readFile(file, 'utf8')) as ProcessMark;
  } catch {
    return undefined;
  }
}

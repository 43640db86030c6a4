/** Which process is meant, although the kernel gives numbers away again. */
import { readFileSync } from 'node:fs';

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

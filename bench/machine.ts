/** The machine that figures are from, and whether it has anything else to do. */
import { readFile } from 'node:fs/promises';
import { cpus, totalmem } from 'node:os';
import { setTimeout as delay } from 'node:timers/promises';

const SAMPLE_MS = 2_000;
/** A lab at rest, with its payments, keeps about a tenth of two cores busy. */
const QUIET_PERCENT = 40;

/** For instance `2 x Intel Xeon, 24 GB, Node v20.19.0`. */
export function describeMachine(): string {
  const processors = cpus();
  const model = (processors[0]?.model ?? 'processor').replace(/\s+/g, ' ').trim();
  return `${processors.length} x ${model}, ${Math.round(totalmem() / 1e9)} GB, Node ${process.version}`;
}

/** Warns when others use the machine: then a figure says more about them than about Muster. */
export async function sayWhenBusy(say: (line: string) => void): Promise<void> {
  const before = await readTimes();
  await delay(SAMPLE_MS);
  const busy = busyPercent(before, await readTimes());
  if (busy > QUIET_PERCENT) say(`the machine is ${Math.round(busy)} % busy before anything is measured`);
}

/** What the machine did while something was measured, in percent of the time of all processors. */
export interface Load {
  readonly busy: number;
  /** Idle, with something that waited for the disk. */
  readonly disk: number;
}

/** @returns what `work` does, with the machine's load meanwhile */
export async function loadWhile<T>(
  work: () => Promise<T>,
): Promise<{ readonly result: T; readonly load: Load }> {
  const before = await readTimes();
  const result = await work();
  const after = await readTimes();
  const total = Math.max(1, after.total - before.total);
  const disk = (100 * (after.waiting - before.waiting)) / total;
  return { result, load: { busy: busyPercent(before, after), disk } };
}

/** What would have to be faster for all of it to be faster. */
export function limitOf({ busy, disk }: Load): string {
  if (busy >= 75) return 'the processors';
  if (disk >= 20) return 'the disk';
  return 'the steps of the slowest system, one after another';
}

/** Time of all processors since the start, in ticks. */
export interface ProcessorTimes {
  /** What waits for the disk included. */
  readonly idle: number;
  readonly waiting: number;
  readonly total: number;
}

async function readTimes(): Promise<ProcessorTimes> {
  return parseTimes(await readFile('/proc/stat', 'utf8'));
}

/** Reads the first line of /proc/stat: user, nice, system, idle, iowait, irq, softirq, steal (proc(5)). */
export function parseTimes(text: string): ProcessorTimes {
  const times = (/^cpu +(.+)$/m.exec(text)?.[1] ?? '').split(' ').slice(0, 8).map(Number);
  const [, , , idle = 0, waiting = 0] = times;
  return { idle: idle + waiting, waiting, total: times.reduce((sum, time) => sum + time, 0) };
}

export function busyPercent(before: ProcessorTimes, after: ProcessorTimes): number {
  const total = after.total - before.total;
  return total <= 0 ? 0 : 100 * (1 - (after.idle - before.idle) / total);
}

/** The most memory that Muster's worker and a watching command line take together while a database is restored. */
import { spawn } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { setTimeout as delay } from 'node:timers/promises';
import { builtProgram } from '../lab/built.js';
import { labEnvironment } from '../lab/environment.js';
import type { LabState } from '../lab/state.js';
import { withBrokenLab } from './labs.js';
import { compare, type Measurement } from './measurement.js';
import { fromCorruption, seeThrough, withRun } from './muster.js';
import type { Settings } from './settings.js';

const LIMIT_MB = 400;
const SAMPLE_MS = 100;

export async function measureMemory({ sizeBytes, runs, say, tell }: Settings): Promise<Measurement> {
  const worker: number[] = [];
  const watch: number[] = [];
  for (let run = 0; run < runs; run += 1) {
    const prepare = async () => undefined;
    const wanted = { sizeBytes, say: tell, worker: 'when-built', prepare } as const;
    const peaks = await withBrokenLab(wanted, ({ state, damage }) =>
      withRun(state, fromCorruption(damage), async (session, handle) => {
        const restored = seeThrough(session, handle, state, ({ steps }) =>
          steps.some(({ name, status }) => name === 'restore' && status === 'done'),
        );
        return peaksUntil(state, restored);
      }),
    );
    say(`memory: worker ${megabytes(peaks.worker)} MB, watch ${megabytes(peaks.watch)} MB`);
    worker.push(megabytes(peaks.worker));
    watch.push(megabytes(peaks.watch));
  }
  const peak = worker.map((value, index) => value + (watch[index] ?? 0));
  const measured = compare('memory', 1, runs, [
    { name: 'peakMb', values: peak },
    { name: 'limitMb', values: [LIMIT_MB] },
  ]);
  const [workerMb, watchMb] = [worker, watch].map((values) => Math.max(...values));
  return { ...measured, raw: { ...measured.raw, workerMb: workerMb ?? 0, watchMb: watchMb ?? 0 } };
}

interface Peaks {
  readonly worker: number;
  readonly watch: number;
}

/** Each process's greatest resident size since it was started: their sum is at least what they took at any one time. */
async function peaksUntil(state: LabState, end: Promise<unknown>): Promise<Peaks> {
  const workerPid = state.parts.worker?.pid;
  if (workerPid === undefined) throw new Error('the lab has no worker');
  const program = builtProgram('src/cli/main.js');
  const watching = spawn(process.execPath, [program, 'watch', 'payymo'], {
    stdio: ['ignore', 'ignore', 'inherit'],
    env: { ...process.env, ...labEnvironment(state) },
  });
  const ended = new Promise((resolve) => watching.once('close', resolve));
  let over = false;
  const waited = end.finally(() => {
    over = true;
  });
  waited.catch(() => undefined);
  let peaks: Peaks = { worker: 0, watch: 0 };
  try {
    while (!over) {
      peaks = {
        worker: Math.max(peaks.worker, await peakOf(workerPid)),
        watch: Math.max(peaks.watch, await peakOf(watching.pid ?? 0)),
      };
      await delay(SAMPLE_MS);
    }
    await waited;
  } finally {
    watching.kill('SIGTERM');
    await ended;
  }
  if (peaks.watch === 0) throw new Error('muster watch ended before the restore');
  return peaks;
}

/** Bytes; 0 when the process is gone. */
async function peakOf(pid: number): Promise<number> {
  return parsePeak(await readFile(`/proc/${pid}/status`, 'utf8').catch(() => ''));
}

/** Reads `VmHWM:    123456 kB`, the peak resident set size (proc(5)); 0 where it is not told. */
export function parsePeak(status: string): number {
  return Number(/^VmHWM:\s+(\d+) kB$/m.exec(status)?.[1] ?? 0) * 1024;
}

function megabytes(bytes: number): number {
  return Math.round(bytes / 1e6);
}

/** Muster's workers as processes of their own, each behind a proxy to Temporal of its own. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, openSync } from 'node:fs';
import { mkdir, readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { projectRoot } from '../../lab/built.js';
import { labEnvironment } from '../../lab/environment.js';
import { layoutOf } from '../../lab/layout.js';
import { baseEnvironment } from '../../lab/process.js';
import { partsFile } from '../../src/parts.js';
import { eventually } from '../support/eventually.js';
import type { TestLab } from '../support/lab.js';
import { TemporalProxy } from './proxy.js';

export class FaultyWorker {
  private constructor(
    readonly proxy: TemporalProxy,
    readonly pid: number,
    private readonly gone: Promise<unknown>,
  ) {}

  /**
   * Starts the shipped worker; it has asked Temporal for work when this returns.
   * @param address of the Temporal server
   */
  static async start(
    lab: TestLab,
    name: string,
    address = lab.state.temporal.address,
  ): Promise<FaultyWorker> {
    const proxy = await TemporalProxy.start(address);
    const layout = layoutOf(lab.dir);
    await mkdir(layout.worker, { recursive: true });
    const log = openSync(join(layout.logs, `${name}.log`), 'a');
    const env = { ...labEnvironment(lab.state), TEMPORAL_ADDRESS: proxy.address, MUSTER_PARTS: partsFile() };
    const child = spawn(
      process.execPath,
      ['--max-semi-space-size=4', join(projectRoot(), 'dist', 'src', 'worker.js')],
      {
        cwd: layout.worker,
        env: { ...baseEnvironment(), ...env },
        stdio: ['ignore', log, log],
        detached: true,
      },
    );
    closeSync(log);
    const gone = once(child, 'exit');
    await once(child, 'spawn');
    child.unref();
    await eventually(async () => {
      if (child.exitCode !== null) throw new Error(`${name} ended at once: see ${layout.logs}/${name}.log`);
      if (!proxy.polled) throw new Error(`${name} has not asked for work yet`);
    }, 60_000);
    return new FaultyWorker(proxy, child.pid as number, gone);
  }

  /** As a power cut does, to this process alone. */
  async kill(): Promise<void> {
    signal(this.pid, 'SIGKILL');
    await this.gone;
  }

  /** Lets it and all that it has started stand still, as a suspended machine does. @returns what wakes them */
  async freeze(): Promise<() => void> {
    const frozen = [this.pid];
    signal(this.pid, 'SIGSTOP');
    for (const pid of await descendants(this.pid)) {
      signal(pid, 'SIGSTOP');
      frozen.push(pid);
    }
    return () => {
      for (const pid of frozen) signal(pid, 'SIGCONT');
    };
  }

  /** Programs that it runs now, by name. */
  async programs(): Promise<readonly string[]> {
    const pids = await descendants(this.pid);
    return Promise.all(pids.map((pid) => readFile(`/proc/${pid}/comm`, 'utf8').then(trim, () => '')));
  }

  async stop(): Promise<void> {
    signal(this.pid, 'SIGCONT');
    await this.kill();
    await this.proxy.stop();
  }
}

function trim(text: string): string {
  return text.trim();
}

function signal(pid: number, name: NodeJS.Signals): void {
  try {
    process.kill(pid, name);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
  }
}

/** Processes that descend from this one now. */
async function descendants(root: number): Promise<number[]> {
  const children = (await childrenOf(root)).map(async (pid) => [pid, ...(await descendants(pid))]);
  return (await Promise.all(children)).flat();
}

/** A process may be started by any thread of another; one that has ended meanwhile has none. */
async function childrenOf(pid: number): Promise<number[]> {
  const threads = await readdir(`/proc/${pid}/task`).catch(() => []);
  const lists = threads.map((thread) =>
    readFile(`/proc/${pid}/task/${thread}/children`, 'utf8').catch(() => ''),
  );
  return (await Promise.all(lists)).flatMap((list) => list.split(' ').filter(Boolean).map(Number));
}

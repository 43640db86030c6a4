/** Everything that a recovery needs of Muster's own, on one machine: Temporal with its UI, the codec endpoint, a worker. */
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { originsOf } from '../codec-endpoint/settings.js';
import { messageOf } from '../errors.js';
import { TASK_QUEUE } from '../model/task-queue.js';
import { loadParts, partsFile } from '../parts.js';
import { canListen, freePorts, portOf } from '../ports.js';
import { isRunning, type ProcessMark, startMarkOf } from '../process-mark.js';
import { type Child, type ChildSpec, startChild, untilAnswers } from './child.js';
import { claimHome } from './claim.js';
import { payloadSettings } from './payload-settings.js';
import { type EmbeddedState, forgetEmbedded, lastEmbedded, writeEmbedded } from './state.js';
import { NAMESPACE, temporalAnswers, temporalArguments, workerAsks } from './temporal-server.js';

type Environment = Readonly<Record<string, string | undefined>>;

export interface Embedded {
  readonly state: EmbeddedState;
  /** Where the UI has payloads decrypted. */
  readonly codecUrl: string;
  readonly logs: string;
  /** Ends the worker, then Temporal. What runs goes on when it is started again. */
  stop(): Promise<void>;
}

/**
 * Starts all of it for one home, and keeps it running: what ends is started again.
 *
 * @param say receives remarks, one line at a time
 * @throws RefusedError `EmbeddedRuns` when it runs already; TransientError `EmbeddedFailed` with the end of a log
 */
export async function serveEmbedded(
  home: string,
  env: Environment,
  say: (line: string) => void,
): Promise<Embedded> {
  const release = await claimHome(home);
  const before = await lastEmbedded(home);
  const kept: Kept[] = [];
  const stop = async () => {
    // The worker first: it hands over what it has begun.
    for (const one of [...kept].reverse()) await one.stop();
    await forgetEmbedded(home);
    await release();
  };
  try {
    await endLeftOver(before?.children ?? []);
    const ports = await choosePorts(before);
    const [folder, logs] = [join(home, 'temporal'), join(home, 'logs')];
    for (const each of [folder, logs]) await mkdir(each, { recursive: true, mode: 0o750 });
    const payloads = await payloadSettings(home, env);
    const url = (port: number) => `http://127.0.0.1:${port}`;
    let state: EmbeddedState = {
      schemaVersion: 1,
      serve: { pid: process.pid, startMark: startMarkOf(process.pid) ?? '' },
      children: [],
      startedAt: new Date().toISOString(),
      temporal: {
        address: `127.0.0.1:${ports.temporal}`,
        httpUrl: url(ports.temporalHttp),
        uiUrl: url(ports.temporalUi),
        namespace: NAMESPACE,
      },
      ...(payloads.MUSTER_PAYLOAD_KEYS ? { payloadKeys: payloads.MUSTER_PAYLOAD_KEYS } : {}),
    };
    const started = async () => {
      state = { ...state, children: kept.flatMap((each) => each.mark ?? []) };
      await writeEmbedded(home, state);
    };
    const temporal: ChildSpec = {
      name: 'Temporal',
      command: loadParts(env).temporal.path,
      args: temporalArguments({
        folder,
        ports,
        durability: 'survives-power-loss',
        codecEndpoint: url(ports.codec),
      }),
      env,
      cwd: folder,
      logFile: join(logs, 'temporal.log'),
      answers: () => temporalAnswers(ports.temporalHttp),
      graceMs: 10_000,
    };
    const worker: ChildSpec = {
      name: 'The worker',
      command: process.execPath,
      args: ['--enable-source-maps', fileURLToPath(new URL('../worker.js', import.meta.url))],
      env: {
        ...env,
        ...payloads,
        TEMPORAL_ADDRESS: state.temporal.address,
        TEMPORAL_NAMESPACE: NAMESPACE,
        MUSTER_HOME: home,
        MUSTER_PARTS: partsFile(env),
        MUSTER_CODEC_PORT: String(ports.codec),
        MUSTER_CODEC_ORIGINS: originsOf(state.temporal.uiUrl).join(','),
      },
      cwd: home,
      logFile: join(logs, 'worker.log'),
      answers: (pid) => workerAsks(ports.temporalHttp, TASK_QUEUE, `:${pid}`),
      graceMs: 40_000,
    };
    for (const spec of [temporal, worker]) {
      const one = new Kept(spec, started, say);
      kept.push(one);
      await one.start();
    }
    return { state, codecUrl: url(ports.codec), logs, stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

/** A process that is started again when it ends before it was told to. */
class Kept {
  #child: Child | undefined;
  #stopped = false;
  readonly #stopping = new AbortController();

  constructor(
    private readonly spec: ChildSpec,
    private readonly started: () => Promise<void>,
    private readonly say: (line: string) => void,
  ) {}

  get mark(): ProcessMark | undefined {
    return this.#child?.mark;
  }

  async start(): Promise<void> {
    const child = await startChild(this.spec);
    this.#child = child;
    await this.started();
    await untilAnswers(this.spec, child);
    void child.ended.then(() => this.#again());
  }

  async #again(): Promise<void> {
    for (let waitMs = 500; !this.#stopped; waitMs = Math.min(10_000, 2 * waitMs)) {
      this.say(`${this.spec.name} has ended, see ${this.spec.logFile}; it is started again`);
      try {
        await delay(waitMs, undefined, { signal: this.#stopping.signal });
        await this.start();
        this.say(`${this.spec.name} runs again`);
        return;
      } catch (error) {
        if (this.#stopped) return;
        this.say(messageOf(error));
        await this.#child?.stop();
      }
    }
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    this.#stopping.abort();
    await this.#child?.stop();
  }
}

/** What a killed `muster serve` left behind, where nothing had ended it. */
async function endLeftOver(children: readonly ProcessMark[]): Promise<void> {
  for (const signal of ['SIGTERM', 'SIGKILL'] as const) {
    for (const child of children) if (isRunning(child)) process.kill(child.pid, signal);
    for (let tries = 0; tries < 100 && children.some(isRunning); tries += 1) await delay(50);
  }
}

/** The same as last time where they are free, so that links and bookmarks go on leading somewhere. */
async function choosePorts(before: EmbeddedState | undefined) {
  const loopback = { addresses: ['127.0.0.1'] };
  const fresh = await freePorts({
    temporal: loopback,
    temporalUi: loopback,
    temporalHttp: loopback,
    codec: loopback,
  });
  if (before === undefined) return fresh;
  const { address, uiUrl, httpUrl } = before.temporal;
  const wanted = { temporal: portOf(address), temporalUi: portOf(uiUrl), temporalHttp: portOf(httpUrl) };
  const free = await Promise.all(Object.values(wanted).map((port) => canListen('127.0.0.1', port)));
  return free.every(Boolean) ? { ...fresh, ...wanted } : fresh;
}

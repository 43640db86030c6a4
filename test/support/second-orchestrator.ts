/** Another orchestrator that recovers a lab's system: Temporal server, worker, home and target of its own; vault and store are shared. */
import { type ChildProcess, spawn } from 'node:child_process';
import { closeSync, openSync } from 'node:fs';
import { chown, mkdir, readFile, writeFile } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { parseDocument } from 'yaml';
import { databaseAccount } from '../../lab/account.js';
import { runningServer } from '../../lab/clusters.js';
import { labEnvironment } from '../../lab/environment.js';
import { findPrograms } from '../../lab/parts/lookup.js';
import { startPart, untilAnswers } from '../../lab/parts/part.js';
import { makeClusterFolders } from '../../lab/parts/postgres.js';
import { temporalPart } from '../../lab/parts/temporal.js';
import { freePorts } from '../../lab/ports.js';
import { isRunning, type ProcessMark, stopProcess } from '../../lab/process.js';
import type { LabState, SiteState } from '../../lab/state.js';
import { TASK_QUEUE } from '../../src/model/task-queue.js';
import { partsFile } from '../../src/parts.js';
import { eventually } from './eventually.js';
import type { TestLab } from './lab.js';

/** Up before the tests of a file and gone after them; the lab must be up before it. */
export function useSecondOrchestrator(lab: TestLab): TestLab {
  let second: SecondOrchestrator | undefined;
  beforeAll(async () => {
    second = await SecondOrchestrator.start(lab);
  }, 90_000);
  afterAll(() => second?.stop(), 30_000);
  return {
    dir: lab.dir,
    get state() {
      if (second === undefined) throw new Error('the second orchestrator is not up yet');
      return second.state;
    },
  };
}

class SecondOrchestrator {
  private constructor(
    /** The lab as this orchestrator sees it. */
    readonly state: LabState,
    private readonly server: ProcessMark,
    private readonly worker: ChildProcess,
  ) {}

  static async start(lab: TestLab): Promise<SecondOrchestrator> {
    const folder = join(lab.dir, 'second');
    const target = await makeTarget(lab);
    const ports = await freePorts({
      temporal: { addresses: ['127.0.0.1'] },
      temporalUi: { addresses: ['127.0.0.1'] },
      temporalHttp: { addresses: ['127.0.0.1'] },
    });
    const part = await temporalPart({
      program: findPrograms().temporal,
      folder: join(folder, 'temporal'),
      logFile: join(lab.dir, 'logs', 'second-temporal.log'),
      ports,
    });
    const state: LabState = {
      ...lab.state,
      temporal: {
        ...lab.state.temporal,
        address: part.address,
        httpUrl: `http://127.0.0.1:${ports.temporalHttp}`,
      },
      runbooks: join(folder, 'runbooks'),
      home: join(folder, 'home'),
      ledger: { ...lab.state.ledger, sites: { ...lab.state.ledger.sites, recovery: target } },
    };
    await writeRunbook(lab, state);
    await mkdir(state.home, { recursive: true });
    const server = await startPart(part);
    await untilAnswers(part, server);
    const second = new SecondOrchestrator(state, server, startWorker(state));
    await eventually(() => asksForWork(state), 60_000).catch(async (error) => {
      await second.stop();
      throw error;
    });
    return second;
  }

  async stop(): Promise<void> {
    this.worker.kill('SIGKILL');
    await stopProcess(this.server, 'SIGKILL');
    const copy = await runningServer(this.state.ledger.sites.recovery.dataDir);
    if (copy !== undefined && isRunning(copy)) await stopProcess(copy, 'SIGQUIT');
  }
}

/** An address of its own, and folders of its own, with what reads the backups from there. */
async function makeTarget(lab: TestLab): Promise<SiteState> {
  const { recovery } = lab.state.ledger.sites;
  const base = join(lab.dir, 'payymo', 'second');
  const account = databaseAccount();

  const cluster = {
    base,
    data: join(base, 'data'),
    socket: recovery.socketDir.replace(/recovery(?=\W|$)(?!.*recovery)/, 'second'),
    logFile: join(base, 'log', 'postgresql.log'),
    backupConfig: join(base, 'pgbackrest.conf'),
  };
  await makeClusterFolders(cluster, account);
  const config = await readFile(recovery.backupConfig, 'utf8');
  await writeFile(cluster.backupConfig, config.replaceAll(dirname(recovery.backupConfig), base), {
    mode: 0o600,
  });
  await chown(cluster.backupConfig, account.uid, account.gid);
  return {
    address: recovery.address.replace(/\d+$/, '9'),
    port: recovery.port,
    dataDir: cluster.data,
    socketDir: cluster.socket,
    logFile: cluster.logFile,
    backupConfig: cluster.backupConfig,
  };
}

async function writeRunbook(lab: TestLab, { runbooks, ledger }: LabState): Promise<void> {
  const { recovery } = ledger.sites;
  const document = parseDocument(await readFile(join(lab.state.runbooks, 'payymo.yaml'), 'utf8'));
  const postgres = ['sites', 'recovery', 'postgres'];
  document.setIn([...postgres, 'host'], recovery.address);
  document.setIn([...postgres, 'backupConfig'], recovery.backupConfig);
  document.setIn([...postgres, 'service', 'dataDirectory'], recovery.dataDir);
  document.setIn([...postgres, 'service', 'socketDirectory'], recovery.socketDir);
  document.setIn([...postgres, 'service', 'logFile'], recovery.logFile);
  document.setIn(['dns', 'ledger', 'values', 'recovery'], [recovery.address]);
  await mkdir(runbooks, { recursive: true });
  await writeFile(join(runbooks, 'payymo.yaml'), document.toString());
}

function startWorker(state: LabState): ChildProcess {
  const log = openSync(join(state.dir, 'logs', 'second-worker.log'), 'a');
  const worker = spawn(process.execPath, [resolve(__dirname, '../../dist/src/worker.js')], {
    env: { ...process.env, ...labEnvironment(state), MUSTER_PARTS: partsFile() },
    stdio: ['ignore', log, log],
  });
  closeSync(log);
  return worker;
}

async function asksForWork({ temporal }: LabState): Promise<void> {
  const queue = `${temporal.httpUrl}/api/v1/namespaces/${temporal.namespace}/task-queues/${TASK_QUEUE}`;
  const answer = await fetch(`${queue}?taskQueueType=TASK_QUEUE_TYPE_ACTIVITY`);
  const { pollers = [] } = (await answer.json()) as { pollers?: unknown[] };
  if (pollers.length === 0) throw new Error('the worker has not asked for work yet');
}

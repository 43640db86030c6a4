/** One recovery in a lab of its own: its workers, its commander, and what has been heard of it. */
import type { WorkflowExecutionDescription } from '@temporalio/client';
import type { Corruption } from '../../lab/break/corruption.js';
import { waitForPayments } from '../../lab/demo/payments.js';
import { downLab } from '../../lab/down.js';
import type { OpenDecision, RunResult, RunView } from '../../src/model/run.js';
import { messageOfFailure, readActivity } from '../../src/temporal/progress.js';
import { COMMANDER, Incident, SYSTEM, WORKFLOW } from '../support/incident.js';
import { startLab, type TestLab } from '../support/lab.js';
import type { Orchestrator } from './cases.js';
import { bringBack, takeAway } from './parts.js';
import type { AnswerFate, HandedTask, TaskEvent } from './proxy.js';
import { SelfHosted } from './self-hosted.js';
import { FaultyWorker } from './workers.js';

/** A recovery takes seconds; with a fault a minute or two, on a busy machine more. */
const LONGEST_MS = 300_000;
const LOOK_EVERY_MS = 150;
/** Enough that one would be missed; the rest of the machine is for the recoveries. */
const PAYMENTS_PER_SECOND = 4;

/** An approval that was given and acknowledged. */
export interface Approval {
  readonly gate: string;
  readonly at: string;
}

/** A place where something else happens between the commander's acts. */
export interface Interludes {
  /** Before the first approval of an open gate is given. */
  beforeApproval?: (gate: string) => Promise<void>;
  /** As soon as an approval was acknowledged. */
  afterApproval?: (gate: string) => Promise<void>;
}

/** Decides what becomes of an answer; undefined: not the one it is there for. */
export type Holder = (task: HandedTask, worker: FaultyWorker) => Promise<AnswerFate> | undefined;

export class Stage {
  readonly workers: FaultyWorker[] = [];
  /** Asked in turn before an answer of a worker goes on. */
  readonly holders = new Set<Holder>();
  readonly approvals: Approval[] = [];
  /** Steps that failed for good and were tried again by the commander, with why. */
  readonly retried: string[] = [];
  /** What mends the world again, under way. */
  readonly mending: Promise<void>[] = [];
  /** Why a fault could not strike or not be mended: what happens to the run then says nothing. */
  trouble: unknown;
  /** Faults that have struck and are not mended yet. */
  unmended = 0;
  ended = false;
  runId = '';
  private readonly listeners = new Set<(event: TaskEvent, worker: FaultyWorker) => void>();

  private constructor(
    readonly lab: TestLab,
    readonly incident: Incident,
    readonly damage: Corruption,
    /** Payments that were acknowledged before the damage began. */
    readonly paidBefore: ReadonlySet<string>,
    private readonly selfHosted: SelfHosted | undefined,
  ) {}

  /** Where the runs are kept: ends it as a crash does. */
  async takeTemporalAway(): Promise<void> {
    if (this.selfHosted === undefined) await takeAway(this.lab, 'temporal');
    else await this.selfHosted.takeAway();
  }

  async bringTemporalBack(): Promise<void> {
    if (this.selfHosted === undefined) await bringBack(this.lab, 'temporal');
    else await this.selfHosted.bringBack();
  }

  /** A lab with a damaged ledger and a worker, two where Temporal is a server of one's own; nothing has been begun. */
  static async set(orchestrator: Orchestrator): Promise<Stage> {
    const lab = await startLab({ paymentsPerSecond: PAYMENTS_PER_SECOND });
    const incident = new Incident(lab);
    let selfHosted: SelfHosted | undefined;
    try {
      if (orchestrator === 'self-hosted') {
        await takeAway(lab, 'temporal');
        selfHosted = await SelfHosted.start(lab);
      }
      await incident.open();
      await waitForPayments(lab.state, 5);
      const paidBefore = new Set((await incident.acknowledged()).map(({ id }) => id));
      const stage = new Stage(lab, incident, await incident.happen(1), paidBefore, selfHosted);
      await stage.addWorker();
      if (selfHosted !== undefined) await stage.addWorker();
      return stage;
    } catch (error) {
      await incident.close();
      await selfHosted?.stop();
      await downLab(lab.dir, { log: () => undefined });
      throw error;
    }
  }

  async addWorker(): Promise<FaultyWorker> {
    const name = `worker-${this.workers.length + 1}`;
    const worker = await FaultyWorker.start(this.lab, name);
    worker.proxy.listen((event) => {
      for (const listener of this.listeners) listener(event, worker);
    });
    worker.proxy.onCompleting = (task) => {
      for (const holder of this.holders) {
        const fate = holder(task, worker);
        if (fate !== undefined) return fate;
      }
      return 'forward';
    };
    this.workers.push(worker);
    return worker;
  }

  /** Calls back for what any worker is given and answers; @returns what ends that */
  listen(listener: (event: TaskEvent, worker: FaultyWorker) => void): () => void {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  }

  /** The worker that was started last. */
  get worker(): FaultyWorker {
    return this.workers.at(-1) as FaultyWorker;
  }

  async begin(): Promise<void> {
    this.runId = await this.incident.begin(this.damage.startedAt);
  }

  /** Approves, and tries again what has failed, until the run is over; whoever does not answer is asked again. */
  async command(interludes: readonly Interludes[] = []): Promise<RunResult> {
    const deadline = Date.now() + LONGEST_MS;
    const busy = new Set<string>();
    let seen: RunView | undefined;
    while (!(await this.isOver())) {
      if (this.trouble !== undefined) throw this.trouble;
      if (Date.now() > deadline) {
        const again = this.retried.length === 0 ? '' : `; tried again: ${this.retried.join(', ')}`;
        throw new Error(`the run never ended: ${progressOf(seen)}; ${await this.pending()}${again}`);
      }
      seen = (await this.incident.view().catch(() => undefined)) ?? seen;
      for (const open of seen?.openDecisions ?? []) {
        const key = `${open.step} ${open.since}`;
        if (busy.has(key)) continue;
        busy.add(key);
        // A gate's approval is given up when the run does not take it, a retry is given anew at the next opening.
        this.decide(open, interludes).catch((error: unknown) => {
          this.trouble ??= error;
        });
      }
      await new Promise((later) => setTimeout(later, LOOK_EVERY_MS));
    }
    this.ended = true;
    await Promise.all(this.mending);
    if (this.trouble !== undefined) throw this.trouble;
    return this.incident.result();
  }

  private async decide(open: OpenDecision, interludes: readonly Interludes[]): Promise<void> {
    const { gate, step, question } = open;
    if (gate === undefined) {
      this.retried.push(`${step} (${question})`);
      await this.insist(() => this.retry(step), step);
      return;
    }
    for (const { beforeApproval } of interludes) await beforeApproval?.(gate);
    await this.insist(() => this.incident.approve(gate), gate);
    this.approvals.push({ gate, at: new Date().toISOString() });
    for (const { afterApproval } of interludes) await afterApproval?.(gate);
  }

  private async retry(step: string): Promise<void> {
    const why = ['--reason', 'what it needs is back'];
    const { code, stderr } = await this.incident.muster('retry', SYSTEM, step, '--by', COMMANDER, ...why);
    if (code !== 0) throw new Error(stderr);
  }

  /** People give the same command again when it was not answered. */
  private async insist(act: () => Promise<void>, what: string): Promise<void> {
    for (let attempt = 1; ; attempt++) {
      try {
        await act();
        return;
      } catch (error) {
        // The answer to an attempt before was lost on its way back, and it counts.
        if (/is decided already: approved by /.test(String(error))) return;
        if (this.ended) return;
        if (attempt >= 8) throw new Error(`${what} was not accepted: ${String(error)}`);
        await new Promise((later) => setTimeout(later, 500));
      }
    }
  }

  /** What the run waits for in Temporal, why its last attempt failed, and why its worker stumbled over it. */
  private async pending(): Promise<string> {
    const { client } = this.incident;
    const converter = client.options.loadedDataConverter;
    const handle = client.workflow.getHandle(WORKFLOW);
    const found = await handle.describe();
    const waits = Object.entries(await readActivity(converter, found)).map(
      ([step, { attempt, lastFailure, progress }]) =>
        `${step} attempt ${attempt}, ${progress?.text ?? 'silent'}: ${lastFailure ?? ''}`,
    );
    const hands = (found.raw.pendingActivities ?? []).map(
      ({ activityId, lastWorkerIdentity }) => `${activityId} with ${lastWorkerIdentity || 'nobody'}`,
    );
    const { events } = await handle.fetchHistory();
    const failed = (events ?? []).flatMap(
      ({ workflowTaskFailedEventAttributes: attributes }) => attributes ?? [],
    );
    const stumbles = await Promise.all(
      failed
        .slice(-2)
        .map(async ({ failure }) => `its worker: ${await messageOfFailure(converter, failure)}`),
    );
    return [...waits, ...hands, ...stumbles].join('; ') || 'nothing is pending';
  }

  private async isOver(): Promise<boolean> {
    const found: WorkflowExecutionDescription | undefined = await this.incident.client.workflow
      .getHandle(WORKFLOW)
      .describe()
      .catch(() => undefined);
    return found !== undefined && found.status.name !== 'RUNNING';
  }

  async strike(): Promise<void> {
    await this.incident.close();
    await Promise.allSettled(this.workers.map((worker) => worker.stop()));
    await this.selfHosted?.stop();
    await downLab(this.lab.dir, { log: () => undefined });
  }
}

function progressOf(seen: RunView | undefined): string {
  return seen?.steps.map(({ name, status }) => `${name} ${status}`).join(', ') ?? 'it never answered';
}

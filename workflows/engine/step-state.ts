/** What the engine knows of one step of a run. */
import type { CancellationScope } from '@temporalio/workflow';
import type { Summarised } from '../../activities/contract.js';
import type { AdoptedStep } from '../../src/model/adoption.js';
import type { Approval } from '../../src/model/decision.js';
import type { WordsData } from '../../src/model/journal-data.js';
import type { DecisionView, FailureView, StepRecord, StepStatus, StepView } from '../../src/model/run.js';
import type { PlannedStep } from './plan.js';

export class StepState<Params> {
  private state: StepStatus = 'pending';
  private since = 0;
  private working = 0;
  private waiting = 0;
  private startedAt: number | undefined;
  private endedAt: number | undefined;

  begun = 0;
  output: Summarised | undefined;
  /** Said instead of the output's summary, once that is no longer so. */
  note: string | undefined;
  failure: FailureView | undefined;
  /** Cancels the work under way. */
  scope: CancellationScope | undefined;
  /** Ends the timers of an open gate. */
  stopWaiting: (() => void) | undefined;
  /** Settles when the work under way has ended, however it ended. Never rejects. */
  settled: Promise<void> = Promise.resolve();
  /** Its output, or what it was built on, is about to change: nothing is built on it meanwhile. */
  invalidated = false;
  /** It was under way when the server before this one was lost: it begins again even while the run is held. */
  interrupted = false;
  /** A decision is being carried out: no other is taken meanwhile. */
  decidedBy: string | undefined;
  /** Nobody decided in time: further roles may decide. */
  escalated = false;
  readonly decisions: DecisionView[] = [];
  /** Words at a gate that stand. */
  readonly approvals: Approval[] = [];
  /** People who want to go on with less than is demanded. */
  readonly overriding: Approval[] = [];
  denial: { readonly by: string; readonly reason: string } | undefined;
  /** ISO 8601: when what is asked was put this way. */
  openedAt: string | undefined;
  /** Whose word is still missing at an open gate, in words. */
  missing: string | undefined;

  constructor(readonly planned: PlannedStep<Params>) {}

  get name(): string {
    return this.planned.document.name;
  }

  get status(): StepStatus {
    return this.state;
  }

  /** What needs it can begin. */
  get isOver(): boolean {
    return this.state === 'done' || this.state === 'skipped';
  }

  get isGate(): boolean {
    return this.planned.gate !== undefined;
  }

  /** Whose word stands, for the journal. */
  get words(): WordsData {
    return {
      approvals: [...this.approvals],
      overriding: [...this.overriding],
      ...(this.denial === undefined ? {} : { denial: this.denial }),
    };
  }

  /** As the journal left it; what was under way is pending, and begins again. */
  restore(known: AdoptedStep, at: number): void {
    this.state = known.status;
    this.interrupted = known.underWay;
    this.since = at;
    this.begun = known.begun;
    this.working = known.workingMs;
    this.waiting = known.waitingMs;
    this.startedAt = known.startedAt === undefined ? undefined : Date.parse(known.startedAt);
    this.endedAt = known.endedAt === undefined ? undefined : Date.parse(known.endedAt);
    this.output = known.output;
    this.note = known.note;
    this.failure = known.failure;
    this.openedAt = known.openedAt;
    this.denial = known.denial;
    this.decisions.push(...known.decisions);
    this.approvals.push(...known.approvals);
    this.overriding.push(...known.overriding);
  }

  /** Moves the step on and keeps its working and waiting time. */
  become(status: StepStatus, at: number): void {
    this.settleTime(at);
    this.state = status;
    if (status === 'waiting') this.askAnew(at);
    else this.endWaiting();
    if (status === 'running' || status === 'waiting') {
      this.startedAt ??= at;
      this.endedAt = undefined;
    } else if (status === 'pending') {
      this.endedAt = undefined;
    } else {
      this.endedAt = at;
    }
  }

  /** What is asked is another question from now on: no word given before counts. */
  askAnew(at: number): void {
    this.openedAt = new Date(at).toISOString();
    this.approvals.length = 0;
    this.overriding.length = 0;
    this.denial = undefined;
  }

  approve(approval: Approval): void {
    this.denial = undefined;
    this.approvals.push(approval);
  }

  deny(by: string, reason: string): void {
    this.approvals.length = 0;
    this.overriding.length = 0;
    this.denial = { by, reason };
  }

  hasWordOf(by: string): boolean {
    return this.denial?.by === by || [...this.approvals, ...this.overriding].some((word) => word.by === by);
  }

  withdraw(by: string): void {
    if (this.denial?.by === by) this.denial = undefined;
    for (const words of [this.approvals, this.overriding]) {
      const index = words.findIndex((word) => word.by === by);
      if (index >= 0) words.splice(index, 1);
    }
  }

  /** Its output and failure are of no use any more. */
  forget(): void {
    this.output = undefined;
    this.failure = undefined;
    this.note = undefined;
  }

  /** Nobody is reminded any more, and nothing happens by itself. */
  endWaiting(): void {
    this.stopWaiting?.();
    this.stopWaiting = undefined;
  }

  view(at: number): StepView {
    this.settleTime(at);
    const { document } = this.planned;
    const summary = this.note ?? this.output?.summary ?? this.failure?.message;
    return {
      name: document.name,
      title: document.title,
      kind: document.kind,
      effect: document.effect,
      needs: document.needs,
      restores: document.restores,
      status: this.state,
      budgetMs: document.budgetMs,
      begun: this.begun,
      workingMs: this.working,
      waitingMs: this.waiting,
      decisions: [...this.decisions],
      ...(this.startedAt === undefined ? {} : { startedAt: new Date(this.startedAt).toISOString() }),
      ...(this.endedAt === undefined ? {} : { endedAt: new Date(this.endedAt).toISOString() }),
      ...(summary === undefined ? {} : { summary }),
      ...(this.failure === undefined ? {} : { failure: this.failure }),
      ...(document.gate === undefined ? {} : { gate: document.gate }),
    };
  }

  /** For the journal: what a new server has to know of the step's time. */
  record(at: number): StepRecord {
    const { begun, workingMs, waitingMs, startedAt, endedAt } = this.view(at);
    return {
      begun,
      workingMs,
      waitingMs,
      ...(startedAt === undefined ? {} : { startedAt }),
      ...(endedAt === undefined ? {} : { endedAt }),
    };
  }

  private settleTime(at: number): void {
    const passed = Math.max(0, at - this.since);
    if (this.state === 'running') this.working += passed;
    else if (this.state === 'waiting') this.waiting += passed;
    this.since = at;
  }
}

/**
 * Runs a plan: whatever is ready begins, people are asked at gates and when a step fails for good, and everything is
 * visible at once. What a scenario does stands in the scenario; how any run behaves stands here.
 */
import { ActivityFailure, CancellationScope, condition, isCancellation } from '@temporalio/workflow';
import type { JournalEntry, Summarised } from '../../activities/contract.js';
import type { Decision } from '../../src/model/decision.js';
import { formatDuration } from '../../src/model/format.js';
import type { StepData } from '../../src/model/journal-data.js';
import type { DecisionView, RunInput, RunStatus, RunView, Warning } from '../../src/model/run.js';
import type { Runbook } from '../../src/runbook/schema.js';
import { goOn, restoreRun } from './adopted.js';
import { Beside } from './beside.js';
import { BreachWatch, breachInWords, forecastBreach } from './breach-watch.js';
import { type Budget, watchBudget } from './budget.js';
import { Calls } from './calls.js';
import { Chronicle, type EntryDetails } from './chronicle.js';
import { RunClock } from './clock.js';
import { closeRun, writeReport } from './closing.js';
import { Command } from './command.js';
import { describeFailure } from './failure.js';
import { openGate } from './gates.js';
import type { JournalWriter } from './journal-writer.js';
import { NoticeBoard } from './notices.js';
import { stepFailed } from './notices-of-decisions.js';
import { budgetUsed, started } from './notices-of-run.js';
import type { Plan } from './plan.js';
import { REPORT_STEP } from './plan-builder.js';
import { Publisher } from './publish.js';
import { viewOf } from './run-view.js';
import { StepState } from './step-state.js';
import { undoEverything } from './undo.js';

/** How long the record may hold up what cannot be taken back: long enough for another worker where one has died. */
const INTENT_MS = 30_000;

export class Run<Params> {
  readonly steps: readonly StepState<Params>[];
  readonly calls: Calls<Params>;
  readonly chronicle: Chronicle;
  /** The request to abort, once it was accepted. */
  abortedBy: { readonly by: string; readonly reason: string } | undefined;

  readonly command: Command;
  readonly notices: NoticeBoard;
  readonly clock: RunClock;
  private readonly beside = new Beside();
  private readonly publisher = new Publisher(
    this.beside,
    () => this.view(),
    () => this.breaches.look(),
  );
  private readonly breaches = new BreachWatch(
    () => this.view(),
    (breach) => {
      this.warn(breachInWords(breach));
      this.notices.tell(forecastBreach(breach));
    },
  );
  private readonly byName: ReadonlyMap<string, StepState<Params>>;
  /** Milliseconds since 1970 at which a component was back. */
  readonly componentsBackAt = new Map<string, number>();
  /** Steps that worked, in the order in which they began: what an abort undoes, newest first. */
  readonly beginning: StepState<Params>[] = [];
  private stopRtoWatch: () => void = () => undefined;
  ended: { readonly status: RunStatus; readonly at: number } | undefined;
  /** All is done or undone: nothing can be decided any more. */
  closing = false;
  private undoing = false;
  private changed = true;
  private fatal: unknown;

  constructor(
    readonly plan: Plan<Params>,
    readonly input: RunInput<Runbook, Params>,
  ) {
    this.steps = plan.steps.map((planned) => new StepState(planned));
    this.byName = new Map(this.steps.map((step) => [step.name, step]));
    const { adoption } = input;
    const startedAt = adoption === undefined ? Date.now() : Date.parse(adoption.startedAt);
    this.clock = new RunClock(Date.parse(input.detectedAt), startedAt, plan.document.rtoMs);
    this.calls = new Calls(input, plan.document);
    this.chronicle = new Chronicle(this.beside, this.calls, input);
    this.command = new Command(input.commander, this.chronicle);
    this.notices = new NoticeBoard({
      input,
      view: () => this.view(),
      note: (text, step) => this.record('notice', text, step === undefined ? {} : { step }),
    });
    if (adoption !== undefined) restoreRun(this, adoption);
  }

  /** Runs the plan to its end. Returns when the run is recovered or aborted, closed and reported. */
  async execute(): Promise<RunView> {
    const { plan, input } = this;
    if (input.adoption === undefined) this.recordStart();
    else goOn(this, input.adoption);
    if (!this.clock.stopped) {
      const usedMs = Date.now() - Date.parse(input.detectedAt);
      this.stopRtoWatch = this.watch({ label: 'RTO', budgetMs: plan.document.rtoMs, usedMs }, (text) => {
        this.warn(text);
        this.notices.tell(budgetUsed(text));
      });
    }
    while (this.abortedBy === undefined && !this.finished) {
      this.beginReady();
      this.publish();
      await condition(() => this.changed);
      this.changed = false;
      if (this.fatal !== undefined) throw this.fatal;
    }
    let status: RunStatus = 'recovered';
    if (this.abortedBy !== undefined) {
      this.undoing = true;
      this.turned();
      status = (await undoEverything(this)) ? 'aborted' : 'failed';
    }
    this.closing = true;
    this.stopRtoWatch();
    this.breaches.stop();
    return closeRun(this, status);
  }

  private recordStart(): void {
    const { plan, input } = this;
    const { scenario, system } = plan.document;
    this.record('run-started', `${scenario} of ${system} (${input.mode}), detected ${input.detectedAt}`, {
      by: input.requestedBy,
      facts: [
        { label: 'plan', value: input.planHash },
        { label: 'commander', value: input.commander },
      ],
      data: { scenario, input },
    });
    this.notices.tell(started());
  }

  get warnings(): readonly Warning[] {
    return this.chronicle.warnings;
  }

  get journal(): JournalWriter {
    return this.chronicle.journal;
  }

  step(name: string): StepState<Params> | undefined {
    return this.byName.get(name);
  }

  /** A step that failed and says that it has done nothing has not passed it. */
  get pointOfNoReturnPassed(): boolean {
    return this.steps.some(
      (step) => step.planned.document.pointOfNoReturn && step.begun > 0 && step.failure?.nothingDone !== true,
    );
  }

  /** Wakes the engine after a decision. */
  wake(): void {
    this.changed = true;
  }

  /** From here on nothing begins, nothing is decided and no gate does anything by itself; the engine undoes. */
  requestAbort(by: string, reason: string): void {
    this.abortedBy = { by, reason };
    for (const step of this.steps) step.endWaiting();
    this.wake();
  }

  warn(text: string, step?: string): void {
    this.chronicle.warn(text, step);
    this.publish();
  }

  /** Writes an entry into the journal. */
  record(kind: JournalEntry['kind'], text: string, details?: EntryDetails): void {
    this.chronicle.record(kind, text, details);
  }

  refused(decision: Decision, channel: DecisionView['channel'], why: string): void {
    this.chronicle.refused(decision, channel, why);
    if (channel === 'signal') this.warn(`A signal was refused. ${why}`);
  }

  /** What a new server has to know of a step that has moved on. */
  recordOf(step: StepState<Params>): StepData {
    const now = Date.now();
    const { workingMs, waitingMs, actualMs } = this.clock.view(now);
    return {
      step: step.record(now),
      clock: { workingMs, waitingMs, ...(actualMs === undefined ? {} : { actualMs }) },
      ...(step.output === undefined ? {} : { output: step.output }),
      ...(step.failure === undefined ? {} : { failure: step.failure }),
      ...(step.note === undefined ? {} : { note: step.note }),
    };
  }

  inputsOf(step: StepState<Params>): Readonly<Record<string, unknown>> {
    return this.outputsFor(step.planned.inputs);
  }

  /** @param inputs key -> name of the step whose output it is */
  outputsFor(inputs: Readonly<Record<string, string>>): Readonly<Record<string, unknown>> {
    return Object.fromEntries(
      Object.entries(inputs).map(([key, name]) => [key, this.byName.get(name)?.output]),
    );
  }

  /** Puts a failed step back: it begins again at once. */
  beginAgain(step: StepState<Params>): void {
    step.failure = undefined;
    step.become('pending', Date.now());
    this.turned();
  }

  finish(step: StepState<Params>, output: Summarised): void {
    const now = Date.now();
    step.output = output;
    step.failure = undefined;
    step.become('done', now);
    this.passed(step, now);
    this.record('step-done', output.summary, { step: step.name, data: this.recordOf(step) });
    this.turned();
  }

  /** A person goes on without it. */
  skip(step: StepState<Params>, note: string): void {
    const now = Date.now();
    step.note = note;
    step.become('skipped', now);
    this.passed(step, now);
    this.record('step-skipped', note, { step: step.name, data: this.recordOf(step) });
    this.turned();
  }

  private passed(step: StepState<Params>, now: number): void {
    for (const component of Object.keys(this.plan.document.components)) {
      const needed = this.steps.filter((other) => other.planned.document.restores.includes(component));
      if (!this.componentsBackAt.has(component) && needed.every((other) => other.isOver)) {
        this.componentsBackAt.set(component, now);
      }
    }
    if (step.name === this.plan.document.serviceRestoredBy) {
      this.clock.serviceRestored(now);
      this.stopRtoWatch();
      this.breaches.stop();
    }
  }

  view(): RunView {
    return viewOf(this);
  }

  get status(): RunStatus {
    if (this.ended !== undefined) return this.ended.status;
    if (this.undoing) return 'undoing';
    const working = this.steps.some((step) => step.status === 'running');
    return !working && this.awaitsPeople ? 'waiting' : 'running';
  }

  private get awaitsPeople(): boolean {
    return this.command.hold !== undefined || this.steps.some((step) => step.status === 'waiting');
  }

  private get finished(): boolean {
    return this.steps.every((step) => step.isOver);
  }

  private get reportReady(): boolean {
    return this.steps.every((step) => step.name === REPORT_STEP || step.isOver);
  }

  /** What is about to change counts as not done: whatever began now would be built on what is replaced. */
  private stands(name: string): boolean {
    const step = this.byName.get(name);
    return step?.isOver === true && !step.invalidated;
  }

  private beginReady(): void {
    for (const step of this.steps) {
      // What a hold finds under way goes on to its end, on whatever server.
      if (this.command.hold !== undefined && !step.interrupted) continue;
      const ready =
        step.name === REPORT_STEP
          ? this.reportReady
          : step.planned.document.needs.every((need) => this.stands(need));
      if (step.status !== 'pending' || step.invalidated || !ready) continue;
      if (step.isGate) openGate(this, step);
      else step.settled = this.work(step);
    }
  }

  private async work(step: StepState<Params>): Promise<void> {
    const { document } = step.planned;
    step.begun += 1;
    step.interrupted = false;
    step.become('running', Date.now());
    if (!this.beginning.includes(step)) this.beginning.push(step);
    this.turned();
    const stop = this.watch({ label: step.name, budgetMs: document.budgetMs, usedMs: 0 }, (text, percent) => {
      this.warn(text, step.name);
      if (percent === 100) this.notices.tell(budgetUsed(text, step.name));
    });
    const scope = new CancellationScope();
    step.scope = scope;
    try {
      await this.announce(step);
      const output = await scope.run(async () => this.act(step));
      // What came to its end although it was to be stopped is done all the same; an abort undoes it.
      if (step.invalidated) step.output = output;
      else this.finish(step, output);
    } catch (error) {
      this.failed(step, error);
    } finally {
      step.scope = undefined;
      stop();
      this.turned();
    }
  }

  // What cannot be taken back is in the journal before it is done; anything else is written beside the work. Temporal's
  // history holds every entry in any case, so a record that nobody takes does not hold a recovery up.
  private async announce(step: StepState<Params>): Promise<void> {
    const { document } = step.planned;
    const irrevocable = ['fence', 'promotion', 'cutover'].includes(document.kind);
    this.record(irrevocable ? 'step-intent' : 'step-started', document.title, {
      step: step.name,
      data: this.recordOf(step),
    });
    const patienceMs = Math.min(INTENT_MS, document.budgetMs / 10);
    if (!irrevocable || (await this.journal.flush(patienceMs))) return;
    this.warn(
      `${step.name} goes on although neither store nor spool has taken its intent for ${formatDuration(patienceMs)}: Temporal's history holds it, and the journal follows`,
      step.name,
    );
  }

  private act(step: StepState<Params>): Promise<Summarised> {
    if (step.planned.do !== undefined)
      return step.planned.do(this.calls.contextFor(step), this.inputsOf(step));
    return writeReport(this, step, 'recovered');
  }

  private failed(step: StepState<Params>, error: unknown): void {
    if ((step.invalidated || this.abortedBy !== undefined) && isCancellation(error)) return;
    if (!(error instanceof ActivityFailure)) {
      // A fault in the code: the workflow task fails and is tried again with a mended worker.
      this.fatal = error;
      return;
    }
    step.failure = describeFailure(error, Date.now(), step.begun);
    step.become('waiting', Date.now());
    this.notices.tell(stepFailed(step.name));
    this.record('step-failed', step.failure.message, {
      step: step.name,
      facts: [
        { label: 'code', value: step.failure.code },
        { label: 'next', value: step.failure.next },
      ],
      data: this.recordOf(step),
    });
  }

  /** Nothing can change any more. */
  end(status: RunStatus): void {
    this.ended = { status, at: Date.now() };
    this.clock.change(this.ended.at, { working: false, waiting: false });
    this.publisher.publishNow();
  }

  outputs(): Readonly<Record<string, Summarised>> {
    return Object.fromEntries(
      this.steps.flatMap((step) => (step.output === undefined ? [] : [[step.name, step.output]])),
    );
  }

  /** Something has changed: the clock is set, and the engine looks what can begin. */
  turned(): void {
    this.changed = true;
    this.clock.change(Date.now(), {
      working: this.undoing || this.steps.some((step) => step.status === 'running'),
      waiting: this.awaitsPeople,
    });
  }

  publish(): void {
    this.publisher.publish();
  }

  /** See `watchBudget`. */
  watch(budget: Budget, warn: (text: string, percent: number) => void): () => void {
    return watchBudget(this.beside, budget, warn);
  }
}

/**
 * What is known of a run, and how it moves on: every transition sets the clock, is written down and is visible at once. What
 * begins when stands in `execute.ts`, what happens to one step in `work.ts`.
 */
import type { JournalEntry, Summarised } from '../../activities/contract.js';
import type { Decision } from '../../src/model/decision.js';
import type { DecisionView, RunInput, RunStatus, RunView, Warning } from '../../src/model/run.js';
import type { Runbook } from '../../src/runbook/schema.js';
import { restoreRun } from './adopted.js';
import { Beside } from './beside.js';
import { BreachWatch, breachInWords, forecastBreach } from './breach-watch.js';
import { type Budget, watchBudget } from './budget.js';
import { Calls } from './calls.js';
import { Chronicle, type EntryDetails } from './chronicle.js';
import { RunClock } from './clock.js';
import { Command } from './command.js';
import { noteComponentsBack } from './components.js';
import type { JournalWriter } from './journal-writer.js';
import { NoticeBoard } from './notices.js';
import { budgetUsed } from './notices-of-run.js';
import type { Plan } from './plan.js';
import { ProgressWatch } from './progress-watch.js';
import { Publisher } from './publish.js';
import { viewOf } from './run-view.js';
import { dataOf } from './step-data.js';
import { StepState } from './step-state.js';
import { remindOfUpdates, updateDue, updateInWords } from './updates.js';

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
  readonly progress = new ProgressWatch(
    () => this.calls.readProgress(),
    () => this.publish(),
  );
  private readonly breaches = new BreachWatch(
    () => this.view(),
    (nowMs) => this.progress.at(nowMs),
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
  /** What people have replaced inputs with, by name. */
  readonly changedTo = new Map<string, string>();
  private stopRtoWatch: () => void = () => undefined;
  private stopUpdates: () => void = () => undefined;
  ended: { readonly status: RunStatus; readonly at: number } | undefined;
  /** All is done or undone: nothing can be decided any more. */
  closing = false;
  /** Something may have become ready since the engine looked. */
  changed = true;
  /** A fault in the code, not in what it is about: the workflow task fails and is tried again with a mended worker. */
  fatal: unknown;
  private undoing = false;

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

  /** Says how much of the RTO is used, until the service is back or the run ends. */
  watchRto(): void {
    if (this.clock.stopped) return;
    const usedMs = Date.now() - Date.parse(this.input.detectedAt);
    this.stopRtoWatch = this.watch({ label: 'RTO', budgetMs: this.plan.document.rtoMs, usedMs }, (text) => {
      this.warn(text);
      this.notices.tell(budgetUsed(text));
    });
  }

  /** Reminds who commands of people outside, where the runbook asks for it. */
  watchUpdates(): void {
    const { updates } = this.input.runbook;
    if (updates === undefined || this.clock.stopped) return;
    this.stopUpdates = remindOfUpdates(updates, () => {
      this.warn(updateInWords(this.view(), updates));
      this.notices.tell(updateDue(updates, 'down'));
    });
  }

  /** The service is back, or will not be by this run: nobody is warned of the RTO any more. */
  stopWatchingRto(): void {
    this.stopRtoWatch();
    this.stopUpdates();
    this.breaches.stop();
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
    this.record('step-done', output.summary, { step: step.name, data: dataOf(this, step) });
    this.turned();
  }

  /** A person goes on without it. */
  skip(step: StepState<Params>, note: string): void {
    const now = Date.now();
    step.note = note;
    step.become('skipped', now);
    this.passed(step, now);
    this.record('step-skipped', note, { step: step.name, data: dataOf(this, step) });
    this.turned();
  }

  private passed(step: StepState<Params>, now: number): void {
    noteComponentsBack(this, now);
    if (step.name === this.plan.document.serviceRestoredBy) {
      this.clock.serviceRestored(now);
      this.stopWatchingRto();
      const { updates } = this.input.runbook;
      if (updates !== undefined) this.notices.tell(updateDue(updates, 'back'));
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

  /** From here on what was begun is taken back. */
  beginUndoing(): void {
    this.undoing = true;
    this.turned();
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

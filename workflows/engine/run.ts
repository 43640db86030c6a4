/**
 * Runs a plan: whatever is ready begins, people are asked at gates and when a step fails for good, and everything is
 * visible at once. What a scenario does stands in the scenario; how any run behaves stands here.
 */
import { ActivityFailure, CancellationScope, condition, isCancellation } from '@temporalio/workflow';
import type { MusterActivities, StepRef, Summarised } from '../../activities/contract.js';
import { formatDuration } from '../../src/model/format.js';
import type { RunInput, RunStatus, RunView, Warning } from '../../src/model/run.js';
import type { Runbook } from '../../src/runbook/schema.js';
import { Beside } from './beside.js';
import { type Budget, watchBudget } from './budget.js';
import { RunClock } from './clock.js';
import { describeFailure } from './failure.js';
import { openGate } from './gates.js';
import { labelledActivities, type Policy } from './io.js';
import { JournalWriter } from './journal-writer.js';
import { type Plan, REPORT_STEP, type StepContext } from './plan.js';
import { Publisher } from './publish.js';
import { ancestorsOf } from './rules.js';
import { viewOf } from './run-view.js';
import { StepState } from './step-state.js';
import { undoEverything } from './undo.js';

/** How long the record may hold up what cannot be taken back: long enough for another worker where one has died. */
const INTENT_MS = 30_000;
/** What is shown of warnings; the journal holds all of them. */
const MOST_WARNINGS = 200;

export class Run<Params> {
  readonly steps: readonly StepState<Params>[];
  readonly warnings: Warning[] = [];
  readonly journal: JournalWriter;
  /** The request to abort, once it was accepted. */
  abortedBy: { readonly by: string; readonly reason: string } | undefined;

  readonly clock: RunClock;
  private readonly beside = new Beside();
  private readonly publisher = new Publisher(this.beside, () => this.view());
  private readonly byName: ReadonlyMap<string, StepState<Params>>;
  /** Milliseconds since 1970 at which a component was back. */
  readonly componentsBackAt = new Map<string, number>();
  /** Steps that worked, in the order in which they began: what an abort undoes, newest first. */
  readonly beginning: StepState<Params>[] = [];
  private readonly startedAt = Date.now();
  private activityCount = 0;
  private stopRtoWatch: () => void = () => undefined;
  ended: { readonly status: RunStatus; readonly at: number } | undefined;
  /** All is done or undone: nothing can be decided any more. */
  closing = false;
  private undoing = false;
  private undoFailed = false;
  private changed = true;
  private fatal: unknown;

  constructor(
    readonly plan: Plan<Params>,
    readonly input: RunInput<Runbook, Params>,
  ) {
    this.steps = plan.steps.map((planned) => new StepState(planned));
    this.byName = new Map(this.steps.map((step) => [step.name, step]));
    this.clock = new RunClock(Date.parse(input.detectedAt), this.startedAt, plan.document.rtoMs);
    const { runId, mode } = input;
    const { system, scenario } = plan.document;
    this.journal = new JournalWriter(this.beside, (entries) =>
      this.activities('record', 'journal', `journal: ${entries.at(-1)?.text ?? ''}`).appendJournal({
        run: { runId, system, scenario, mode },
        entries,
      }),
    );
  }

  /** Runs the plan to its end. Returns when the run is recovered or aborted, closed and reported. */
  async execute(): Promise<RunView> {
    const { plan, input } = this;
    this.journal.add({
      kind: 'run-started',
      by: input.requestedBy,
      text: `${plan.document.scenario} of ${plan.document.system} (${input.mode}), detected ${input.detectedAt}`,
      facts: [{ label: 'plan', value: input.planHash }],
    });
    const usedMs = this.startedAt - Date.parse(input.detectedAt);
    this.stopRtoWatch = this.watch({ label: 'RTO', budgetMs: plan.document.rtoMs, usedMs }, (text) =>
      this.warn(text),
    );
    while (this.abortedBy === undefined && !this.finished) {
      this.beginReady();
      this.publish();
      await condition(() => this.changed);
      this.changed = false;
      if (this.fatal !== undefined) throw this.fatal;
    }
    if (this.abortedBy !== undefined) {
      this.undoing = true;
      this.turned();
      this.undoFailed = !(await undoEverything(this));
    }
    return this.close();
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
    const at = new Date(Date.now()).toISOString();
    this.warnings.push({ at, text });
    // A view has to fit into a message: of many the first and the last are shown.
    if (this.warnings.length > MOST_WARNINGS) {
      const leftOut = { at, text: 'There were more warnings here: the journal holds all of them.' };
      this.warnings.splice(MOST_WARNINGS / 2, 2, leftOut);
    }
    this.journal.add({ kind: 'warning', text, facts: [], ...(step === undefined ? {} : { step }) });
    this.publish();
  }

  inputsOf(step: StepState<Params>): Readonly<Record<string, unknown>> {
    return Object.fromEntries(
      Object.entries(step.planned.inputs).map(([key, name]) => [key, this.byName.get(name)?.output]),
    );
  }

  contextFor(step: StepState<Params>, purpose: 'do' | 'undo' = 'do'): StepContext<Params> {
    const { title } = step.planned.document;
    // What the activity ids begin with.
    const label = purpose === 'do' ? step.name : `undo-${step.name}`;
    const of = (policy: Policy) =>
      this.activities(purpose === 'do' ? policy : 'undo', label, `${label}: ${title}`);
    return {
      at: this.refOf(step.name),
      params: this.input.params,
      quick: of('quick'),
      long: of('long'),
      careful: of('careful'),
    };
  }

  /**
   * Replaces a step's output: everything built on the old one that has begun is done again, and asked again.
   *
   * @param gate at which it is replaced
   * @returns false when the run was aborted meanwhile: then everything stays as it was
   */
  async replaceOutput(name: string, output: Summarised, gate: StepState<Params>): Promise<boolean> {
    const revised = this.byName.get(name);
    if (revised === undefined) return false;
    const documents = this.plan.document.steps;
    const affected = this.steps.filter(
      (step) => step !== gate && step.begun > 0 && ancestorsOf(documents, step.name).has(name),
    );
    for (const step of [revised, ...affected]) step.invalidated = true;
    for (const step of affected) step.scope?.cancel();
    await Promise.all(affected.map((step) => step.settled));
    for (const step of [revised, ...affected]) step.invalidated = false;
    if (this.abortedBy !== undefined) return false;
    revised.output = output;
    for (const step of affected) {
      step.output = undefined;
      step.failure = undefined;
      step.become('pending', Date.now());
      this.journal.add({
        kind: 'step-invalidated',
        step: step.name,
        text: `done again, ${name} has changed`,
        facts: [],
      });
    }
    this.turned();
    return true;
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
    step.become('done', now);
    this.journal.add({ kind: 'step-done', step: step.name, text: output.summary, facts: [] });
    for (const component of Object.keys(this.plan.document.components)) {
      const needed = this.steps.filter((other) => other.planned.document.restores.includes(component));
      if (!this.componentsBackAt.has(component) && needed.every((other) => other.status === 'done')) {
        this.componentsBackAt.set(component, now);
      }
    }
    if (step.name === this.plan.document.serviceRestoredBy) {
      this.clock.serviceRestored(now);
      this.stopRtoWatch();
    }
    this.turned();
  }

  view(): RunView {
    return viewOf(this);
  }

  get status(): RunStatus {
    if (this.ended !== undefined) return this.ended.status;
    if (this.undoing) return 'undoing';
    const working = this.steps.some((step) => step.status === 'running');
    return !working && this.steps.some((step) => step.status === 'waiting') ? 'waiting' : 'running';
  }

  private get finished(): boolean {
    return this.steps.every((step) => step.status === 'done' || step.status === 'skipped');
  }

  private get reportReady(): boolean {
    return this.steps.every(
      (step) => step.name === REPORT_STEP || step.status === 'done' || step.status === 'skipped',
    );
  }

  /** What is about to change counts as not done: whatever began now would be built on what is replaced. */
  private stands(name: string): boolean {
    const step = this.byName.get(name);
    return step?.status === 'done' && !step.invalidated;
  }

  private beginReady(): void {
    for (const step of this.steps) {
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
    step.become('running', Date.now());
    if (!this.beginning.includes(step)) this.beginning.push(step);
    this.turned();
    const stop = this.watch({ label: step.name, budgetMs: document.budgetMs, usedMs: 0 }, (text) =>
      this.warn(text, step.name),
    );
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
    this.journal.add({
      kind: irrevocable ? 'step-intent' : 'step-started',
      step: step.name,
      text: document.title,
      facts: [],
    });
    const patienceMs = Math.min(INTENT_MS, document.budgetMs / 10);
    if (!irrevocable || (await this.journal.flush(patienceMs))) return;
    this.warn(
      `${step.name} goes on although neither store nor spool has taken its intent for ${formatDuration(patienceMs)}: Temporal's history holds it, and the journal follows`,
      step.name,
    );
  }

  private act(step: StepState<Params>): Promise<Summarised> {
    if (step.planned.do !== undefined) return step.planned.do(this.contextFor(step), this.inputsOf(step));
    return this.writeReport(step, this.view(), 'recovered');
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
    this.journal.add({
      kind: 'step-failed',
      step: step.name,
      text: step.failure.message,
      facts: [
        { label: 'code', value: step.failure.code },
        { label: 'next', value: step.failure.next },
      ],
    });
  }

  private async close(): Promise<RunView> {
    this.closing = true;
    this.stopRtoWatch();
    const aborted = this.abortedBy !== undefined;
    const status: RunStatus = !aborted ? 'recovered' : this.undoFailed ? 'failed' : 'aborted';
    const report = this.byName.get(REPORT_STEP);
    if (aborted && report !== undefined) await this.reportAborted(report, status);
    this.ended = { status, at: Date.now() };
    this.clock.change(this.ended.at, { working: false, waiting: false });
    this.journal.add({ kind: 'run-ended', text: status, facts: [] });
    this.publisher.publishNow();
    await this.journal.flush();
    const view = this.view();
    await this.activities('record', 'keep-run', 'keep the run for history and forecasts').keepRun({ view });
    return view;
  }

  private async reportAborted(report: StepState<Params>, status: RunStatus): Promise<void> {
    report.begun += 1;
    report.become('running', Date.now());
    try {
      report.output = await this.writeReport(report, this.view(), status);
      report.become('done', Date.now());
    } catch (error) {
      if (!(error instanceof ActivityFailure)) throw error;
      report.failure = describeFailure(error, Date.now(), report.begun);
      this.warn(`The report could not be written: ${report.failure.message}`, REPORT_STEP);
    }
  }

  private writeReport(step: StepState<Params>, view: RunView, status: RunStatus): Promise<Summarised> {
    return this.contextFor(step).quick.writeReport({
      at: this.refOf(step.name),
      plan: this.plan.document,
      view: { ...view, status },
      outputs: this.outputs(),
    });
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
      waiting: this.steps.some((step) => step.status === 'waiting'),
    });
  }

  publish(): void {
    this.publisher.publish();
  }

  /** See `watchBudget`. */
  watch(budget: Budget, warn: (text: string, percent: number) => void): () => void {
    return watchBudget(this.beside, budget, warn);
  }

  private activities(policy: Policy, label: string, summary: string): MusterActivities {
    return labelledActivities(policy, summary, () => {
      this.activityCount += 1;
      return `${label}.${this.activityCount}`;
    });
  }

  private refOf(step: string): StepRef {
    const { system, scenario } = this.plan.document;
    return { runId: this.input.runId, system, scenario, mode: this.input.mode, step };
  }
}

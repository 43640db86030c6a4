/** What is said about a run: the query's answer, the watch screen and the report all read this. Plain data only. */
import type { Adoption } from './adoption.js';
import type { Approval, DecisionChoice, Origin, ProofMethod } from './decision.js';
import type { Delivery } from './notice.js';
import type { Effect, GateDocument, StepKind } from './plan.js';

export type Mode = 'real' | 'drill';

export type RunStatus =
  | 'running'
  /** Nothing works; people are awaited. */
  | 'waiting'
  | 'undoing'
  | 'recovered'
  | 'aborted'
  | 'failed';

/** What the summary of a step begins with that was for another course of things. */
export const NOTHING_TO_DO = 'nothing to do';

export type StepStatus =
  | 'pending'
  | 'running'
  /** A gate that is open, or a step that failed for good: a person is awaited. */
  | 'waiting'
  | 'done'
  | 'skipped'
  | 'undone';

/** Progress of long work: the details of an activity's heartbeat. */
export interface Progress {
  readonly done: number;
  /** Absent while it is not known. */
  readonly total?: number;
  readonly unit: 'bytes' | 'rows' | 'files' | 'seconds' | 'segments' | 'resources';
  readonly ratePerSecond?: number;
  /** What is going on, for instance `replaying WAL, at 0/5A001230`. */
  readonly text: string;
}

export interface FailureView {
  readonly code: string;
  readonly message: string;
  readonly next: string;
  readonly at: string;
  readonly attempts: number;
  /** The step knows that none of its attempts has had an effect. */
  readonly nothingDone?: true;
}

/** What the journal keeps of a step's time, for whoever takes the run over. */
export interface StepRecord {
  readonly begun: number;
  readonly startedAt?: string;
  readonly endedAt?: string;
  readonly workingMs: number;
  readonly waitingMs: number;
}

export interface StepView {
  readonly name: string;
  readonly title: string;
  readonly kind: StepKind;
  readonly effect: Effect;
  readonly needs: readonly string[];
  /** Components that are not back before this step is done. */
  readonly restores: readonly string[];
  readonly status: StepStatus;
  readonly budgetMs: number;
  /** How often the step was begun: 1, and one more for each retry and each changed input. */
  readonly begun: number;
  readonly startedAt?: string;
  readonly endedAt?: string;
  /** Time with work under way, over all beginnings; people's time is not in it. */
  readonly workingMs: number;
  /** Time in which only a person could move the step. */
  readonly waitingMs: number;
  /** One line: what came out, or what is awaited. */
  readonly summary?: string;
  readonly failure?: FailureView;
  readonly gate?: GateDocument;
  readonly decisions: readonly DecisionView[];
}

/** What an approver is shown, and what the evidence keeps: label and value, one a line. */
export interface Fact {
  readonly label: string;
  readonly value: string;
}

export interface DecisionView {
  readonly choice: DecisionChoice;
  readonly by: string;
  readonly reason?: string;
  /** What was changed, in words, for instance the other recovery point. */
  readonly changed?: string;
  /** With `hand-over`: who commands from then on. */
  readonly to?: string;
  readonly at: string;
  /** How it came; `expiry`: nobody decided in time and the runbook says what happens then. */
  readonly channel: 'update' | 'signal' | 'expiry';
  /** What the approver saw when deciding. */
  readonly saw: readonly Fact[];
  /** Empty: the roster asks for no proof of this person. */
  readonly provenBy?: readonly ProofMethod[];
  readonly origin?: Origin;
}

export interface Choice {
  readonly choice: DecisionChoice;
  /** What it means, in words. */
  readonly consequence: string;
}

/** Something that waits for a person now. */
export interface OpenDecision {
  readonly step: string;
  /** The gate's name; absent for a step that failed. */
  readonly gate?: string;
  readonly question: string;
  readonly roles: readonly string[];
  readonly since: string;
  readonly expiresAt?: string;
  readonly choices: readonly Choice[];
  readonly facts: readonly Fact[];
  /** Approvals that stand. */
  readonly approvals: readonly Approval[];
  /** Whose word is still missing, in words; absent for a step that failed. */
  readonly missing?: string;
  /** Whether a code of the authenticator is asked for, beside a signature where the person has a key. */
  readonly secondFactor: boolean;
  /** Inputs that may be replaced with `approve` or `retry`: name and what is allowed. */
  readonly changes: Readonly<Record<string, string>>;
}

export interface HoldView {
  readonly by: string;
  readonly reason: string;
  readonly since: string;
}

export interface OverrideView {
  readonly on: string;
  readonly by: readonly string[];
  readonly reason: string;
  readonly at: string;
  /** What was demanded and is missing, in words. */
  readonly without: string;
}

export interface ClockView {
  readonly detectedAt: string;
  readonly startedAt: string;
  readonly targetMs: number;
  readonly deadline: string;
  /** From detection until the service was validated; absent until then. */
  readonly actualMs?: number;
  /** From detection until the run was started. */
  readonly beforeStartMs: number;
  readonly workingMs: number;
  /** Time in which nothing worked and only people were awaited. */
  readonly waitingMs: number;
}

export interface ComponentView {
  readonly name: string;
  readonly targetMs: number;
  readonly actualMs?: number;
}

export interface Warning {
  readonly at: string;
  readonly text: string;
}

/** The answer of the query `status`. */
export interface RunView {
  readonly runId: string;
  readonly system: string;
  readonly systemTitle: string;
  readonly scenario: string;
  /** The component whose RTO the run is held against. */
  readonly component: string;
  /** The step after which the service is back: the RTO clock stops there. */
  readonly serviceRestoredBy: string;
  readonly mode: Mode;
  readonly status: RunStatus;
  readonly requestedBy: string;
  /** Who commands now; handed over explicitly. */
  readonly commander: string;
  /** Nothing new begins while the run is held; the clock runs on. */
  readonly hold?: HoldView;
  /** Gates that were opened, and fences gone without, by fewer people or less proof than the runbook demands. */
  readonly overrides: readonly OverrideView[];
  /** What can be decided about the whole run now. */
  readonly steering: readonly Choice[];
  /** What could not be delivered yet, or never; all others were. */
  readonly undelivered: readonly Delivery[];
  /** Present when the run goes on from another server's journal. */
  readonly adopted?: { readonly by: string; readonly at: string };
  readonly planHash: string;
  /** Workflow time at which this view was made. */
  readonly asOf: string;
  readonly endedAt?: string;
  readonly clock: ClockView;
  readonly components: readonly ComponentView[];
  readonly steps: readonly StepView[];
  readonly openDecisions: readonly OpenDecision[];
  readonly warnings: readonly Warning[];
  readonly pointOfNoReturnPassed: boolean;
  /** In words, newest first: what an abort would undo now. Absent once a run can no longer be aborted. */
  readonly abortDoes?: string;
  /** Median and 90th percentile of past runs a step, where there are any. */
  readonly expectations: Expectations;
  readonly outcome?: string;
}

export type Expectations = Readonly<
  Record<string, { readonly medianMs: number; readonly p90Ms: number; readonly runs: number }>
>;

/** The input of every scenario workflow. */
export interface RunInput<Runbook, Params> {
  readonly runId: string;
  readonly mode: Mode;
  readonly requestedBy: string;
  /** Name on the roster; who commands until it is handed over. */
  readonly commander: string;
  readonly detectedAt: string;
  readonly planHash: string;
  readonly expectations: Expectations;
  readonly params: Params;
  readonly runbook: Runbook;
  /** Where the run had come to when its server was lost. */
  readonly adoption?: Adoption;
}

export interface CorruptionParams {
  /** The newest moment at which the data is known to be good; ISO 8601. Left out: nobody can say, and it is searched for. */
  readonly before?: string;
}

export interface TablesParams {
  /** As with the whole database. */
  readonly before?: string;
  /** `schema.table`, of those that the runbook allows. */
  readonly tables: readonly string[];
}

/** Of a scenario that needs to be told nothing. */
export interface NoParams {
  readonly before?: undefined;
}

/** Of a breach: its signs may date it, so nobody has to. */
export interface BreachParams {
  /** The newest moment at which nobody was in; ISO 8601. Left out: as the signs say. */
  readonly before?: string;
}

/** Of a recovery of files. */
export interface ObjectLossParams {
  /** The newest moment at which the files were good; ISO 8601. Left out: the bucket is lost. */
  readonly before?: string;
  /** What was written at or after it was done on purpose. */
  readonly until?: string;
  /** Only files whose key begins with it. */
  readonly prefix?: string;
  /** `deleted`: files that were overwritten stay as they are. */
  readonly damage: 'deleted' | 'changed';
}

/** What people say when they begin a recovery, whatever the scenario. */
export type ScenarioParams = CorruptionParams | BreachParams | ObjectLossParams | NoParams | TablesParams;

/** What a run ends with. */
export interface RunResult {
  readonly view: RunView;
  /** Output of each step, by name. */
  readonly outputs: Readonly<Record<string, unknown>>;
}

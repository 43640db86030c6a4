/**
 * The report of a run as data: what `report.json` holds. What a run does not have is absent, never guessed. Times are
 * ISO 8601 UTC, durations milliseconds.
 */
import type { RungCheck } from '../../activities/contract.js';
import type { DecisionChoice, Origin, ProofMethod } from '../model/decision.js';
import type { PlanDocument, StepKind } from '../model/plan.js';
import type { Fact, FailureView, Mode, RunStatus, StepStatus } from '../model/run.js';
import type { JournalHead } from '../store/chain.js';

export const REPORT_FORMAT = 'muster.report/1';

export interface ReportDocument {
  readonly format: typeof REPORT_FORMAT;
  /** Identifies the incident or the test: the run. */
  readonly id: string;
  readonly writtenAt: string;
  readonly system: string;
  readonly systemTitle: string;
  readonly scenario: string;
  readonly title: string;
  readonly mode: Mode;
  readonly status: RunStatus;
  readonly outcome?: string;
  readonly scope: { readonly components: readonly string[]; readonly dataClasses: readonly string[] };
  readonly assumptions: readonly string[];
  readonly expectedResults: readonly string[];
  readonly participants: readonly Participant[];
  readonly command: Command;
  readonly holds: readonly Hold[];
  /** What a reader must know before any figure: on the first page. */
  readonly exceptions: readonly Exception[];
  readonly clock: {
    readonly detectedAt: string;
    readonly startedAt: string;
    readonly serviceRestoredAt?: string;
    readonly beforeStartMs: number;
    readonly workingMs: number;
    /** Nothing worked and only people were awaited. */
    readonly waitingMs: number;
  };
  /** The run's own objective first, then each component's. */
  readonly rto: readonly Objective[];
  readonly rpo: readonly DataObjective[];
  readonly steps: readonly ReportStep[];
  /** Names of the steps that decided when the service was back, first to last. */
  readonly criticalPath: readonly string[];
  readonly pointOfNoReturnAt?: string;
  readonly verification: readonly Verification[];
  readonly approvals: readonly Approval[];
  readonly lost: readonly LostClass[];
  readonly deviations: readonly Deviation[];
  readonly findings: readonly Task[];
  readonly nextSteps: readonly Task[];
  /** Roles that sign off on paper. */
  readonly signOff: readonly string[];
  readonly plan: { readonly sha256: string; readonly document: PlanDocument };
  /** What every step put out, as it was. */
  readonly outputs: Readonly<Record<string, unknown>>;
  /** The end of the run's journal as it was when the report was written; absent where the store did not answer. */
  readonly journal?: JournalHead;
  readonly signing: { readonly algorithm: 'Ed25519'; readonly publicKeySha256: string };
}

export interface Participant {
  readonly name: string;
  /** In words: `asked for the run`, `approved gate-point`. */
  readonly part: readonly string[];
}

export interface Command {
  readonly requestedBy: string;
  /** At the end. */
  readonly commander: string;
  readonly handOvers: readonly {
    readonly at: string;
    readonly by: string;
    readonly to?: string;
    readonly reason?: string;
  }[];
  /** The run went on from the journal of a server that was lost. */
  readonly adopted?: { readonly by: string; readonly at: string };
}

export interface Hold {
  readonly by: string;
  readonly reason: string;
  readonly since: string;
  /** Absent where the run ended held. */
  readonly until?: string;
  readonly resumedBy?: string;
}

export interface Exception {
  /**
   * `overridden`: fewer people, or a fence without proof. `undecided`: the runbook went on because nobody decided.
   * `skipped`: a step was gone without. `unproven`: nothing proves whose word it was.
   */
  readonly kind: 'overridden' | 'undecided' | 'skipped' | 'unproven';
  /** Gate, step, or person. */
  readonly on: string;
  readonly at: string;
  readonly text: string;
}

export interface Objective {
  readonly of: 'run' | 'component';
  readonly name: string;
  readonly targetMs: number;
  readonly actualMs?: number;
  readonly met: boolean;
}

export interface DataObjective {
  readonly dataClass: string;
  readonly targetMs: number;
  /** Absent where it could not be measured: `method` says why. */
  readonly actualMs?: number;
  readonly met: boolean;
  readonly lostRecords?: number;
  readonly method: string;
}

export interface ReportStep {
  readonly name: string;
  readonly title: string;
  readonly kind: StepKind;
  readonly status: StepStatus;
  readonly startedAt?: string;
  readonly endedAt?: string;
  readonly budgetMs: number;
  readonly workingMs: number;
  readonly waitingMs: number;
  readonly begun: number;
  /** By how much it took longer than its budget, people's time left out except at gates. */
  readonly overBudgetMs?: number;
  readonly summary?: string;
  readonly failure?: FailureView;
}

export interface Verification extends RungCheck {
  readonly step: string;
}

export interface Approval {
  /** Where it was written down. */
  readonly step: string;
  /** What it was about: the step, or `run`. */
  readonly on: string;
  readonly title: string;
  readonly roles: readonly string[];
  readonly choice: DecisionChoice;
  readonly by: string;
  readonly at: string;
  readonly channel: 'update' | 'signal' | 'expiry';
  readonly reason?: string;
  readonly changed?: string;
  readonly to?: string;
  readonly saw: readonly Fact[];
  /** Empty: the roster asks for no proof of this person. Absent: nobody decided, or it was not written down. */
  readonly provenBy?: readonly ProofMethod[];
  readonly origin?: Origin;
}

export interface LostClass {
  readonly dataClass: string;
  readonly records: number;
  /** Whether `listed` names every one of them. */
  readonly complete: boolean;
  readonly listed: readonly { readonly id: string; readonly at?: string }[];
}

export interface Deviation {
  readonly kind:
    | 'failed'
    | 'repeated'
    | 'over-budget'
    | 'denied'
    | 'changed'
    | 'skipped'
    | 'undone'
    | 'not-reached'
    | 'warning'
    | 'held'
    | 'handed-over'
    | 'withdrawn'
    | 'overridden'
    | 'taken-over'
    | 'plan';
  readonly step?: string;
  readonly at?: string;
  readonly text: string;
}

/** Something that has to be done or looked into. Due dates are set by people, at the review. */
export interface Task {
  readonly text: string;
  /** A role, never a person. */
  readonly owner: string;
}

/** Several systems recovered together: what their parent is told, and what it says of them. Plain data only. */
import type { Mode, RunInput, RunStatus, ScenarioParams } from './run.js';

export interface SystemToRecover<Runbook> {
  readonly system: string;
  readonly title: string;
  /** 1 is begun first. */
  readonly tier: number;
  /** Systems of the same undertaking that are begun before this one. */
  readonly dependsOn: readonly string[];
  readonly input: RunInput<Runbook, ScenarioParams>;
  readonly component: string;
  readonly targetMs: number;
  /** What the Temporal UI shows of the run. */
  readonly summary: string;
  readonly details: string;
}

export interface RecoverAllInput<Runbook> {
  readonly id: string;
  readonly scenario: string;
  readonly mode: Mode;
  readonly requestedBy: string;
  /** Systems that may work at the same time. */
  readonly atOnce: number;
  readonly systems: readonly SystemToRecover<Runbook>[];
}

/** What a run tells the workflow that began it, whenever it changes. */
export interface RunReport {
  readonly runId: string;
  readonly status: RunStatus;
  /** Steps that work now. */
  readonly works: readonly string[];
  readonly waits: readonly WaitingFor[];
  readonly held: boolean;
  /** From detection until the service was validated; absent until then. */
  readonly backAfterMs?: number;
}

export interface WaitingFor {
  /** The gate's name, or the step that failed. */
  readonly on: string;
  readonly failed: boolean;
  /** Whose word is awaited, in words. */
  readonly whom: string;
  readonly since: string;
}

/** `pending`: not begun; `refused`: it could not be begun, `problem` says why; `broken-off`: it ended without a result. */
export type SystemState = 'pending' | RunStatus | 'refused' | 'broken-off';

export interface SystemStanding {
  readonly system: string;
  readonly title: string;
  readonly tier: number;
  readonly dependsOn: readonly string[];
  readonly runId: string;
  readonly workflowId: string;
  readonly state: SystemState;
  /** Why it has not begun, or what is wrong. */
  readonly because?: string;
  readonly component: string;
  readonly targetMs: number;
  readonly detectedAt: string;
  readonly works: readonly string[];
  readonly waits: readonly WaitingFor[];
  readonly held: boolean;
  readonly begunAt?: string;
  readonly backAfterMs?: number;
  readonly endedAt?: string;
}

/** The answer of the parent's query `status`, and its result. */
export interface RecoverAllView {
  readonly id: string;
  readonly scenario: string;
  readonly mode: Mode;
  readonly requestedBy: string;
  readonly atOnce: number;
  readonly startedAt: string;
  readonly asOf: string;
  readonly endedAt?: string;
  /** Somebody has called the parent off: nothing more is begun, what runs goes on. */
  readonly calledOff: boolean;
  readonly systems: readonly SystemStanding[];
}

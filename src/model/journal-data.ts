/**
 * What entries of the journal carry for whoever takes the run over: the shape of `data` by the kind of the entry. Types
 * only; `src/adopt/entry-data.ts` checks what is read back.
 */
import type { Approval } from './decision.js';
import type { DecisionView, FailureView, HoldView, OverrideView, RunInput, StepRecord } from './run.js';

/** The run's clock at the entry. */
export interface ClockRecord {
  readonly workingMs: number;
  readonly waitingMs: number;
  /** Set once the service was back. */
  readonly actualMs?: number;
}

/** `run-started`. */
export interface StartData {
  readonly scenario: string;
  readonly input: RunInput<unknown, unknown>;
}

/** `step-intent`, `step-started`, `step-done`, `step-failed`, `step-skipped`, `gate-opened`. */
export interface StepData {
  readonly step: StepRecord;
  readonly clock: ClockRecord;
  readonly output?: { readonly summary: string };
  readonly failure?: FailureView;
  readonly note?: string;
}

/** Whose word stands where people are awaited. */
export interface WordsData {
  readonly approvals: readonly Approval[];
  readonly overriding: readonly Approval[];
  readonly denial?: { readonly by: string; readonly reason: string };
}

/** `decision`. The words are those that stand after it. */
export interface DecisionData extends WordsData {
  readonly view: DecisionView;
  readonly used: readonly string[];
}

/** `held`. */
export interface HoldData {
  readonly hold: HoldView;
}

/** `handed-over`. */
export interface CommanderData {
  readonly commander: string;
}

/** `warning`, where it is more than a text. */
export interface WarningData {
  readonly override?: OverrideView;
  readonly aborted?: { readonly by: string; readonly reason: string };
}

/** `adopted`. */
export interface AdoptedData {
  readonly by: string;
  readonly number: number;
}

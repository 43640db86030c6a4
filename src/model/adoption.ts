/** What a new server has to know of a run whose own is gone; made from the run's journal alone. Plain data only. */
import type { Approval } from './decision.js';
import type { DecisionView, FailureView, RunInput, Warning } from './run.js';

/** A step as the journal left it. What was under way is begun again: it finds what it had done already. */
export interface AdoptedStep {
  readonly status: 'pending' | 'done' | 'skipped';
  /** Begun and not ended when the journal stopped. */
  readonly underWay: boolean;
  readonly begun: number;
  readonly output?: { readonly summary: string };
  readonly note?: string;
  readonly failure?: FailureView;
  readonly startedAt?: string;
  readonly endedAt?: string;
  readonly workingMs: number;
  readonly waitingMs: number;
  readonly decisions: readonly DecisionView[];
  /** At a gate that is open. */
  readonly approvals: readonly Approval[];
}

export interface Adoption {
  readonly by: string;
  readonly at: string;
  /** Entries that the journal holds: the next one gets the number after it. */
  readonly entries: number;
  /** Hash of the last of them. */
  readonly head: string;
  readonly startedAt: string;
  readonly workingMs: number;
  readonly waitingMs: number;
  /** Set once the service was back. */
  readonly actualMs?: number;
  readonly componentsBackAt: Readonly<Record<string, string>>;
  readonly commander: string;
  readonly hold?: { readonly by: string; readonly reason: string; readonly since: string };
  readonly steps: Readonly<Record<string, AdoptedStep>>;
  /** Steps that were begun, in that order. */
  readonly beginning: readonly string[];
  readonly warnings: readonly Warning[];
  /** Proofs that were used: none counts twice. */
  readonly usedProofs: readonly string[];
}

/** The input of the run as it was first started, from the journal's first entry, and where it had come to. */
export interface AdoptableRun<Runbook, Params> {
  readonly scenario: string;
  readonly input: RunInput<Runbook, Params>;
  readonly adoption: Omit<Adoption, 'by' | 'at'>;
}

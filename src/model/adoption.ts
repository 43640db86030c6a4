/** What a new server has to know of a run whose own is gone; made from the run's journal alone. Plain data only. */
import type { Approval } from './decision.js';
import type { DecisionView, FailureView, HoldView, OverrideView, RunInput, Warning } from './run.js';

/** A step as the journal left it. */
export interface AdoptedStep {
  /** `waiting`: a gate that is open, or a step that has failed and waits for a person. */
  readonly status: 'pending' | 'waiting' | 'done' | 'skipped' | 'undone';
  /** Begun and not ended when the journal stopped: it is begun again, and finds what it had done already. */
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
  /** When what is asked was put this way: signatures name it. */
  readonly openedAt?: string;
  /** Words that stand, where people are awaited. */
  readonly approvals: readonly Approval[];
  readonly overriding: readonly Approval[];
  readonly denial?: { readonly by: string; readonly reason: string };
}

export interface Adoption {
  readonly by: string;
  readonly at: string;
  /** From 1: how often the run was taken over, this time included. */
  readonly number: number;
  /** Entries that the journal holds: the next one gets the number after it. */
  readonly entries: number;
  /** Hash of the last of them. */
  readonly head: string;
  readonly startedAt: string;
  readonly workingMs: number;
  readonly waitingMs: number;
  /** When the two were so; what passed since is the machine's time. */
  readonly clockAt: string;
  /** Set once the service was back. */
  readonly actualMs?: number;
  readonly commander: string;
  readonly hold?: HoldView;
  /** The run was being undone. */
  readonly aborted?: { readonly by: string; readonly reason: string };
  readonly overrides: readonly OverrideView[];
  readonly steps: Readonly<Record<string, AdoptedStep>>;
  /** Steps that were begun and not undone, in that order: what an abort undoes, newest first. */
  readonly beginning: readonly string[];
  readonly warnings: readonly Warning[];
  /** Proofs that were used: none counts twice. */
  readonly usedProofs: readonly string[];
}

/** The input of the run as it was first started, from the journal's first entry, and where it had come to. */
export interface AdoptableRun<Runbook, Params> {
  readonly scenario: string;
  readonly system: string;
  readonly input: RunInput<Runbook, Params>;
  readonly adoption: Omit<Adoption, 'by' | 'at' | 'number'>;
}

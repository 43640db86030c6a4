/**
 * The words a scenario is written in. A scenario declares steps; each takes the outputs of others through typed handles.
 * Nothing here has effects or knows Temporal, so the same plan can be shown, printed, hashed and run.
 */
import type { MusterActivities, StepRef, Summarised } from '../../activities/contract.js';
import type {
  ChangeableDocument,
  Effect,
  PlanDocument,
  PrintedCommand,
  StepDocument,
  StepKind,
} from '../../src/model/plan.js';
import type { Fact } from '../../src/model/run.js';
import type { GatePolicy, Runbook } from '../../src/runbook/schema.js';

/** Stands for the output that a step will have. */
export interface StepHandle<Out> {
  readonly name: string;
  /** Never set: it carries the type. */
  readonly output?: Out;
}

export type Needs = Readonly<Record<string, StepHandle<unknown>>>;
export type Outputs<N extends Needs> = {
  readonly [K in keyof N]: N[K] extends StepHandle<infer Out> ? Out : never;
};

/** What a step acts with. The three sets of activities differ in how long an attempt may take and how it is retried. */
export interface StepContext<Params> {
  readonly at: StepRef;
  readonly params: Params;
  /** Look-ups and small changes: a minute an attempt. */
  readonly quick: MusterActivities;
  /** Restores, verification, backups: hours, with progress. */
  readonly long: MusterActivities;
  /** Fencing, promotion, cutover: few attempts, so that a person is asked soon. */
  readonly careful: MusterActivities;
}

export interface StepDefinition<Params, N extends Needs, Out extends Summarised> {
  /** Stable, kebab-case. */
  readonly name: string;
  readonly title: string;
  readonly kind?: Exclude<StepKind, 'gate'>;
  readonly effect: Effect;
  readonly budgetMs: number;
  readonly needs: N;
  /** Steps that must be finished, whose outputs are not taken. */
  readonly after?: readonly StepHandle<unknown>[];
  /** Components that are not back before this step is done. */
  readonly restores?: readonly string[];
  readonly pointOfNoReturn?: boolean;
  readonly do: (context: StepContext<Params>, needs: Outputs<N>) => Promise<Out>;
  readonly undo?: {
    readonly title: string;
    readonly do: (context: StepContext<Params>, needs: Outputs<N>) => Promise<Summarised>;
  };
  /** What going on without it means, in words. Only for steps whose output no other takes. */
  readonly skipping?: string;
  /** Of a fence: how the run goes on when the primary cannot be reached and people say so. */
  readonly withoutProof?: (
    context: StepContext<Params>,
    needs: Outputs<N>,
    said: WithoutProof,
  ) => Promise<Out>;
  readonly commands?: readonly PrintedCommand[];
}

/** People who go on without the proof of a fence, and why. */
export interface WithoutProof {
  readonly by: readonly string[];
  readonly reason: string;
}

/** An input that people may replace; gates name those that can be replaced there. */
export interface ChangeableDefinition<Params, N extends Needs, Out extends Summarised> {
  readonly name: string;
  readonly step: StepHandle<Out>;
  /** Of the step; they stand already when it is made anew. */
  readonly needs: N;
  /** What is allowed, in words. */
  readonly allowed: string;
  /** @returns why a value is none of these; undefined for one that is */
  readonly check: (value: string) => string | undefined;
  readonly do: (context: StepContext<Params>, needs: Outputs<N>, value: string) => Promise<Out>;
  /** `kept`: what was made with the old value is moved to the new one; `undone`: it is undone first. */
  readonly madeBefore: 'kept' | 'undone';
}

export interface ChangeableHandle {
  readonly name: string;
}

/** What a gate gives to the steps behind it. */
export interface GateOutcome extends Summarised {
  readonly approvedBy: string;
  readonly at: string;
}

export interface GateDefinition<N extends Needs> {
  /** The name people use; the step is called `gate-<name>`. */
  readonly name: string;
  readonly question: string;
  readonly policy: GatePolicy;
  readonly needs: N;
  readonly after?: readonly StepHandle<unknown>[];
  /** What approvers see, from the outputs of what the gate needs. */
  readonly show: (needs: Outputs<N>) => readonly Fact[];
  readonly approving: string;
  readonly denying: string;
  /** Inputs that the approver may replace; what was built on the old ones is done again. */
  readonly changes?: readonly ChangeableHandle[];
}

/** A step with its types gone, as the engine handles it. */
export interface PlannedStep<Params> {
  readonly document: StepDocument;
  readonly inputs: Readonly<Record<string, string>>;
  readonly do?: (
    context: StepContext<Params>,
    needs: Readonly<Record<string, unknown>>,
  ) => Promise<Summarised>;
  readonly undo?: (
    context: StepContext<Params>,
    needs: Readonly<Record<string, unknown>>,
  ) => Promise<Summarised>;
  readonly withoutProof?: (
    context: StepContext<Params>,
    needs: Readonly<Record<string, unknown>>,
    said: WithoutProof,
  ) => Promise<Summarised>;
  readonly gate?: PlannedGate;
}

export interface PlannedGate {
  readonly approving: string;
  readonly denying: string;
  readonly show: (needs: Readonly<Record<string, unknown>>) => readonly Fact[];
}

export interface PlannedChangeable<Params> {
  readonly document: ChangeableDocument;
  readonly inputs: Readonly<Record<string, string>>;
  readonly check: (value: string) => string | undefined;
  readonly madeBefore: 'kept' | 'undone';
  readonly do: (
    context: StepContext<Params>,
    needs: Readonly<Record<string, unknown>>,
    value: string,
  ) => Promise<Summarised>;
}

export interface Plan<Params> {
  readonly document: PlanDocument;
  readonly steps: readonly PlannedStep<Params>[];
  readonly changeables: readonly PlannedChangeable<Params>[];
}

export interface Scenario<Params> {
  /** Also the workflow type. */
  readonly name: string;
  readonly title: string;
  /** Pure: the same runbook gives the same plan. */
  readonly buildPlan: (runbook: Runbook) => Plan<Params>;
}

/**
 * The words a scenario is written in. A scenario declares steps; each takes the outputs of others through typed handles.
 * Nothing here has effects or knows Temporal, so the same plan can be shown, printed, hashed and run.
 */
import type { MusterActivities, StepRef, Summarised } from '../../activities/contract.js';
import type { Effect, PlanDocument, PrintedCommand, StepDocument, StepKind } from '../../src/model/plan.js';
import type { Fact } from '../../src/model/run.js';
import type { GatePolicy, Runbook } from '../../src/runbook/schema.js';
import { checkRules } from './rules.js';

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
  readonly commands?: readonly PrintedCommand[];
}

/** What a gate gives to the steps behind it. */
export interface GateOutcome extends Summarised {
  readonly approvedBy: string;
  readonly at: string;
}

export interface GateDefinition<Params, N extends Needs, Revised extends Summarised> {
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
  /** Lets the approver replace a step's output; what was built on the old one is done again. */
  readonly revises?: {
    readonly step: StepHandle<Revised>;
    readonly do: (context: StepContext<Params>, needs: Outputs<N>, point: string) => Promise<Revised>;
  };
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
  readonly gate?: PlannedGate<Params>;
}

export interface PlannedGate<Params> {
  readonly question: string;
  readonly approving: string;
  readonly denying: string;
  readonly show: (needs: Readonly<Record<string, unknown>>) => readonly Fact[];
  readonly revise?: (
    context: StepContext<Params>,
    needs: Readonly<Record<string, unknown>>,
    point: string,
  ) => Promise<Summarised>;
}

export interface Plan<Params> {
  readonly document: PlanDocument;
  readonly steps: readonly PlannedStep<Params>[];
}

export interface Scenario<Params> {
  /** Also the workflow type. */
  readonly name: string;
  readonly title: string;
  /** Pure: the same runbook gives the same plan. */
  readonly buildPlan: (runbook: Runbook) => Plan<Params>;
}

/** The name of the step that closes every run; the engine adds it. */
export const REPORT_STEP = 'report';

export class PlanBuilder<Params> {
  private readonly steps: PlannedStep<Params>[] = [];

  constructor(
    private readonly head: Omit<PlanDocument, 'steps' | 'serviceRestoredBy'>,
    /** Budgets that the runbook sets, by step; they win over the scenario's. */
    private readonly budgets: Readonly<Record<string, number>>,
  ) {}

  step<const N extends Needs, Out extends Summarised>(
    definition: StepDefinition<Params, N, Out>,
  ): StepHandle<Out> {
    const { document, inputs } = this.describe(definition, definition.kind ?? 'work');
    this.steps.push({
      document: {
        ...document,
        effect: definition.effect,
        restores: definition.restores ?? [],
        pointOfNoReturn: definition.pointOfNoReturn ?? false,
        ...(definition.undo === undefined ? {} : { undo: definition.undo.title }),
        commands: definition.commands ?? [],
      },
      inputs,
      do: (context, needs) => definition.do(context, needs as Outputs<N>),
      ...(definition.undo === undefined
        ? {}
        : { undo: definition.undo.do as NonNullable<PlannedStep<Params>['undo']> }),
    });
    return { name: definition.name };
  }

  gate<const N extends Needs, Revised extends Summarised>(
    definition: GateDefinition<Params, N, Revised>,
  ): StepHandle<GateOutcome> {
    const name = `gate-${definition.name}`;
    const { policy, revises } = definition;
    const { document, inputs } = this.describe(
      { ...definition, name, title: definition.question, budgetMs: policy.expires },
      'gate',
    );
    this.steps.push({
      document: {
        ...document,
        effect: 'none',
        restores: [],
        pointOfNoReturn: false,
        gate: {
          gate: definition.name,
          roles: policy.roles,
          expiresMs: policy.expires,
          atExpiry: policy.atExpiry,
          escalateTo: policy.escalateTo,
          ...(revises === undefined ? {} : { revises: revises.step.name }),
        },
        commands: [],
      },
      inputs,
      gate: {
        question: definition.question,
        approving: definition.approving,
        denying: definition.denying,
        show: (needs) => definition.show(needs as Outputs<N>),
        ...(revises === undefined
          ? {}
          : { revise: revises.do as NonNullable<PlannedGate<Params>['revise']> }),
      },
    });
    return { name };
  }

  /**
   * Closes the plan and checks the rules that every plan obeys.
   * @param serviceRestoredBy the step that proves the service is back: the RTO clock stops there
   * @throws Error when the scenario breaks a rule: a fault of the scenario's author, found by any test that builds it
   */
  build(serviceRestoredBy: StepHandle<unknown>): Plan<Params> {
    const documents = this.steps.map((step) => step.document);
    const needed = new Set(documents.flatMap((step) => step.needs));
    const report: PlannedStep<Params> = {
      document: {
        name: REPORT_STEP,
        title: 'Close the run and sign the report',
        kind: 'work',
        effect: 'none',
        needs: documents.map((step) => step.name).filter((name) => !needed.has(name)),
        budgetMs: this.budgets[REPORT_STEP] ?? 2 * 60_000,
        restores: [],
        pointOfNoReturn: false,
        commands: [],
      },
      inputs: {},
    };
    const document: PlanDocument = {
      ...this.head,
      serviceRestoredBy: serviceRestoredBy.name,
      steps: [...documents, report.document],
    };
    checkRules(document);
    return { document, steps: [...this.steps, report] };
  }

  private describe(
    definition: {
      readonly name: string;
      readonly title: string;
      readonly budgetMs: number;
      readonly needs: Needs;
      readonly after?: readonly StepHandle<unknown>[];
    },
    kind: StepKind,
  ) {
    const inputs = Object.fromEntries(
      Object.entries(definition.needs).map(([key, handle]) => [key, handle.name]),
    );
    const after = (definition.after ?? []).map((handle) => handle.name);
    return {
      inputs,
      document: {
        name: definition.name,
        title: definition.title,
        kind,
        needs: [...new Set([...Object.values(inputs), ...after])],
        budgetMs: this.budgets[definition.name] ?? definition.budgetMs,
      },
    };
  }
}

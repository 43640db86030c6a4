/** Builds plans: every step knows those before it by their handles, and a plan that breaks a rule cannot be built. */
import type { Summarised } from '../../activities/contract.js';
import type { PlanDocument, StepKind } from '../../src/model/plan.js';
import { alongWay, type Way } from './one-way.js';
import type {
  ChangeableDefinition,
  ChangeableHandle,
  GateDefinition,
  GateOutcome,
  Needs,
  Outputs,
  Plan,
  PlannedChangeable,
  PlannedStep,
  StepDefinition,
  StepHandle,
} from './plan.js';
import { checkRules } from './rules.js';

/** The name of the step that closes every run; the engine adds it. */
export const REPORT_STEP = 'report';

export class PlanBuilder<Params> {
  private readonly steps: PlannedStep<Params>[] = [];
  private readonly changeables: PlannedChangeable<Params>[] = [];
  private way: Way | undefined;

  constructor(
    private readonly head: Omit<PlanDocument, 'steps' | 'changeables' | 'serviceRestoredBy'>,
    /** Budgets that the runbook sets, by step; they win over the scenario's. */
    private readonly budgets: Readonly<Record<string, number>>,
  ) {}

  /**
   * Declares steps of one of several ways into the same plan: where the run goes another way they have nothing to do, and say so.
   *
   * @param declare with the builder that such steps are declared with
   */
  along<T>(way: Way, declare: (plan: PlanBuilder<Params>) => T): T {
    const before = this.way;
    this.way = way;
    try {
      return declare(this);
    } finally {
      this.way = before;
    }
  }

  step<const N extends Needs, Out extends Summarised>(
    definition: StepDefinition<Params, N, Out>,
  ): StepHandle<Out> {
    return this.way === undefined ? this.declare(definition) : this.declare(alongWay(this.way, definition));
  }

  private declare<const N extends Needs, Out extends Summarised>(
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
        ...(definition.skipping === undefined ? {} : { skipping: definition.skipping }),
        commands: definition.commands ?? [],
      },
      inputs,
      do: (context, needs) => definition.do(context, needs as Outputs<N>),
      ...(definition.undo === undefined
        ? {}
        : { undo: definition.undo.do as NonNullable<PlannedStep<Params>['undo']> }),
      ...(definition.withoutProof === undefined
        ? {}
        : { withoutProof: definition.withoutProof as NonNullable<PlannedStep<Params>['withoutProof']> }),
    });
    return { name: definition.name };
  }

  changeable<const N extends Needs, Out extends Summarised>(
    definition: ChangeableDefinition<Params, N, Out>,
  ): ChangeableHandle {
    const { name, step, needs, allowed, check, madeBefore } = definition;
    this.changeables.push({
      document: { name, step: step.name, allowed },
      inputs: inputsOf(needs),
      check,
      madeBefore,
      do: definition.do as PlannedChangeable<Params>['do'],
    });
    return { name };
  }

  gate<const N extends Needs>(definition: GateDefinition<N>): StepHandle<GateOutcome> {
    const name = `gate-${definition.name}`;
    const { policy, changes = [] } = definition;
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
          approvals:
            policy.from === 'each' ? Math.max(policy.approvals, policy.roles.length) : policy.approvals,
          from: policy.from,
          requester: policy.requester,
          secondFactor: policy.secondFactor,
          expiresMs: policy.expires,
          atExpiry: policy.atExpiry,
          escalateTo: policy.escalateTo,
          changes: changes.map((change) => change.name),
        },
        commands: [],
      },
      inputs,
      gate: {
        approving: definition.approving,
        denying: definition.denying,
        show: (needs) => definition.show(needs as Outputs<N>),
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
      changeables: this.changeables.map((changeable) => changeable.document),
      steps: [...documents, report.document],
    };
    checkRules(document);
    this.checkSkipping();
    return { document, steps: [...this.steps, report], changeables: this.changeables };
  }

  // Whoever takes an output cannot go on without it.
  private checkSkipping(): void {
    const taken = new Set(this.steps.flatMap((step) => Object.values(step.inputs)));
    for (const { document } of this.steps) {
      if (document.skipping !== undefined && taken.has(document.name)) {
        throw new Error(
          `Plan ${this.head.scenario}, step ${document.name}: it may be skipped, and others take its output`,
        );
      }
    }
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
    const inputs = inputsOf(definition.needs);
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

function inputsOf(needs: Needs): Readonly<Record<string, string>> {
  return Object.fromEntries(Object.entries(needs).map(([key, handle]) => [key, handle.name]));
}

/** A plan as data: what is shown, printed, hashed and compared. Building it is a pure function of scenario and runbook. */

/** What a step may touch: nothing; only what this run made; what users depend on. */
export type Effect = 'none' | 'sandbox' | 'production';

export type StepKind = 'work' | 'gate' | 'fence' | 'verification' | 'promotion' | 'cutover';

/** A command of the printed runbook, for the day on which Muster itself is gone. */
export interface PrintedCommand {
  /** Where it is typed, for instance `on the recovery host, as postgres`. */
  readonly where: string;
  readonly command: string;
  /** What must be seen, or what to fill in. */
  readonly note?: string;
}

export interface GateDocument {
  /** The name people use: `point`, `promote`. */
  readonly gate: string;
  readonly roles: readonly string[];
  readonly expiresMs: number;
  readonly atExpiry: 'remind' | 'escalate' | 'deny' | 'proceed';
  /** Roles that may decide as well once it has escalated. */
  readonly escalateTo: readonly string[];
  /** The step whose output the approver may replace, for instance another recovery point. */
  readonly revises?: string;
}

export interface StepDocument {
  readonly name: string;
  readonly title: string;
  readonly kind: StepKind;
  readonly effect: Effect;
  /** Steps whose outputs it takes, and steps that only have to be finished. */
  readonly needs: readonly string[];
  readonly budgetMs: number;
  /** Components that are not back before this step is done. */
  readonly restores: readonly string[];
  readonly pointOfNoReturn: boolean;
  /** What undoes it, in words; absent where nothing has to be undone. */
  readonly undo?: string;
  readonly gate?: GateDocument;
  readonly commands: readonly PrintedCommand[];
}

export interface PlanDocument {
  readonly scenario: string;
  readonly system: string;
  readonly title: string;
  /** The component whose RTO the run is held against. */
  readonly component: string;
  readonly rtoMs: number;
  readonly components: Readonly<Record<string, { readonly rtoMs: number }>>;
  /** The step after which the service is back: the RTO clock stops there. */
  readonly serviceRestoredBy: string;
  /** In an order in which every step stands after those it needs. */
  readonly steps: readonly StepDocument[];
}

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
  /** How many different people have to approve. */
  readonly approvals: number;
  /** `any`: people with any of the roles; `each`: a different person for each of the roles at least. */
  readonly from: 'any' | 'each';
  readonly requester: 'counts' | 'does-not-count';
  /** `totp`: a code of the authenticator is asked for, beside a signature where the person has a key. */
  readonly secondFactor: 'none' | 'totp';
  readonly expiresMs: number;
  readonly atExpiry: 'remind' | 'escalate' | 'deny' | 'proceed';
  /** Roles that may decide as well once it has escalated. */
  readonly escalateTo: readonly string[];
  /** Inputs that the approver may replace, by name. */
  readonly changes: readonly string[];
}

/** An input of the run that people may replace: the output of a step, made anew from what they say. */
export interface ChangeableDocument {
  /** For instance `point`, `target`. */
  readonly name: string;
  /** The step whose output it becomes. */
  readonly step: string;
  /** What is allowed, in words. */
  readonly allowed: string;
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
  /** What going on without it means, in words; absent where it cannot be skipped. */
  readonly skipping?: string;
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
  readonly changeables: readonly ChangeableDocument[];
  /** In an order in which every step stands after those it needs. */
  readonly steps: readonly StepDocument[];
}
